/** What a list says while there is nothing in it: what this is for, and the button that starts it. */
import { html } from "../vendor/preact.js";
import { Mark } from "./mark.js";

/** @param {{title: string, text: string, children?: any}} props */
export function EmptyState({ title, text, children }) {
  return html`<div class="empty">
    <${Mark} /><b>${title}</b>
    <p>${text}</p>
    ${children && html`<div class="row">${children}</div>`}
  </div>`;
}
