/** Rooms: where can people meet, and who is in this one? */
import { html, useEffect, useState } from "../vendor/preact.js";
import { InsecureCard } from "../calls/off-card.js";
import { obstacle } from "../calls/obstacle.js";
import { device, restore, session } from "../calls/session.js";
import { t } from "../language.js";
import { PageHead } from "../parts/page-head.js";
import { Skeleton } from "../parts/skeleton.js";
import { go, href, route } from "../route.js";
import { current, quit } from "../rooms/current.js";
import { JoinCard } from "../rooms/join-card.js";
import { OpenDialog } from "../rooms/open-dialog.js";
import { RoomFailure } from "../rooms/room-failure.js";
import { PasteCard, RoomList } from "../rooms/room-list.js";

/** @import {Room} from "../rooms/room.js" */

/** @param {Room} room */
function answerOf(room) {
  switch (room.state.value) {
    case "joining":
      return t(room.options.signaling.state.value === "online" ? "rooms.answer.joining" : "rooms.answer.connecting");
    case "waiting":
      return t("rooms.answer.waiting");
    case "inside": {
      const n = room.members.value.filter(({ state, member }) => state !== "waiting" && member !== room.own).length;
      return n ? t("rooms.answer.inside", { n: n + 1 }) : t("rooms.answer.alone");
    }
    default:
      return t(
        room.ending.value === "removed"
          ? "rooms.answer.removed"
          : room.ending.value === "refused"
            ? "rooms.answer.refused"
            : room.ending.value === "ended"
              ? "rooms.answer.ended"
              : "rooms.answer.left",
      );
  }
}

/** @param {{room: Room, link: string}} props */
function InRoom({ room, link }) {
  const [view, setView] = useState(/** @type {{RoomView: any} | null} */ (null));
  useEffect(() => void import("../rooms/room-view.js").then(setView), []);
  const state = room.state.value;
  const back = () => {
    quit();
    go(href("rooms"));
  };
  return html`<${PageHead} title=${room.title.value || t("nav.rooms")} answer=${answerOf(room)}>
      ${
        room.options.signaling.state.value === "lost" &&
        html`<span class="state warn" role="status">${t("rooms.reconnecting")}</span>`
      }
      ${state !== "inside" && html`<button type="button" onClick=${back}>${t("rooms.back")}</button>`}
    <//>
    ${state === "inside" && view && html`<${view.RoomView} room=${room} link=${link} />`}
    ${
      state === "waiting" &&
      html`<section class="card">
        <div class="empty">
          <b>${t("rooms.waiting")}</b>
          <p>${t("rooms.waiting.text")}</p>
        </div>
      </section>`
    }
    ${
      state === "over" &&
      room.failure.value !== null &&
      html`<section class="card"><${RoomFailure} failure=${room.failure.value} /></section>`
    }`;
}

export function RoomsPage() {
  const [isOpening, setOpening] = useState(false);
  useEffect(() => void restore(), []);
  const link = route.value.path.slice(1);
  const room = current.value;
  if (room && (!link || room.options.link === link)) return html`<${InRoom} room=${room} link=${room.options.link} />`;
  if (obstacle() === "insecure")
    return html`<${PageHead} title=${t("nav.rooms")} answer=${t("calls.insecure")} long /><${InsecureCard} />`;
  if (session.value === undefined)
    return html`<${PageHead} title=${t("nav.rooms")} answer=${null} />
      <section class="card"><${Skeleton} rows=${4} /></section>`;
  if (link)
    return html`<${PageHead} title=${t("rooms.joinTitle")} answer=${t("rooms.answer.before")} />
      <${JoinCard} link=${link} key=${link} />`;
  return html`<${PageHead} title=${t("nav.rooms")} answer=${t("rooms.answer")} long>
      ${
        device.value &&
        html`<button type="button" class="first" onClick=${() => setOpening(true)}>${t("rooms.open")}</button>`
      }
    <//>
    <${RoomList} open=${() => setOpening(true)} /><${PasteCard} />
    ${isOpening && html`<${OpenDialog} close=${() => setOpening(false)} />`}`;
}
