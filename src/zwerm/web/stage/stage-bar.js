/** What one can do on the stage, in one row. On a phone the rarer things are in the menu. */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { openMenu } from "../parts/menu.js";
import { REACTIONS } from "./meeting.js";

/** @import {IconName} from "../parts/icon.js" */
/** @import {Item} from "../parts/menu.js" */
/** @import {Meeting} from "./meeting.js" */
/** @typedef {"chat" | "people" | "files" | "devices"} Side */
/**
 * @typedef {object} Acts what the stage can do beside the meeting
 * @property {() => void} toggleView
 * @property {boolean} isSpeakerView
 * @property {(side: Side) => void} open
 * @property {Side | null} side
 * @property {() => void} full
 * @property {(() => void) | null} float null where the browser has no picture in picture
 * @property {() => void} keys
 * @property {() => void} leave
 * @property {Item[]} more
 * @property {number} unread
 */

/**
 * @param {{icon: IconName, label: string, run: (event: MouseEvent) => void, pressed?: boolean | null, kind?: string,
 * hint?: string, badge?: number, menu?: boolean}} props
 */
function Act({ icon, label, run, pressed = null, kind = "", hint = "", badge = 0, menu = false }) {
  return html`<button
    type="button"
    class=${`round ${kind}`}
    aria-label=${badge ? `${label} (${badge})` : label}
    aria-pressed=${pressed}
    aria-haspopup=${menu ? "menu" : null}
    title=${hint ? `${label} (${hint})` : label}
    onClick=${run}
  >
    <${Icon} name=${icon} />${badge ? html`<span class="badge" data-count=${badge} />` : null}
  </button>`;
}

export const mayShareScreen = () => typeof navigator.mediaDevices?.getDisplayMedia === "function";

/** @param {{meeting: Meeting, acts: Acts}} props */
export function StageBar({ meeting, acts }) {
  const isHeard = meeting.isHeard.value;
  const isSeen = meeting.devices.camera.value !== null;
  const screen = meeting.screen.value !== null;
  const isUp = meeting.hand.value > 0;
  const share = () => (screen ? meeting.hideScreen() : void meeting.shareScreen());
  /** @param {MouseEvent} event */
  const react = (event) =>
    openMenu(
      event,
      t("stage.react"),
      REACTIONS.map((what) => ({ label: what, icon: /** @type {const} */ ("smile"), run: () => meeting.react(what) })),
    );
  /** @param {MouseEvent} event */
  const more = (event) =>
    openMenu(event, t("stage.more"), [
      ...(mayShareScreen()
        ? [{ label: t(screen ? "stage.unshare" : "stage.share"), icon: /** @type {IconName} */ ("screen"), run: share }]
        : []),
      {
        label: t(isUp ? "stage.handDown" : "stage.raise"),
        icon: "hand",
        run: () => meeting.raise(!isUp),
      },
      ...acts.more,
      "line",
      { label: t("stage.people"), icon: "people", run: () => acts.open("people") },
      { label: t("stage.files"), icon: "files", key: "U", run: () => acts.open("files") },
      { label: t("stage.devices"), icon: "settings", run: () => acts.open("devices") },
      "line",
      { label: t(acts.isSpeakerView ? "stage.grid" : "stage.speaker"), icon: "grid", key: "L", run: acts.toggleView },
      { label: t("stage.full"), icon: "full", key: "F", run: acts.full },
      ...(acts.float
        ? [{ label: t("stage.float"), icon: /** @type {IconName} */ ("pip"), key: "I", run: acts.float }]
        : []),
      { label: t("keys.title"), icon: "keyboard", key: "?", run: acts.keys },
    ]);
  return html`<div class="stage-bar" role="toolbar" aria-label=${t("stage.acts")}>
    <${Act}
      icon=${isHeard ? "microphone" : "microphoneOff"}
      label=${t(isHeard ? "stage.mute" : "stage.unmute")}
      kind=${isHeard ? "" : "off"}
      hint="M"
      run=${() => void meeting.mute(isHeard)}
    />
    <${Act}
      icon=${isSeen ? "camera" : "cameraOff"}
      label=${t(isSeen ? "stage.cameraOff" : "stage.cameraOn")}
      kind=${isSeen ? "" : "off"}
      hint="V"
      run=${() => void meeting.showCamera(!isSeen)}
    />
    ${
      mayShareScreen() &&
      html`<${Act}
        icon="screen"
        label=${t(screen ? "stage.unshare" : "stage.share")}
        kind="roomy"
        pressed=${screen}
        hint="S"
        run=${share}
      />`
    }
    <${Act}
      icon="hand"
      label=${t(isUp ? "stage.handDown" : "stage.raise")}
      kind="roomy"
      pressed=${isUp}
      hint="H"
      run=${() => meeting.raise(!isUp)}
    />
    <${Act} icon="smile" label=${t("stage.react")} run=${react} menu />
    <${Act}
      icon="chat"
      label=${t("stage.chat")}
      pressed=${acts.side === "chat"}
      badge=${acts.unread}
      hint="C"
      run=${() => acts.open("chat")}
    />
    <${Act} icon="more" label=${t("stage.more")} run=${more} menu />
    <${Act} icon="leave" label=${t("stage.leave")} kind="leave" run=${acts.leave} />
  </div>`;
}
