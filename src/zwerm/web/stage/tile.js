/** One picture on the stage: somebody, we ourselves, or a shared screen. */
import { html } from "../vendor/preact.js";
import { percent } from "../format.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { Picture, useStream } from "./picture.js";

/** @import {Meeting} from "./meeting.js" */
/** @import {Person} from "./person.js" */
/** @import {Reason} from "./quality.js" */
/** @import {Key} from "../language.js" */
/**
 * @typedef {object} Place what stands on the stage
 * @property {string} id
 * @property {"camera" | "screen"} kind
 * @property {Person | null} person null is ourselves
 */

/** @type {Record<Reason, Key>} */
const REASONS = {
  none: "quality.none",
  loss: "quality.loss",
  delay: "quality.delay",
  processor: "quality.processor",
  bandwidth: "quality.bandwidth",
  relay: "quality.relay",
  silent: "quality.silent",
};
/** @type {Record<string, Key>} */
const GRADES = { good: "quality.good", fair: "quality.fair", poor: "quality.poor" };

/** The first letters of a name, where there is no picture. @param {string} name */
const initials = (name) =>
  name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("")
    .toUpperCase();

/** How well somebody comes through, and why not better. @param {{person: Person}} props */
function Connection({ person }) {
  const quality = person.quality.value;
  if (!quality) return null;
  const reason = t(REASONS[quality.reason], {
    loss: percent(quality.loss),
    delay: Math.round(1000 * quality.roundTrip),
  });
  const words = `${t(GRADES[quality.grade])}. ${reason}`;
  return html`<span class=${`quality ${quality.grade}`} role="img" aria-label=${words} title=${words}>
    <span /><span /><span />
  </span>`;
}

/** @param {{meeting: Meeting, endpoint: string}} props */
function Reactions({ meeting, endpoint }) {
  return html`<div class="reactions" aria-hidden="true">
    ${meeting.reactions.value
      .filter((reaction) => reaction.endpoint === endpoint)
      .map(({ id, what }) => html`<span key=${id}>${what}</span>`)}
  </div>`;
}

/**
 * @param {{meeting: Meeting, place: Place, isMain: boolean, isPinned: boolean, pin: () => void, children?: any}} props
 * `children` lies over a shared screen
 */
export function Tile({ meeting, place, isMain, isPinned, pin, children }) {
  const { person, kind } = place;
  const ownTrack = kind === "screen" ? (meeting.screen.value?.video ?? null) : meeting.devices.camera.value;
  const ownStream = useStream(person ? null : ownTrack);
  const shown = person?.shown.value;
  const isSeen = person
    ? person.hasMedia.value && (kind === "screen" ? shown?.screen : shown?.camera)
    : ownTrack !== null;
  const isHeard = person ? shown?.microphone : meeting.isHeard.value;
  const hand = person ? shown?.hand : meeting.hand.value;
  const name = person ? person.label.value : t("stage.you");
  const state = person?.peer.state.value ?? "connected";
  const isSpeaking = person ? isHeard && person.level.value > 0.02 : false;
  const screen = person ? t("stage.screenOf", { name }) : t("stage.ownScreen");
  const title = kind === "screen" ? screen : name;
  return html`<figure
    class=${["seat", kind, isMain && "main", isSpeaking && "speaking", !person && "self"].filter(Boolean).join(" ")}
    data-endpoint=${person?.endpoint ?? "self"}
    data-state=${state}
    aria-label=${title}
  >
    ${
      isSeen
        ? html`<${Picture}
            stream=${person ? (kind === "screen" ? person.screen : person.picture) : ownStream}
            isOwn=${!person && kind === "camera"}
            isWhole=${kind === "screen"}
            name=${place.id}
          />`
        : html`<div class="faceless" aria-hidden="true"><span>${initials(name)}</span></div>`
    }
    ${
      state !== "connected" &&
      html`<p class="seat-state" role="status">
        ${t(
          person?.peer.verified.value === "forged"
            ? "stage.forged"
            : state === "interrupted"
              ? "stage.interrupted"
              : state === "lost"
                ? "stage.lost"
                : "stage.connecting",
        )}
      </p>`
    }
    ${children}
    <${Reactions} meeting=${meeting} endpoint=${kind === "camera" ? (person?.endpoint ?? "") : "none"} />
    <figcaption>
      ${
        kind === "camera" &&
        !isHeard &&
        html`<span class="silent" role="img" aria-label=${t("stage.isMuted")}><${Icon} name="microphoneOff" /></span>`
      }
      <span class="ellipsis">${title}</span>
      ${hand ? html`<span role="img" aria-label=${t("stage.handUp")}>✋</span>` : null}
      ${
        person?.isPictureHeld.value &&
        kind === "camera" &&
        html`<span class="held" title=${t("stage.held")} role="img" aria-label=${t("stage.held")}>
          <${Icon} name="cameraOff" />
        </span>`
      }
      ${person && kind === "camera" && html`<${Connection} person=${person} />`}
    </figcaption>
    <button
      type="button"
      class="pin plain square small"
      aria-pressed=${isPinned}
      aria-label=${t(isPinned ? "stage.unpin" : "stage.pin", { name: title })}
      title=${t(isPinned ? "stage.unpin" : "stage.pin", { name: title })}
      onClick=${pin}
    >
      <${Icon} name="pin" />
    </button>
  </figure>`;
}
