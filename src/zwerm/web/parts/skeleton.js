/** The shape of what is on its way; it shows after 200 ms (the delay is in the style sheet). */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";

/** @param {{rows?: number}} props */
export function Skeleton({ rows = 5 }) {
  return html`<div class="skeletons" role="status">
    <span class="unseen">${t("state.loading")}</span>
    ${Array.from({ length: rows }, (_, row) => html`<span class=${`skeleton width-${row % 4}`} />`)}
  </div>`;
}
