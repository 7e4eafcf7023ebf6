/** The files of a folder as tiles, pictures as themselves. */
import { html } from "../vendor/preact.js";
import { contentAddress, kindOf } from "../content.js";
import { node } from "../events.js";
import { size, when } from "../format.js";
import { t } from "../language.js";
import { MenuButton, openMenu } from "../parts/menu.js";
import { FileIcon, dragging, walkNames } from "./file-list.js";

/** @import {Entry} from "../types.d.ts" */
/** @import {ListProps} from "./file-list.js" */

/** Pictures up to this size are shown whole in their tile. */
const SHOWN_UP_TO = 20_000_000;

/** @param {{entry: Entry}} props */
function Cover({ entry }) {
  if (node.value && kindOf(entry) === "picture" && entry.size <= SHOWN_UP_TO) {
    return html`<img
      src=${contentAddress(entry.cid, { filename: entry.name })}
      alt=""
      loading="lazy"
      decoding="async"
      draggable=${false}
    />`;
  }
  return html`<${FileIcon} entry=${entry} />`;
}

/** @param {ListProps} props */
export function FileGrid(props) {
  const { entries, selected, select, address, items } = props;
  return html`<ul class="tiles" data-grid="true" onKeyDown=${walkNames}>
    ${entries.map((entry) => {
      const chosen = selected.has(entry.path);
      return html`<li
        key=${entry.path}
        class=${chosen ? "tile chosen" : "tile"}
        ...${dragging(entry, props)}
        onContextMenu=${(/** @type {MouseEvent} */ event) => openMenu(event, entry.name, items(entry))}
      >
        <a class="name" data-path=${entry.path} href=${address(entry)}
          ><span class="cover"><${Cover} entry=${entry} /></span><span class="ellipsis title">${entry.name}</span></a
        >
        <small class="quiet ellipsis">${size(entry.size)}${entry.modified ? ` · ${when(entry.modified)}` : ""}</small>
        <input
          type="checkbox"
          checked=${chosen}
          aria-label=${t("files.selectOne", { name: entry.name })}
          onClick=${(/** @type {MouseEvent} */ event) => select(entry.path, { range: event.shiftKey })}
        />
        <${MenuButton}
          label=${t("files.menuOf", { name: entry.name })}
          name=${entry.name}
          items=${() => items(entry)}
        />
      </li>`;
    })}
  </ul>`;
}
