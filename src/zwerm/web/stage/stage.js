/** The stage: everybody's picture, what can be done, and a side with chat, people and files. It fills its box. */
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { useKeys } from "../keys.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { Board } from "./board.js";
import { ChatPanel } from "./chat-panel.js";
import { OwnCorner } from "./corner.js";
import { DeviceChoice, DeviceNote, DeviceTroubles } from "./device-preview.js";
import { REACTIONS } from "./meeting.js";
import { FilePanel } from "./file-panel.js";
import { PeoplePanel } from "./people-panel.js";
import { isHeldBack, release } from "./sound.js";
import { recordItems } from "./record.js";
import { RecordingChip } from "./recording-chip.js";
import { mayShareScreen, StageBar } from "./stage-bar.js";
import { StageKeys, useTalkKey } from "./stage-keys.js";
import { Tile } from "./tile.js";

/** @import {Key} from "../language.js" */
/** @import {Meeting} from "./meeting.js" */
/** @import {Side} from "./stage-bar.js" */
/** @import {Place} from "./tile.js" */

/** @type {Record<Side, Key>} */
const SIDES = { chat: "stage.chat", people: "stage.people", files: "stage.files", devices: "stage.devices" };

/** Everything that is to be seen. @param {Meeting} meeting @returns {Place[]} */
function placesOf(meeting) {
  /** @type {Place[]} */
  const places = [];
  for (const person of meeting.people.value) {
    if (person.shown.value.screen) places.push({ id: `${person.endpoint}/screen`, kind: "screen", person });
    places.push({ id: person.endpoint, kind: "camera", person });
  }
  if (meeting.screen.value) places.push({ id: "self/screen", kind: "screen", person: null });
  places.push({ id: "self", kind: "camera", person: null });
  return places;
}

/**
 * What stands large: what was pinned, else a screen, else whoever speaks. Null is the grid.
 * @param {Meeting} meeting @param {Place[]} places @param {string} pinned @param {boolean} isSpeakerView
 */
function mainOf(meeting, places, pinned, isSpeakerView) {
  const chosen = places.find(({ id }) => id === pinned);
  if (chosen) return chosen;
  const screen = places.find(({ kind, person }) => kind === "screen" && person) ?? null;
  if (screen) return screen;
  const own = places.find(({ kind }) => kind === "screen") ?? null;
  if (own) return own;
  if (!isSpeakerView || places.length < 2) return null;
  return places.find(({ person }) => person?.endpoint === meeting.speaker.value) ?? places[0];
}

/**
 * @param {{meeting: Meeting, leave: () => void, title: string, note?: string, chatNote?: string, head?: any,
 * people?: (person: import("./person.js").Person) => any}} props
 */
