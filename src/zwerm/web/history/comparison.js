/** Two versions beside each other: which two, what differs, and the way back to either. */
import { html, useState } from "../vendor/preact.js";
import { read } from "../api.js";
import { originAddress } from "../content.js";
import { dayAndTime, size, when } from "../format.js";
import { legible, t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";
import { FailureCard } from "../parts/failure-card.js";
import { Icon } from "../parts/icon.js";
import { Skeleton } from "../parts/skeleton.js";
import { useResource } from "../resource.js";
import { ContentCompare } from "./content-compare.js";
import { restore } from "./restore.js";
import { versionName } from "./version-name.js";

/** @import {Comparison as Compared, Difference, Version} from "../types.d.ts" */
/** @import {IconName} from "../parts/icon.js" */
/** @import {Key} from "../language.js" */

/** @type {Record<Difference["kind"], {icon: IconName, tone: string, word: Key}>} */
const KINDS = {
  added: { icon: "plus", tone: "good", word: "compare.added" },
  changed: { icon: "rename", tone: "warn", word: "compare.changed" },
  removed: { icon: "trash", tone: "bad", word: "compare.removed" },
  renamed: { icon: "move", tone: "dusk", word: "compare.renamed" },
};

/** @param {Version} version */
const labelOf = (version) => `${when(version.time)} · ${versionName(version)}`;

/**
 * @param {{label: string, versions: Version[], value: string, choose: (version: string) => void, first?: boolean}}
 * props
 */
function Chooser({ label, versions, value, choose, first = false }) {
  return html`<label class="chooser"
    ><span class="small quiet">${label}</span
    ><select class="field" value=${value} onChange=${(/** @type {any} */ event) => choose(event.currentTarget.value)}>
      ${first && html`<option value="">${t("compare.beforeAll")}</option>`}
      ${versions.map(
        (version) =>
          html`<option key=${version.version} value=${version.version} selected=${version.version === value}>
            ${labelOf(version)}
          </option>`,
      )}
    </select></label
  >`;
}

/** @param {Difference} difference */
function sizeChange({ before, after }) {
  if (before && after)
    return before.size === after.size ? size(after.size) : `${size(before.size)} → ${size(after.size)}`;
  return size((after ?? before)?.size ?? 0);
}

/** @param {{difference: Difference, from: string, to: string, open: boolean}} props */
function DifferenceLine({ difference, from, to, open: initially }) {
  const [open, setOpen] = useState(initially);
  const { icon, tone, word } = KINDS[difference.kind];
  return html`<li class="difference">
    <button type="button" class="plain" aria-expanded=${open} onClick=${() => setOpen(!open)}>
      <span class=${`state ${tone}`}><${Icon} name=${icon} />${t(word)}</span>
      <span class="grow path"
        >${legible(difference.path.slice(1))}${difference.source && html`${" "}<small class="quiet">${t("compare.renamedFrom", { path: difference.source.slice(1) })}</small>`}</span
      ><span class="small quiet wide">${sizeChange(difference)}</span><${Icon} name=${open ? "up" : "down"} />
    </button>
    ${
      open &&
      html`<div class="detail">
        <${ContentCompare} difference=${difference} />
        <div class="row wrap">
          ${
            difference.before &&
            from &&
            !difference.source &&
            html`<button type="button" class="small" onClick=${() => restore(difference.path, from)}>
              <${Icon} name="restore" />${t("restore.before")}
            </button>`
          }
          ${
            difference.after &&
            html`<button type="button" class="small" onClick=${() => restore(difference.path, to)}>
              <${Icon} name="restore" />${t("restore.after")}
            </button>`
          }
        </div>
      </div>`
    }
  </li>`;
}

/**
 * @param {{path: string, versions: Version[], from: string, to: Version, choose: (from: string, to: string) => void,
 * newest: boolean, turn: number}} props
 * `from` may be empty: before anything was there
 */
export function Comparison({ path, versions, from, to, choose, newest, turn }) {
  const answer = useResource(
    async (signal) =>
      /** @type {Compared} */ (await read("history/compare", { path, from, to: to.version, limit: 200 }, signal)),
    [path, from, to.version],
    turn,
  );
  const changes = answer.data?.changes;
  return html`<section class="card comparison" aria-label=${t("compare.title")}>
    <header>
      <div class="grow">
        <h2>${versionName(to)}</h2>
        <p class="small quiet">${dayAndTime(to.time)} · ${to.mine ? t("history.byYou") : t("history.byOther")}</p>
      </div>
      <a class="button small" href=${originAddress(to.root)} target="_blank" rel="noreferrer noopener"
        ><${Icon} name="open" />${t("history.openThen")}</a
      >
      ${
        !newest &&
        to.kept &&
        html`<button type="button" class="first small" onClick=${() => restore(path, to.version)}>
          <${Icon} name="restore" />${t(path === "/" ? "restore.all" : "restore.this")}
        </button>`
      }
    </header>
    <div class="choosers">
      <${Chooser}
        label=${t("compare.from")}
        versions=${versions}
        value=${from}
        first
        choose=${(/** @type {string} */ version) => choose(version, to.version)}
      />
      <${Icon} name="right" /><${Chooser}
        label=${t("compare.to")}
        versions=${versions}
        value=${to.version}
        choose=${(/** @type {string} */ version) => choose(from, version)}
      />
    </div>
    ${
      !to.kept
        ? html`<p class="body quiet">${t("history.dropped")}</p>`
        : answer.failure
          ? html`<${FailureCard} failure=${answer.failure} retry=${answer.reload} />`
          : !changes
            ? html`<${Skeleton} rows=${3} />`
            : changes.length === 0
              ? html`<${EmptyState} title=${t("compare.none")} text=${t("compare.noneText")} />`
              : html`<ul class="differences">
                    ${changes.map(
                      (difference) =>
                        html`<${DifferenceLine}
                          key=${`${from}${to.version}${difference.path}`}
                          difference=${difference}
                          from=${from}
                          to=${to.version}
                          open=${changes.length === 1}
                        />`,
                    )}
                  </ul>
                  ${
                    answer.data?.next &&
                    html`<footer class="small quiet">${t("compare.more", { n: changes.length })}</footer>`
                  }`
    }
  </section>`;
}
