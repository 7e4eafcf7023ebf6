/** The start of the page: draw the shell, then listen to the daemon. */
import { html, render } from "./vendor/preact.js";
import { listen } from "./events.js";
import "./internals/recorder.js"; // before anything opens a connection
import { answerOthers } from "./internals/sharing.js";
import { Shell } from "./parts/shell.js";

const root = document.getElementById("app");
if (root) render(html`<${Shell} />`, root);
void listen();
if (localStorage.getItem("zwerm.calls")) void import("./calls/bell.js"); // this browser has an account: it rings here
answerOthers();
if (location.protocol === "https:" || localStorage.getItem("zwerm.push"))
  void import("./push.js").then((push) => push.begin());
