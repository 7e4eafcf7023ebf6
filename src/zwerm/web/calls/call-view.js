/** The call this page is in: while it rings, while one talks, and what became of it. */
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { Avatar } from "./avatar.js";
import { Clock } from "./bell.js";
import { IdentityChip } from "./identity-chip.js";
import { hangUp, putAway, ring } from "./phone.js";
import { overWords, progressWords } from "./words.js";

/** @import {Talk} from "./phone.js" */

/** @param {{talk: Talk}} props */
function OwnPicture({ talk }) {
  const element = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const track = talk.devices.camera.value;
  useEffect(() => {
    if (element.current) element.current.srcObject = track ? new MediaStream([track]) : null;
  }, [track]);
  return html`<video
    class="own-picture"
    ref=${element}
    hidden=${!track}
    autoplay
    muted
    playsinline
    aria-label=${t("calls.ownPicture")}
  />`;
}

/** What is wrong with camera and microphone is said while it rings; its code comes with the stage. */
function useTroubles() {
  const [Troubles, setTroubles] = useState(/** @type {any} */ (null));
  useEffect(() => {
    void import("../stage/device-preview.js").then(
      (module) => setTroubles(() => module.DeviceTroubles),
      () => undefined, // the stage, which is needed more, says that the node does not answer
    );
  }, []);
  return Troubles;
}

/** @param {{talk: Talk}} props */
function RingingView({ talk }) {
  const isOver = talk.state.value === "over";
  const words = isOver
    ? overWords(talk.reason.value, talk.name)
    : talk.isOut
      ? progressWords(talk.progress.value, talk.name)
      : t("calls.connecting");
  const Troubles = useTroubles();
  const mayAgain = isOver && talk.reason.value !== "no-such-name" && talk.reason.value !== "yourself";
  return html`<section class="card ringing-view" aria-label=${t("calls.ongoing", { name: talk.name })}>
    ${!isOver && html`<${OwnPicture} talk=${talk} />`}
    <div class=${isOver ? "ringing-who" : "ringing-who rings"}>
      <${Avatar} name=${talk.name} size="large" />
      <h2>${talk.name}</h2>
      <p role="status">${words}</p>
    </div>
    ${!isOver && Troubles && html`<${Troubles} devices=${talk.devices} />`}
    <div class="row wrap">
      ${
        isOver
          ? html`${
                mayAgain &&
                html`<button type="button" class="first" onClick=${() => void ring(talk.name, talk.isPicture)}>
                  <${Icon} name="phone" />${t("calls.again")}
                </button>`
              } <button type="button" onClick=${putAway}>${t("action.close")}</button>`
          : html`<button type="button" class="decline" onClick=${() => void hangUp()}>
              <${Icon} name="leave" />${t(talk.isOut ? "action.cancel" : "calls.hangUp")}
            </button>`
      }
    </div>
  </section>`;
}

/** @param {{talk: Talk}} props */
export function CallView({ talk }) {
  const [Stage, setStage] = useState(/** @type {any} */ (null));
  const meeting = talk.meeting.value;
  useEffect(() => {
    void import("../stage/stage.js").then((module) => setStage(() => module.Stage));
  }, []);
  if (talk.state.value !== "talking" || !meeting || !Stage) return html`<${RingingView} talk=${talk} />`;
  const head = html`<${IdentityChip} talk=${talk} /><${Clock} since=${talk.since.value} />`;
  return html`<div class="call-view">
    <${Stage} meeting=${meeting} leave=${() => void hangUp()} title=${talk.name} head=${head} />
  </div>`;
}
