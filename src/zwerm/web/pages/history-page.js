/** History, on its way. */
import { html } from "../vendor/preact.js";
import { PageHead } from "../parts/page-head.js";
import { t } from "../language.js";

export function HistoryPage() {
  return html`<${PageHead} title=${t("nav.history")} answer="" />`;
}
