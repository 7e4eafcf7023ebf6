/** How much of the room is used: a bar with its parts, and the words for it. */
import { html } from "../vendor/preact.js";
import { percent, size } from "../format.js";
import { t } from "../language.js";

/** @import {Space} from "../types.d.ts" */
/** @import {Key} from "../language.js" */

/** What each kind of space is called, in the order of the bar. @type {Record<NonNullable<Space["kinds"]>[number]["kind"], Key>} */
export const KINDS = { files: "storage.files", pins: "storage.pins", history: "storage.history", unused: "storage.unused" };

/** @param {{space: Space, legend?: boolean}} props the room is the quota, or else what the disk still has */
export function Meter({ space, legend = false }) {
  const room = space.maximum || space.disk + space.free;
  const parts = space.kinds?.filter(({ bytes }) => bytes > 0) ?? [{ kind: /** @type {const} */ ("files"), bytes: space.disk, blocks: space.blocks }];
  const left = Math.max(0, space.maximum ? Math.min(space.maximum - space.disk, space.free) : space.free);
  return html`<div class="meter">
    <div class="bar-of-parts" role="img" aria-label=${t("storage.meter", { used: size(space.disk), room: size(room) })}>${parts.map(({ kind, bytes }) => html`<span class=${`part ${kind}`} style=${{ width: `${(100 * bytes) / room}%` }} title=${`${t(KINDS[kind])}: ${size(bytes)}`} />`)}</div>
    <p class="row spread wrap"><span><b>${size(space.disk)}</b> <span class="quiet">${t(space.maximum ? "storage.ofQuota" : "storage.used", { room: size(room) })}</span></span><span class="quiet small">${t("storage.left", { size: size(left) })}</span></p>
    ${legend && space.kinds && html`<ul class="legend">${space.kinds.map(({ kind, bytes, blocks }) => html`<li><span class=${`swatch ${kind}`} aria-hidden="true" /><span class="grow">${t(KINDS[kind])}</span>
      <span class="quiet small wide">${t("storage.blocks", { n: blocks })}</span><b>${size(bytes)}</b><span class="quiet small num">${percent(space.disk ? bytes / space.disk : 0)}</span></li>`)}</ul>`}
  </div>`;
}
