/** Inside a room: the stage, who waits at the door, and what its host can do. */
import { html, useEffect, useState } from "../vendor/preact.js";
import { t } from "../language.js";
import { Dialog } from "../parts/dialog.js";
import { Icon } from "../parts/icon.js";
import { MenuButton } from "../parts/menu.js";
import { notify, notifyFailure } from "../parts/notices.js";
import { go, href } from "../route.js";
import { Stage } from "../stage/stage.js";
import { quit } from "./current.js";
import { Invitation } from "./invitation.js";
import { forget } from "./known-rooms.js";
import { keepingWords } from "./open-dialog.js";

/** @import {Room} from "./room.js" */
/** @import {Person} from "../stage/person.js" */

/** @param {{room: Room}} props */
function Door({ room }) {
  const waiting = room.members.value.filter(({ state }) => state === "waiting");
  /** @param {string} type @param {string} member */
  const decide = (type, member) => void room.ask(type, { member }).catch(notifyFailure);
  return html`<div class="door" role="status">
    ${waiting.map(
      ({ member, label }) =>
        html`<div class="stage-note" key=${member}>
          <span class="grow ellipsis">${t("rooms.knocks", { name: label })}</span>
          <button
            type="button"
            class="first small"
            aria-label=${t("rooms.admit.label", { name: label })}
            onClick=${() => decide("room-admit", member)}
          >
            ${t("rooms.admit")}
          </button>
          <button
            type="button"
            class="small"
            aria-label=${t("rooms.refuse.label", { name: label })}
            onClick=${() => decide("room-remove", member)}
          >
            ${t("rooms.refuse")}
          </button>
        </div>`,
    )}
  </div>`;
}

/** How long what is written is there. @param {number} seconds */
function keptWords(seconds) {
  const [first, ...rest] = keepingWords(seconds);
  return `${t("rooms.keep")} ${first.toLocaleLowerCase()}${rest.join("")}.`;
}

/** What a host may ask of somebody. @param {{room: Room, person: Person}} props */
function HostMenu({ room, person }) {
  const name = person.label.value;
  const member = person.endpoint;
  /** @param {"mute" | "camera-off" | "hand-down"} what */
  const ask = (what) => () =>
    void room.ask("room-ask", { member, what }).then(() => notify(t("rooms.asked", { name })), notifyFailure);
  const shown = person.shown.value;
  return html`<${MenuButton}
    label=${t("rooms.host", { name })}
    name=${name}
    items=${() => [
      ...(shown.microphone
        ? [{ label: t("rooms.ask.mute"), icon: /** @type {const} */ ("microphoneOff"), run: ask("mute") }]
        : []),
      ...(shown.camera
        ? [{ label: t("rooms.ask.camera"), icon: /** @type {const} */ ("cameraOff"), run: ask("camera-off") }]
        : []),
      ...(shown.hand
        ? [{ label: t("rooms.ask.hand"), icon: /** @type {const} */ ("hand"), run: ask("hand-down") }]
        : []),
      {
        label: t("rooms.remove"),
        icon: /** @type {const} */ ("leave"),
        danger: true,
        run: () => void room.ask("room-remove", { member }).catch(notifyFailure),
      },
    ]}
  />`;
}

/** @param {{room: Room, link: string}} props */
function RoomActs({ room, link }) {
  const [isEnding, setEnding] = useState(false);
  const [isInviting, setInviting] = useState(false);
  const lock = () => void room.ask("room-lock", { locked: !room.isLocked.value }).catch(notifyFailure);
  const finish = async () => {
    setEnding(false);
    await room.finish().catch(notifyFailure);
    forget(room.id);
  };
  return html`<div class="row">
    ${room.isLocked.value && html`<span class="state"><${Icon} name="lock" />${t("rooms.locked")}</span>`}
    <button type="button" class="small" onClick=${() => setInviting(true)}>
      <${Icon} name="qr" />${t("rooms.invite")}
    </button>
    ${
      isInviting &&
      html`<${Invitation} link=${link} title=${room.title.value} close=${() => setInviting(false)} />`
    }
    ${
      room.isHost.value &&
      html`<${MenuButton}
        label=${t("rooms.forHosts")}
        name=${t("rooms.forHosts")}
        items=${() => [
          {
            label: t(room.isLocked.value ? "rooms.unlock" : "rooms.lock"),
            icon: room.isLocked.value ? /** @type {const} */ ("unlock") : /** @type {const} */ ("lock"),
            run: lock,
          },
          { label: t("rooms.end"), icon: /** @type {const} */ ("trash"), danger: true, run: () => setEnding(true) },
        ]}
      />`
    }
    ${
      isEnding &&
      html`<${Dialog}
        title=${t("rooms.end.title", { name: room.title.value })}
        close=${() => setEnding(false)}
        footer=${html`<button type="button" data-first onClick=${() => setEnding(false)}>${t("action.cancel")}</button>
          <button type="button" class="danger first" onClick=${finish}>${t("rooms.end")}</button>`}
      >
        <p>${t("rooms.end.text")}</p>
      <//>`
    }
  </div>`;
}

/** @param {{room: Room, link: string}} props */
export function RoomView({ room, link }) {
  const meeting = room.meeting.value;
  const asked = room.asked.value;
  useEffect(() => {
    if (!asked) return;
    notify(
      t(asked === "mute" ? "rooms.wasMuted" : asked === "camera-off" ? "rooms.wasCameraOff" : "rooms.wasHandDown"),
    );
    room.asked.value = null;
  }, [asked]);
  if (!meeting) return null;
  const leave = () => {
    quit();
    go(href("rooms"));
  };
  return html`<div class="room">
    <${Door} room=${room} />
    <${Stage}
      meeting=${meeting}
      title=${room.title.value}
      leave=${leave}
      chatNote=${keptWords(room.keepChat.value)}
      head=${html`<${RoomActs} room=${room} link=${link} />`}
      people=${
        room.isHost.value
          ? (/** @type {Person} */ person) => html`<${HostMenu} room=${room} person=${person} />`
          : undefined
      }
    />
  </div>`;
}
