/** How much of the room is used: a bar with its parts, and the words for it. */
import { html } from "../vendor/preact.js";
import { percent, size } from "../format.js";
import { t } from "../language.js";

/** @import {Space} from "../types.d.ts" */
/** @import {Key} from "../language.js" */

/**
 * What each kind of space is called, in the order of the bar.
 * @type {Record<NonNullable<Space["kinds"]>[number]["kind"], Key>}
 */
export const KINDS = {
  files: "storage.files",
  pins: "storage.pins",
  history: "storage.history",
  unused: "storage.unused",
  index: "storage.index",
};

/** @param {{space: Space, legend?: boolean}} props the whole bar is the quota, or without one what is used */
export function Meter({ space, legend = false }) {
  const room = space.maximum || space.disk;
  const parts =
    space.kinds?.filter(({ bytes }) => bytes > 0) ??
    (space.maximum ? [{ kind: /** @type {const} */ ("files"), bytes: space.disk }] : []);
  const said = space.maximum
    ? t("storage.meter", { used: size(space.disk), room: size(room) })
    : parts.map(({ kind, bytes }) => `${t(KINDS[kind])}: ${size(bytes)}`).join(", ");
  return html`<div class="meter">
    ${
      (parts.length > 0 || legend) &&
      html`<div class="bar-of-parts" role="img" aria-label=${said}>
        ${parts.map(
          ({ kind, bytes }) =>
            html`<span
              class=${`part ${kind}`}
              style=${{ width: `${(100 * bytes) / room}%` }}
              title=${`${t(KINDS[kind])}: ${size(bytes)}`}
            />`,
        )}
      </div>`
    }
    <p class="row spread wrap">
      <span
        ><b>${size(space.disk)}</b>${" "}<span class="quiet"
          >${space.maximum ? t("storage.ofQuota", { room: size(room) }) : t("storage.used")}</span
        ></span
      ><span class="quiet small">${t("storage.left", { size: size(space.free) })}</span>
    </p>
    ${
      legend &&
      !space.kinds &&
      html`<ul class="legend" aria-hidden="true">
        ${Object.keys(KINDS).map(() => html`<li><span class="skeleton width-2" /></li>`)}
      </ul>`
    }
    ${
      legend &&
      space.kinds &&
      html`<ul class="legend">
        ${space.kinds.map(
          ({ kind, bytes, blocks }) =>
            html`<li>
              <span class=${`swatch ${kind}`} aria-hidden="true" /><span class="grow">${t(KINDS[kind])}</span>
              <span class="quiet small wide">${kind === "index" ? "" : t("storage.blocks", { n: blocks })}</span
              ><b>${size(bytes)}</b><span class="quiet small num">${percent(space.disk ? bytes / space.disk : 0)}</span>
            </li>`,
        )}
      </ul>`
    }
  </div>`;
}
