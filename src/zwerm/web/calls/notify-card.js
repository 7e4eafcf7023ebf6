/** Asks whether the system may say who rings, once there is somebody who may ring. */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { allow, isMoment, notNow } from "./notifications.js";

export function NotifyCard() {
  if (!isMoment.value) return null;
  return html`<section class="card calls-fetched" aria-label=${t("calls.notify.ask")}>
    <p>
      ${t("calls.notify.ask")} <small class="quiet block">${t("calls.notify.ask.why")}</small>
    </p>
    <button type="button" onClick=${() => void allow()}><${Icon} name="phone" />${t("calls.notify.act")}</button>
    <button type="button" class="plain" onClick=${notNow}>${t("calls.notify.later")}</button>
  </section>`;
}
