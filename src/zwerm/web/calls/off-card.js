/** Why there are no calls here, and what to do about it. */
import { html } from "../vendor/preact.js";
import { put } from "../api.js";
import { node } from "../events.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";
import { withCode } from "../parts/failure-card.js";
import { Icon } from "../parts/icon.js";
import { notifyFailure } from "../parts/notices.js";
import { ask } from "./service.js";

/** Browsers keep keys, cameras and microphones from pages that somebody on the way could have changed. */
export const InsecureCard = () =>
  html`<section class="card">
    <${EmptyState} title=${t("calls.insecure")} text=${t("calls.insecure.text")}>
      <p class="quiet">${withCode(t("calls.insecure.do"))}</p>
    <//>
  </section>`;

/** The browser has no WebRTC: one can be signed in, but neither ring nor answer. */
export const UnsupportedNote = () =>
  html`<div class="banner" role="status"><${Icon} name="warning" />${t("devices.unsupported")}</div>`;

export function OffCard() {
  const on = async () => {
    try {
      await put("settings", { "calls.enabled": true });
      await ask();
    } catch (error) {
      notifyFailure(error);
    }
  };
  return html`<section class="card">
    <${EmptyState} title=${t("calls.off")} text=${t("calls.off.text")}>
      ${
        node.value
          ? html`<button type="button" class="first" onClick=${() => void on()}>
              <${Icon} name="phone" />${t("calls.off.act")}
            </button>`
          : html`<p class="quiet">${withCode(t("calls.off.owner"))}</p>`
      }
    <//>
  </section>`;
}
