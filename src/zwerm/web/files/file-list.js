/** The files of a folder as rows: name, address, size, time. Arrow keys walk the names, Space selects, Enter opens. */
import { html } from "../vendor/preact.js";
import { contentAddress, kindOf } from "../content.js";
import { moment, size, when } from "../format.js";
import { t } from "../language.js";
import { HashChip } from "../parts/hash-chip.js";
import { Icon } from "../parts/icon.js";
import { MenuButton, openMenu } from "../parts/menu.js";
import { order, sort } from "../preferences.js";
import { href } from "../route.js";

/** @import {Entry} from "../types.d.ts" */
/** @import {Item} from "../parts/menu.js" */
/** @import {Sort} from "../preferences.js" */

/**
 * @typedef {object} ListProps
 * @property {Entry[]} entries
 * @property {Set<string>} selected paths
 * @property {(path: string, more: {range: boolean}) => void} select
 * @property {(entry: Entry) => string} address where a click on a name goes
 * @property {(entry: Entry) => Item[]} items the menu of a row
 * @property {(paths: string[], folder: string) => void} move a drop of rows on a folder
 * @property {boolean} [places] whether each row says which folder it is in (search)
 */

/** Dragging rows carries their paths under this type. */
const PATHS = "application/x-zwerm-paths";

/** @param {DragEvent} event @returns {string[]} */
export const draggedPaths = (event) => {
  const data = event.dataTransfer?.getData(PATHS);
  return data ? JSON.parse(data) : [];
};

/** @param {DragEvent} event */
export const dragsPaths = (event) => event.dataTransfer?.types.includes(PATHS) ?? false;

/**
 * What a row or tile listens to, so that it can be dragged, and dropped on when it is a folder.
 * @param {Entry} entry @param {ListProps} list
 */
export function dragging(entry, { selected, move }) {
  const folder = entry.kind === "directory";
  return {
    draggable: true,
    /** @param {DragEvent} event */
    onDragStart(event) {
      const paths = selected.has(entry.path) ? [...selected] : [entry.path];
      event.dataTransfer?.setData(PATHS, JSON.stringify(paths));
      event.dataTransfer?.setData("text/uri-list", contentAddress(entry.cid, { filename: entry.name }));
    },
    /** @param {DragEvent} event */
    onDragOver(event) {
      if (!folder || !dragsPaths(event)) return;
      event.preventDefault();
      /** @type {HTMLElement} */ (event.currentTarget).classList.add("target");
    },
    /** @param {DragEvent} event */
    onDragLeave(event) {
      /** @type {HTMLElement} */ (event.currentTarget).classList.remove("target");
    },
    /** @param {DragEvent} event */
    onDrop(event) {
      /** @type {HTMLElement} */ (event.currentTarget).classList.remove("target");
      const paths = draggedPaths(event).filter((path) => path !== entry.path);
      if (!folder || paths.length === 0) return;
      event.preventDefault();
      event.stopPropagation();
      move(paths, entry.path);
    },
  };
}

/** @param {{entry: Entry}} props */
export function FileIcon({ entry }) {
  const kind = kindOf(entry);
  return html`<span class=${`file-icon ${kind}`}><${Icon} name=${kind === "markdown" ? "text" : kind} /></span>`;
}

/** @param {{name: Sort, label: string, numeric?: boolean, kind?: string}} props */
function Column({ name, label, kind = "" }) {
  const active = sort.value === name;
  const turn = () => {
    if (active) order.value = order.value === "asc" ? "desc" : "asc";
    else {
      sort.value = name;
      order.value = name === "name" ? "asc" : "desc";
    }
  };
  return html`<th
    class=${kind}
    scope="col"
    aria-sort=${active ? (order.value === "asc" ? "ascending" : "descending") : null}
  >
    <button type="button" class=${active ? "sorter active" : "sorter"} onClick=${turn}>
      ${label}<${Icon} name=${order.value === "asc" ? "up" : "down"} />
    </button>
  </th>`;
}