export function Stage({ meeting, leave, title, head, chatNote = "", people }) {
  const [isSpeakerView, setSpeakerView] = useState(false);
  const [isEqual, setEqual] = useState(false);
  const [pinned, setPinned] = useState("");
  const [side, setSide] = useState(/** @type {Side | null} */ (null));
  const [isKeys, setKeys] = useState(false);
  const seen = useRef(meeting.chat.lines.value.length);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useTalkKey(meeting);
  const lines = meeting.chat.lines.value;
  if (side === "chat") seen.current = lines.length;
  const places = placesOf(meeting);
  const isPair = places.length === 2 && places[0].kind === "camera" && places[0].person !== null && !pinned;
  const isCorner = isPair && !isEqual;
  const main = isCorner ? places[0] : isPair ? null : mainOf(meeting, places, pinned, isSpeakerView);
  const full = () =>
    void (document.fullscreenElement ? document.exitFullscreen() : box.current?.requestFullscreen?.())?.catch(
      () => undefined, // the browser does not want to
    );
  const float = () => {
    if (document.pictureInPictureElement) void document.exitPictureInPicture();
    else {
      const video = box.current?.querySelector(".seat.main video, .seat:not(.self) video, .seat video");
      void (/** @type {HTMLVideoElement | null} */ (video)?.requestPictureInPicture?.().catch(() => undefined));
    }
  };
  /** @param {Side} wanted */
  const open = (wanted) => setSide(side === wanted ? null : wanted);
  /** What is dropped is sent to everybody. @param {DragEvent} event */
  const drop = (event) => {
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!files.length) return;
    setSide("files");
    void meeting.shelf.send(files);
  };
  const view = () => (isPair ? setEqual(!isEqual) : setSpeakerView(!isSpeakerView));
  useKeys({
    m: () => void meeting.mute(meeting.isHeard.value),
    v: () => void meeting.showCamera(),
    s: () => {
      if (meeting.screen.value) meeting.hideScreen();
      else if (mayShareScreen()) void meeting.shareScreen();
    },
    h: () => meeting.raise(!meeting.hand.value),
    c: () => open("chat"),
    p: () => open("people"),
    u: () => open("files"),
    l: view,
    f: full,
    i: float,
    d: () => meeting.drawing.toggle("pen"),
    o: () => meeting.drawing.toggle("point"),
    "?": () => setKeys(true),
    escape: () => (meeting.drawing.tool.value === "look" ? setSide(null) : meeting.drawing.toggle("look")),
    ...Object.fromEntries(REACTIONS.map((what, at) => [String(at + 1), () => meeting.react(what)])),
  });
  const offers = meeting.shelf.entries.value.filter(({ way, state }) => way === "in" && state === "offered").length;
  useEffect(() => {
    if (offers) setSide("files");
  }, [offers > 0]);
  useEffect(() => {
    /** @type {HTMLElement | null | undefined} */ (box.current?.querySelector(".stage-side [data-first]"))?.focus();
  }, [side]);
  const acts = {
    toggleView: view,
    isSpeakerView: isPair ? isCorner : isSpeakerView,
    open,
    side,
    full,
    float: document.pictureInPictureEnabled ? float : null,
    keys: () => setKeys(true),
    leave,
    more: recordItems(meeting),
    unread: side === "chat" ? 0 : lines.slice(seen.current).filter(({ own }) => !own).length,
  };
  /** @param {Place} place */
  const tile = (place) =>
    html`<${Tile}
      key=${place.id}
      meeting=${meeting}
      place=${place}
      isMain=${place === main}
      isPinned=${place.id === pinned}
      pin=${() => setPinned(place.id === pinned ? "" : place.id)}
    >
      ${place.kind === "screen" && html`<${Board} meeting=${meeting} place=${place} hasTools=${place === main} />`}
    <//>`;
  return html`<section
    class=${side ? "scene with-side" : "scene"}
    ref=${box}
    aria-label=${title}
    data-view=${isCorner ? "pair" : main ? "main" : "grid"}
    onDragOver=${(/** @type {DragEvent} */ event) => event.preventDefault()}
    onDrop=${drop}
  >
    <header class="stage-head">
      <h2 class="ellipsis">${title}</h2>
      <${RecordingChip} meeting=${meeting} />
      ${head}
    </header>
    ${
      isHeldBack.value
        ? html`<div class="stage-note" role="alert">
            ${t("stage.heldBack")}
            <button type="button" class="small" onClick=${() => void release()}>${t("stage.listen")}</button>
          </div>`
        : html`<${DeviceNote} devices=${meeting.devices} isKnown=${meeting.kind === "room"} />`
    }
    <div class="seats" data-count=${Math.min(places.length, 9)}>
      ${isCorner ? html`${tile(places[0])}<${OwnCorner}>${tile(places[1])}<//>` : places.map(tile)}
    </div>
    <${StageBar} meeting=${meeting} acts=${acts} />
    ${
      side &&
      html`<aside class="stage-side" aria-label=${t(SIDES[side])}>
        <header>
          <h3>${t(SIDES[side])}</h3>
          <button
            class="plain square small"
            type="button"
            aria-label=${t("action.close")}
            onClick=${() => setSide(null)}
          >
            <${Icon} name="close" />
          </button>
        </header>
        ${side === "chat" && html`<${ChatPanel} chat=${meeting.chat} note=${chatNote} />`}
        ${side === "people" && html`<${PeoplePanel} meeting=${meeting} more=${people} />`}
        ${
          side === "files" && html`<${FilePanel} shelf=${meeting.shelf} isAlone=${meeting.people.value.length === 0} />`
        }
        ${
          side === "devices" &&
          html`<div class="panel-devices">
            <${DeviceTroubles} devices=${meeting.devices} /><${DeviceChoice} devices=${meeting.devices} />
          </div>`
        }
      </aside>`
    }
    ${isKeys && html`<${StageKeys} close=${() => setKeys(false)} />`}
  </section>`;
}
