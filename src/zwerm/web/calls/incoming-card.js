/** Somebody rings: who it is, whether it is who it was before, and what one can do. It lies over every page. */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { Avatar } from "./avatar.js";
import { obstacle } from "./obstacle.js";
import { answer, decline, isBusy, visited } from "./phone.js";
import { VERDICTS } from "./words.js";

/** @import {Incoming} from "./phone.js" */

/** @param {{ringing: Incoming}} props */
export function IncomingCard({ ringing }) {
  const name = ringing.from.name ?? ringing.from.label;
  const isPicture = ringing.media.includes("video");
  const { key, tone } = VERDICTS[ringing.verdict];
  const room = visited.value;
  const busy = isBusy.value || room !== null;
  const ends = room ? t("calls.answer.leaves", { name: room.title.value }) : t("calls.answer.ends");
  return html`<section class="incoming" aria-label=${t("calls.rings", { name })}>
    <div class="incoming-who">
      <${Avatar} name=${name} size="large" />
      <div role="alert">
        <b class="ellipsis">${name}</b>
        <span class="quiet">${t(isPicture ? "calls.rings.picture" : "calls.rings.sound")}</span>
        <span class=${`verdict ${tone}`}
          ><${Icon} name=${tone === "warn" || tone === "bad" ? "warning" : "shield"} />${t(key, {
            name,
            device: ringing.from.label,
          })}</span
        >
      </div>
    </div>
    <div class="incoming-acts">
      <button type="button" class="decline" onClick=${() => void decline(ringing)}>
        <${Icon} name="leave" />${t("calls.decline")}
      </button>
      ${
        busy &&
        html`<button type="button" onClick=${() => void decline(ringing, true)}>
          <${Icon} name="people" />${t(room ? "calls.sayInRoom" : "calls.sayBusy")}
        </button>`
      }
      ${
        !obstacle() &&
        html`<button
        type="button"
        class=${isPicture ? "" : "accept"}
        onClick=${() => void answer(ringing, false)}
        title=${busy ? ends : null}
      >
        <${Icon} name="phone" />${t("calls.answer.sound")}
      </button>
      <button
        type="button"
        class=${isPicture ? "accept" : ""}
        onClick=${() => void answer(ringing, true)}
        title=${busy ? ends : null}
      >
        <${Icon} name="camera" />${t("calls.answer.picture")}
      </button>`
      }
    </div>
    ${busy && html`<p class="quiet small">${ends}</p>`}
    ${obstacle() && html`<p class="quiet small">${t("calls.answer.cannot")}</p>`}
  </section>`;
}
