/** Why a room could not be entered, or is over, in words. */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";

/** @import {Key} from "../language.js" */

/** What happened and what to do, for each code of docs/calls.md that a room can meet. @type {Record<string, [Key, Key]>} */
const SENTENCES = {
  "bad-link": ["rooms.fail.link", "rooms.fail.link.do"],
  "no-such-room": ["rooms.fail.link", "rooms.fail.link.do"],
  "room-locked": ["rooms.fail.locked", "rooms.fail.locked.do"],
  "room-full": ["rooms.fail.full", "rooms.fail.full.do"],
  "too-many-rooms": ["rooms.fail.many", "rooms.fail.many.do"],
  "too-many-guesses": ["rooms.fail.guesses", "rooms.fail.guesses.do"],
};

/** @param {{failure: unknown}} props */
export function RoomFailure({ failure }) {
  const code = String(/** @type {any} */ (failure)?.code ?? "");
  const [what, advice] = SENTENCES[code] ?? ["rooms.fail.other", "rooms.fail.other.do"];
  const details = SENTENCES[code] ? "" : String(/** @type {any} */ (failure)?.what ?? failure ?? "");
  return html`<div class="failure" role="alert">
    <${Icon} name="warning" />
    <div>
      <b>${t(what)}</b>
      <p>${t(advice)}</p>
      ${
        details &&
        html`<details>
          <summary>${t("failure.details")}</summary>
          <pre>${[code, details].filter(Boolean).join("\n")}</pre>
        </details>`
      }
    </div>
  </div>`;
}
