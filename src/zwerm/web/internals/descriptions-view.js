/** The descriptions that both sides gave, and what each changed in the one before it of the same side. */
import { html } from "../vendor/preact.js";
import { exactTime } from "../format.js";
import { lineDiff, withoutLongSames } from "../history/line-diff.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";

/** @import {Description, Recording} from "./recording.js" */

/** @param {string} sdp */
const plain = (sdp) => sdp.replaceAll("\r", "");

/** @param {{before: Description | undefined, after: Description}} props */
function Text({ before, after }) {
  if (!before) return html`<pre class="sdp" tabindex="0">${plain(after.sdp)}</pre>`;
  const signs = { same: " ", added: "+", removed: "−" };
  return html`<div class="diff" tabindex="0" role="region" aria-label=${t("compare.lines")}>
    ${withoutLongSames(lineDiff(plain(before.sdp), plain(after.sdp))).map((line, index) =>
      typeof line === "number"
        ? html`<div key=${index} class="gap">${t("compare.same", { n: line })}</div>`
        : html`<div key=${index} class=${line.kind}>
            <span class="number" aria-hidden="true">${line.before ?? ""}</span
            ><span class="number" aria-hidden="true">${line.after ?? ""}</span
            ><span class="sign">${signs[line.kind]}</span><code>${line.text || " "}</code>
          </div>`,
    )}
  </div>`;
}

/** @param {{recording: Recording, turn: number}} props */
export function DescriptionsView({ recording: { descriptions } }) {
  if (!descriptions.length)
    return html`<${EmptyState} title=${t("internals.sdp.none")} text=${t("internals.sdp.none.text")} />`;
  return html`<div class="body">
    ${descriptions.map((one, index) => {
      const before = descriptions.slice(0, index).findLast((other) => other.side === one.side);
      return html`<details key=${`${one.at} ${one.side}`} class="described">
        <summary>
          <b>${t(one.side === "local" ? "internals.sdp.local" : "internals.sdp.remote", { type: one.type })}</b>
          <small class="quiet">${exactTime(one.at)}${before ? ` · ${t("internals.sdp.changes")}` : ""}</small>
        </summary>
        <${Text} before=${before} after=${one} />
      </details>`;
    })}
  </div>`;
}
