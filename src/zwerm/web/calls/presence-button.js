/** How one can be reached oneself, and the choice of it. */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";
import { openMenu } from "../parts/menu.js";
import { notify } from "../parts/notices.js";
import { choose, own } from "./availability.js";
import { PRESENCE, refusedWords } from "./words.js";

/** @param {"available" | "away" | "quiet"} state */
const set = (state) => void choose(state).catch((error) => notify(refusedWords(error)));

export function PresenceButton() {
  const state = own.value;
  /** @param {MouseEvent} event */
  const open = (event) =>
    openMenu(event, t("calls.presence.choose"), [
      { label: t("calls.presence.available"), icon: "check", run: () => set("available") },
      { label: t("calls.presence.away"), icon: "history", run: () => set("away") },
      { label: t("calls.disturb"), icon: "lock", run: () => set("quiet") },
    ]);
  return html`<button
    type="button"
    class="presence-button"
    aria-haspopup="menu"
    aria-label=${t("calls.presence.own", { state: t(PRESENCE[state]) })}
    title=${t("calls.presence.choose")}
    onClick=${open}
  >
    <span class=${`presence ${state}`}><span class="dot" />${t(PRESENCE[state])}</span>
  </button>`;
}
