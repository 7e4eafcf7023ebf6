/** One file, large: its content, its facts, what can be done with it; arrows go to its neighbours. */
import { html } from "../vendor/preact.js";
import { contentAddress, kindOf, originAddress } from "../content.js";
import { moment, size, when } from "../format.js";
import { t } from "../language.js";
import { Dialog } from "../parts/dialog.js";
import { HashChip } from "../parts/hash-chip.js";
import { Icon } from "../parts/icon.js";
import { MenuButton } from "../parts/menu.js";
import { go, href } from "../route.js";
import { ReachWord } from "../files/reach-view.js";
import { share } from "../files/share-dialog.js";
import { Preview } from "./preview.js";

/** @import {Entry} from "../types.d.ts" */
/** @import {Item} from "../parts/menu.js" */

/**
 * @param {{entry: Entry, folder: Entry, neighbours: Entry[], show: (entry: Entry) => void, close: () => void, items:
 * Item[]}} props
 */
export function PreviewDialog({ entry, folder, neighbours, show, close, items }) {
  const at = neighbours.findIndex((candidate) => candidate.path === entry.path);
  const before = neighbours[at - 1];
  const after = neighbours[at + 1];
  /** @param {KeyboardEvent} event */
  const step = (event) => {
    if (/** @type {HTMLElement} */ (event.target).closest("video, audio, input, .lines, pre")) return;
    const to = { ArrowLeft: before, ArrowRight: after }[event.key];
    if (to) show(to);
  };
  return html`<${Dialog} title=${entry.name} close=${close} kind="broad preview">
    <div class="preview-body" onKeyDown=${step}>
      <div class="preview-content" key=${entry.cid}>
        <${Preview} entry=${entry} base=${`${contentAddress(folder.cid)}/`} />
      </div>
      <div class="preview-side">
        <dl class="facts">
          <dt>${t("files.size")}</dt>
          <dd>${size(entry.size)}</dd>
          ${
            entry.modified &&
            html`<dt>${t("files.changed")}</dt>
              <dd title=${moment(entry.modified)}>${when(entry.modified)}</dd>`
          }
          <dt>${t("files.address")}</dt>
          <dd><${HashChip} hash=${entry.cid} name=${entry.name} /></dd>
          <dt>${t("reach.heading")}</dt>
          <dd><${ReachWord} what=${{ path: entry.path }} name=${entry.name} /></dd>
          ${
            entry.type &&
            html`<dt>${t("files.type")}</dt>
              <dd class="small">${entry.type}</dd>`
          }
        </dl>
        <div class="preview-actions">
          <button type="button" class="first" data-first onClick=${() => share({ path: entry.path })}>
            <${Icon} name="share" />${t("action.share")}
          </button>
          <a class="button" href=${contentAddress(entry.cid, { filename: entry.name, download: true })}
            ><${Icon} name="download" />${t("action.download")}</a
          >
          <a
            class="button"
            href=${originAddress(entry.cid, { filename: entry.name })}
            target="_blank"
            rel="noreferrer noopener"
            ><${Icon} name="open" />${t(kindOf(entry) === "page" ? "preview.openPage" : "action.open")}</a
          >
          <button type="button" onClick=${() => go(href("history", entry.path))}>
            <${Icon} name="history" />${t("nav.history")}
          </button>
          <${MenuButton}
            label=${t("files.menuOf", { name: entry.name })}
            name=${entry.name}
            items=${() => items}
            words=${t("action.more")}
          />
        </div>
        ${
          neighbours.length > 1 &&
          html`<div class="row spread">
            <button type="button" class="plain small" disabled=${!before} onClick=${() => before && show(before)}>
              <${Icon} name="left" />${t("preview.before")}
            </button>
            <button type="button" class="plain small" disabled=${!after} onClick=${() => after && show(after)}>
              ${t("preview.after")}<${Icon} name="right" />
            </button>
          </div>`
        }
      </div>
    </div>
  <//>`;
}
