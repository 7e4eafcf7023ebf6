/** The way a connection takes, as a picture: this side, what stands between, the other side. */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";

/** @import {Stat} from "./recording.js" */
/** @import {Key} from "../language.js" */

/** @type {Record<string, Key>} */
const KINDS = {
  host: "internals.way.host",
  srflx: "internals.way.srflx",
  prflx: "internals.way.srflx",
  relay: "internals.way.relay",
};

/** What a kind of candidate is in words. @param {string | undefined} type */
export const kindWords = (type) => (type && KINDS[type] ? t(KINDS[type]) : (type ?? ""));

/** @param {Stat | null} candidate */
const isRelayed = (candidate) => candidate?.candidateType === "relay";
/** @param {Stat | null} candidate */
const isTranslated = (candidate) => ["srflx", "prflx"].includes(candidate?.candidateType);

/** The address of a candidate, or what stands for one that the browser keeps to itself. @param {Stat | null} candidate */
export function addressWords(candidate) {
  if (!candidate) return t("internals.unknown");
  const host = candidate.address ?? candidate.ip;
  if (!host) return t("internals.hidden");
  return `${host.includes(":") ? `[${host}]` : host}:${candidate.port}`;
}

/** @param {Stat | null} local @param {Stat | null} remote */
export function wayWords(local, remote) {
  const protocol = (local?.protocol ?? "udp").toUpperCase();
  if (isRelayed(local) && isRelayed(remote)) return t("internals.way.words.relays", { protocol });
  if (isRelayed(local) || isRelayed(remote)) return t("internals.way.words.relay", { protocol });
  if (isTranslated(local) || isTranslated(remote)) return t("internals.way.words.nat", { protocol });
  return t("internals.way.words.straight", { protocol });
}

/** @param {{x: number, name: string}} props */
const Stop = ({ x, name }) =>
  html`<g class="stop"><circle cx=${x} cy="36" r="7" /><text x=${x} y="64" text-anchor="middle">${name}</text></g>`;

/** @param {{x: number}} props */
const Gate = ({ x }) =>
  html`<g class="gate"><path d=${`M${x} 20v32`} /><text x=${x} y="12" text-anchor="middle">NAT</text></g>`;

/**
 * @param {{local: Stat | null, remote: Stat | null, here: string, there: string, trip: number | undefined}} props
 * `trip`: seconds there and back
 */
export function WayPicture({ local, remote, here, there, trip }) {
  const relays = [isRelayed(local), isRelayed(remote)].filter(Boolean).length;
  const places = relays === 2 ? [200, 400] : relays === 1 ? [300] : [];
  const words = wayWords(local, remote);
  return html`<figure class="way-picture">
    <svg viewBox="0 0 600 72" role="img" aria-label=${words}>
      <path class=${relays ? "path relayed" : "path"} d="M40 36H560" />
      <${Stop} x=${40} name=${here} />
      ${isTranslated(local) && html`<${Gate} x=${170} />`}
      ${places.map((x) => html`<${Stop} key=${x} x=${x} name="TURN" />`)}
      ${isTranslated(remote) && html`<${Gate} x=${430} />`}
      <${Stop} x=${560} name=${there} />
    </svg>
    <figcaption>
      <p>
        ${words}${trip !== undefined && html` <span class="quiet">${t("internals.way.trip", { ms: Math.round(trip * 10_000) / 10 })}</span>`}
      </p>
      <p class="small quiet mono">${addressWords(local)} ⇄ ${addressWords(remote)}</p>
    </figcaption>
  </figure>`;
}
