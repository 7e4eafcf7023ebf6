/** Settings, on its way. */
import { html } from "../vendor/preact.js";
import { PageHead } from "../parts/page-head.js";
import { t } from "../language.js";

export function SettingsPage() {
  return html`<${PageHead} title=${t("nav.settings")} answer="" />`;
}
