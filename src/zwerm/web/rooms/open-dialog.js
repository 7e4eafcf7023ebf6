/** Opens a room: its name, whether people wait at the door, how long the chat is kept. */
import { html, useState } from "../vendor/preact.js";
import { session } from "../calls/session.js";
import { t } from "../language.js";
import { Dialog } from "../parts/dialog.js";
import { go, href } from "../route.js";
import { remember } from "./known-rooms.js";
import { RoomFailure } from "./room-failure.js";

const HOUR = 3_600;
/** @type {[number, import("../language.js").Key][]} */
export const KEEPING = [
  [0, "rooms.keep.none"],
  [24 * HOUR, "rooms.keep.day"],
  [7 * 24 * HOUR, "rooms.keep.week"],
  [365 * 24 * HOUR, "rooms.keep.year"],
];

/** How long a room keeps its chat. @param {number} seconds */
export const keepingWords = (seconds) => t((KEEPING.find(([kept]) => kept >= seconds) ?? KEEPING[3])[1]);

/** @param {{close: () => void}} props */
export function OpenDialog({ close }) {
  const [title, setTitle] = useState("");
  const [waits, setWaits] = useState(true);
  const [keep, setKeep] = useState(0);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState(/** @type {unknown} */ (null));
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    if (isBusy || !title.trim()) return;
    setBusy(true);
    setFailure(null);
    try {
      const made = await session.value?.ask("room-open", { title: title.trim(), waiting: waits, keep_chat: keep });
      remember({ room: made.room, link: made.link, title: title.trim() });
      close();
      go(href("rooms", made.link));
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return html`<${Dialog}
    title=${t("rooms.open")}
    close=${close}
    footer=${html`<button type="button" onClick=${close}>${t("action.cancel")}</button>
      <button type="submit" form="room-open" class="first" disabled=${isBusy || !title.trim()}>
        ${t("rooms.openNow")}
      </button>`}
    ><form id="room-open" class="stack" onSubmit=${submit}>
      <div class="stack tight">
        <label for="room-title">${t("rooms.name")}</label>
        <input
          id="room-title"
          class="field"
          data-first
          maxlength="64"
          autocomplete="off"
          value=${title}
          onInput=${(/** @type {any} */ event) => setTitle(event.currentTarget.value)}
        />
      </div>
      <label class="row">
        <input
          type="checkbox"
          checked=${waits}
          onChange=${(/** @type {any} */ event) => setWaits(event.currentTarget.checked)}
        />
        <span>${t("rooms.waits")}</span>
      </label>
      <div class="stack tight">
        <label for="room-keep">${t("rooms.keep")}</label>
        <select
          id="room-keep"
          class="field"
          value=${String(keep)}
          onChange=${(/** @type {any} */ event) => setKeep(Number(event.currentTarget.value))}
        >
          ${KEEPING.map(([seconds, words]) => html`<option value=${String(seconds)}>${t(words)}</option>`)}
        </select>
      </div>
      ${failure !== null && html`<${RoomFailure} failure=${failure} />`}
    </form><//
  >`;
}
