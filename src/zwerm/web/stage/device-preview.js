/** How one looks and sounds before anybody else sees and hears it, and which camera, microphone and speaker are used. */
import { html, useEffect, useState } from "../vendor/preact.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { LevelMeter } from "./level-meter.js";
import { Picture, useStream } from "./picture.js";

/** @import {Devices, Kind, Trouble} from "./devices.js" */
/** @import {Key} from "../language.js" */

/** What is wrong and what to do, for each trouble and kind. @type {Record<Trouble, Record<Kind, Key>>} */
const TROUBLES = {
  insecure: { audio: "devices.insecure", video: "devices.insecure" },
  unsupported: { audio: "devices.unsupported", video: "devices.unsupported" },
  denied: { audio: "devices.denied.audio", video: "devices.denied.video" },
  none: { audio: "devices.none.audio", video: "devices.none.video" },
  busy: { audio: "devices.busy.audio", video: "devices.busy.video" },
  unplugged: { audio: "devices.unplugged.audio", video: "devices.unplugged.video" },
};

/** @param {{devices: Devices}} props */
export function DeviceTroubles({ devices }) {
  const { audio, video } = devices.trouble.value;
  const said = [audio && TROUBLES[audio].audio, video && TROUBLES[video].video].filter(
    (key, at, all) => key && all.indexOf(key) === at,
  );
  const mayHelp = [audio, video].some((trouble) => trouble && trouble !== "insecure" && trouble !== "unsupported");
  return html`<div class="device-troubles" role="status">
    ${said.map((key) => html`<p><${Icon} name="warning" />${t(/** @type {Key} */ (key))}</p>`)}
    ${
      mayHelp &&
      html`<button
        type="button"
        class="small"
        onClick=${() => void devices.open({ audio: audio !== null, video: video !== null })}
      >
        ${t("action.retry")}
      </button>`
    }
  </div>`;
}

/**
 * What is wrong, over a stage, until it is put away; something new shows again.
 * @param {{devices: Devices, isKnown: boolean}} props `isKnown`: what is wrong at the beginning was told before
 */
export function DeviceNote({ devices, isKnown }) {
  const { audio, video } = devices.trouble.value;
  const now = `${audio ?? ""}/${video ?? ""}`;
  const [known, setKnown] = useState(isKnown ? now : "/");
  if (now === "/" || now === known) return null;
  return html`<div class="stage-note">
    <${DeviceTroubles} devices=${devices} />
    <button
      type="button"
      class="plain square small"
      aria-label=${t("action.dismiss")}
      onClick=${() => setKnown(now)}
    >
      <${Icon} name="close" />
    </button>
  </div>`;
}

/** @type {{kind: "audio" | "video" | "speaker", device: MediaDeviceKind, label: Key}[]} */
const KINDS = [
  { kind: "video", device: "videoinput", label: "devices.camera" },
  { kind: "audio", device: "audioinput", label: "devices.microphone" },
  { kind: "speaker", device: "audiooutput", label: "devices.speaker" },
];

/** @param {{devices: Devices}} props */
export function DeviceChoice({ devices }) {
  const list = devices.list.value;
  const chosen = devices.chosen.value;
  return html`<div class="device-choice">
    ${KINDS.map(({ kind, device, label }) => {
      const found = list.filter((each) => each.kind === device && each.deviceId);
      return (
        found.length > 0 &&
        html`<label key=${kind}>
          <span>${t(label)}</span>
          <select
            class="field"
            value=${found.some(({ deviceId }) => deviceId === chosen[kind]) ? chosen[kind] : ""}
            onChange=${(/** @type {any} */ event) => void devices.choose(kind, event.currentTarget.value)}
          >
            <option value="">${t("devices.usual")}</option>
            ${found.map(
              (each, at) =>
                html`<option value=${each.deviceId}>${each.label || t("devices.nameless", { n: at + 1 })}</option>`,
            )}
          </select>
        </label>`
      );
    })}
    <label class="row">
      <input
        type="checkbox"
        checked=${chosen.clean}
        onChange=${(/** @type {any} */ event) => void devices.clean(event.currentTarget.checked)}
      />
      <span>${t("devices.clean")}</span>
    </label>
  </div>`;
}

/** @param {{devices: Devices, kind: Kind}} props */
function Switch({ devices, kind }) {
  const track = kind === "audio" ? devices.microphone.value : devices.camera.value;
  const name = kind === "audio" ? t("devices.microphone") : t("devices.camera");
  const icon = kind === "audio" ? (track ? "microphone" : "microphoneOff") : track ? "camera" : "cameraOff";
  return html`<button
    type="button"
    role="switch"
    aria-checked=${track !== null}
    aria-label=${name}
    title=${name}
    class=${track ? "round" : "round off"}
    onClick=${() =>
      track ? devices.release(kind) : void devices.open({ audio: kind === "audio", video: kind === "video" })}
  >
    <${Icon} name=${icon} />
  </button>`;
}

/** @param {{devices: Devices}} props */
export function DevicePreview({ devices }) {
  const camera = devices.camera.value;
  const microphone = devices.microphone.value;
  const stream = useStream(camera);
  useEffect(() => {
    if (!camera && !microphone) void devices.open({ audio: true, video: true });
  }, [devices]);
  return html`<div class="device-preview">
    <div class="mirror">
      ${
        camera
          ? html`<${Picture} stream=${stream} isOwn name="preview" />`
          : html`<p class="quiet">${t(devices.isOpening.value ? "devices.asking" : "devices.cameraOff")}</p>`
      }
      <div class="mirror-bar">
        <${Switch} devices=${devices} kind="audio" /><${Switch} devices=${devices} kind="video" />
        <${LevelMeter} track=${microphone} label=${t("devices.level")} />
      </div>
    </div>
    <${DeviceTroubles} devices=${devices} />
    <${DeviceChoice} devices=${devices} />
  </div>`;
}
