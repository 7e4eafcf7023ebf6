/** One version in a line: what changed, when, and the way to it. */
import { html } from "../vendor/preact.js";
import { moment, when } from "../format.js";
import { href } from "../route.js";
import { ChangeCounts } from "./change-counts.js";
import { versionName } from "./version-name.js";

/** @import {Version} from "../types.d.ts" */

/** @param {{version: Version}} props */
export function VersionLine({ version }) {
  return html`<li class="version-line">
    <span class="bead" aria-hidden="true" />
    <a class="grow" href=${href("history", "/", { at: version.version })}
      ><span class="message">${versionName(version)}</span></a
    >
    <${ChangeCounts} change=${version.change} />
    <time class="small quiet" datetime=${version.time} title=${moment(version.time)}>${when(version.time)}</time>
  </li>`;
}