/** Arrow keys move between the names of a list or grid. @param {KeyboardEvent} event */
export function walkNames(event) {
  const links = [.../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll("a.name")];
  const at = links.indexOf(/** @type {Element} */ (document.activeElement));
  const wide = /** @type {HTMLElement} */ (event.currentTarget).dataset.grid
    ? columnsOf(/** @type {HTMLElement[]} */ (links))
    : 1;
  const steps = {
    ArrowDown: at + wide,
    ArrowUp: at - wide,
    ArrowRight: wide > 1 ? at + 1 : NaN,
    ArrowLeft: wide > 1 ? at - 1 : NaN,
    Home: 0,
    End: links.length - 1,
  };
  const to = steps[/** @type {keyof typeof steps} */ (event.key)];
  if (at < 0 || !(to >= 0 && to < links.length)) return;
  event.preventDefault();
  /** @type {HTMLElement} */ (links[to]).focus();
}

/** How many tiles stand beside each other. @param {HTMLElement[]} links */
function columnsOf(links) {
  const top = links[0]?.getBoundingClientRect().top;
  const next = links.findIndex((link) => link.getBoundingClientRect().top !== top);
  return next < 0 ? links.length : next;
}

/** @param {ListProps} props */
export function FileList(props) {
  const { entries, selected, select, address, items, places } = props;
  return html`<table class="files" onKeyDown=${walkNames}>
    <thead>
      <tr>
        <th class="pick"><span class="unseen">${t("files.select")}</span></th>
        <${Column} name="name" label=${t("files.name")} />
        <th class="wide" scope="col">${t("files.address")}</th>
        <${Column} name="size" label=${t("files.size")} kind="num" />
        <${Column} name="modified" label=${t("files.changed")} kind="num wide" />
        <th class="act"><span class="unseen">${t("files.actions")}</span></th>
      </tr>
    </thead>
    <tbody>
      ${entries.map((entry) => {
        const chosen = selected.has(entry.path);
        return html`<tr
          key=${entry.path}
          class=${chosen ? "chosen" : ""}
          ...${dragging(entry, props)}
          onContextMenu=${(/** @type {MouseEvent} */ event) => openMenu(event, entry.name, items(entry))}
        >
          <td class="pick">
            <input
              type="checkbox"
              checked=${chosen}
              aria-label=${t("files.selectOne", { name: entry.name })}
              onClick=${(/** @type {MouseEvent} */ event) => select(entry.path, { range: event.shiftKey })}
            />
          </td>
          <td class="what">
            <a class="name" data-path=${entry.path} href=${address(entry)}
              ><${FileIcon} entry=${entry} /><span class="words"
                ><span class="title"
                  >${entry.name}${
                    entry.kind === "symlink" && html`<small class="quiet">${` → ${entry.target}`}</small>`
                  }</span
                >
                <small class="narrow quiet"
                  >${size(entry.size)}${entry.modified ? ` · ${when(entry.modified)}` : ""}</small
                ></span
              ></a
            >
            ${
              places &&
              html`<a
                class="place small quiet"
                href=${href("files", entry.path.slice(0, entry.path.lastIndexOf("/") + 1))}
                >${t("files.in", { folder: entry.path.slice(0, entry.path.lastIndexOf("/") + 1) })}</a
              >`
            }
          </td>
          <td class="wide"><${HashChip} hash=${entry.cid} name=${entry.name} /></td>
          <td class="num quiet wide">${size(entry.size)}</td>
          <td class="num quiet wide">
            <time datetime=${entry.modified} title=${moment(entry.modified)}>${when(entry.modified)}</time>
          </td>
          <td class="act">
            <${MenuButton}
              label=${t("files.menuOf", { name: entry.name })}
              name=${entry.name}
              items=${() => items(entry)}
            />
          </td>
        </tr>`;
      })}
    </tbody>
  </table>`;
}
