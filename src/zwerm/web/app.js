/** The start of the page: draw the shell, then listen to the daemon. */
import { html, render } from "./vendor/preact.js";
import { listen } from "./events.js";
import { Shell } from "./parts/shell.js";

const root = document.getElementById("app");
if (root) render(html`<${Shell} />`, root);
void listen();
