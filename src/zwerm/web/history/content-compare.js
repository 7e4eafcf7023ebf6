/** One file before and after: text line by line, pictures side by side, anything else by its size and address. */
import { html } from "../vendor/preact.js";
import { contentAddress, kindOf } from "../content.js";
import { node } from "../events.js";
import { lastName, size } from "../format.js";
import { t } from "../language.js";
import { FailureCard } from "../parts/failure-card.js";
import { HashChip } from "../parts/hash-chip.js";
import { Skeleton } from "../parts/skeleton.js";
import { fetchPiece } from "../preview/text-view.js";
import { useResource } from "../resource.js";
import { lineDiff, withoutLongSames } from "./line-diff.js";

/** @import {Difference, Side} from "../types.d.ts" */

const TEXT_UP_TO = 262_144; // bytes of text that are compared line by line

/** @param {Side | null} side @param {AbortSignal} signal @returns {Promise<string | null>} null when it is not text */
async function textOf(side, signal) {
  if (side === null || side.size === 0) return "";
  const bytes = await fetchPiece(side.cid, 0, side.size, side.size, signal);
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** @param {{before: string, after: string}} props */
function Lines({ before, after }) {
  const signs = { same: " ", added: "+", removed: "−" };
  const words = { same: "", added: t("compare.lineAdded"), removed: t("compare.lineRemoved") };
  return html`<div class="diff" tabindex="0" role="region" aria-label=${t("compare.lines")}>
    ${withoutLongSames(lineDiff(before, after)).map((line) =>
      typeof line === "number"
        ? html`<div class="gap">${t("compare.same", { n: line })}</div>`
        : html`<div class=${line.kind}>
            <span class="number" aria-hidden="true">${line.before ?? ""}</span
            ><span class="number" aria-hidden="true">${line.after ?? ""}</span
            ><span class="sign" aria-hidden="true">${signs[line.kind]}</span>
            <code
              >${
                words[line.kind] && html`<span class="unseen">${words[line.kind]}${" "}</span>`
              }${line.text || " "}</code
            >
          </div>`,
    )}
  </div>`;
}

/** @param {{title: string, side: Side | null, name: string}} props */
function Half({ title, side, name }) {
  const picture = node.value && side && kindOf({ name, kind: "file", type: guessPicture(name) }) === "picture";
  return html`<figure class="half">
    <figcaption class="row spread">
      <b>${title}</b>${
        side
          ? html`<span class="small quiet">${size(side.size)}</span>`
          : html`<span class="small quiet">${t("compare.nothing")}</span>`
      }
    </figcaption>
    ${
      picture &&
      html`<img
        src=${contentAddress(side.cid, { filename: name })}
        alt=${t("compare.picture", { name, when: title })}
      />`
    }
    ${side && html`<${HashChip} hash=${side.cid} name=${`${name}, ${title}`} />`}
  </figure>`;
}

/** The type a name speaks of, as far as pictures go. @param {string} name */
const guessPicture = (name) => (/\.(png|jpe?g|gif|webp|avif|svg|bmp|ico)$/i.test(name) ? "image/*" : null);

/** @param {{difference: Difference}} props */
export function ContentCompare({ difference: { path, before, after } }) {
  const name = lastName(path);
  const comparable =
    [before, after].every((side) => side === null || (side.kind === "file" && side.size <= TEXT_UP_TO)) &&
    guessPicture(name) === null;
  const texts = useResource(
    async (signal) => (comparable ? Promise.all([textOf(before, signal), textOf(after, signal)]) : [null, null]),
    [before?.cid, after?.cid],
  );
  if (texts.failure) return html`<${FailureCard} failure=${texts.failure} retry=${texts.reload} />`;
  if (!texts.data) return html`<${Skeleton} rows=${3} />`;
  const [old, young] = texts.data;
  if (old !== null && young !== null) return html`<${Lines} before=${old} after=${young} />`;
  return html`<div class="halves">
    <${Half} title=${t("compare.before")} side=${before} name=${name} /><${Half}
      title=${t("compare.after")}
      side=${after}
      name=${name}
    />
  </div>`;
}
