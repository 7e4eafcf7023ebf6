/**
 * The buttons of the files page: adding, how files are shown, what to do with the selection, and what to do when there
 * is nothing.
 */
import { html } from "../vendor/preact.js";
import { size } from "../format.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";
import { Icon } from "../parts/icon.js";
import { openMenu } from "../parts/menu.js";
import { order, sort, view } from "../preferences.js";
import { go, href } from "../route.js";
import { choose } from "./actions.js";
import { share } from "./share-dialog.js";

/** @import {Entry} from "../types.d.ts" */
/** @import {Sort} from "../preferences.js" */
/** @import {Asked} from "./file-menu.js" */

/** @param {{folder: string}} props */
export function AddButtons({ folder }) {
  /** @param {MouseEvent} event */
  const more = (event) =>
    openMenu(event, t("files.add"), [
      { label: t("files.addFiles"), icon: "file", run: () => choose("files", folder) },
      { label: t("files.addFolder"), icon: "folder", run: () => choose("folder", folder) },
      "line",
      { label: t("files.addByAddress"), icon: "link", run: () => go(href("files", folder, { ask: "keep" })) },
    ]);
  return html`<button type="button" onClick=${() => go(href("files", folder, { ask: "folder" }))}>
      <${Icon} name="folderPlus" /><span class="wide">${t("files.newFolder")}</span
      ><span class="narrow unseen">${t("files.newFolder")}</span>
    </button>
    <button type="button" class="first" aria-haspopup="menu" onClick=${more}>
      <${Icon} name="plus" />${t("files.add")}
    </button>`;
}

export function ViewButtons() {
  /** @param {MouseEvent} event */
  const sorts = (event) =>
    openMenu(
      event,
      t("files.sort"),
      /** @type {[Sort, string][]} */ ([
        ["name", t("files.name")],
        ["size", t("files.size")],
        ["modified", t("files.changed")],
        ["type", t("files.type")],
      ]).map(([name, label]) => ({
        label,
        icon: sort.value === name ? "check" : order.value === "asc" ? "up" : "down",
        run: () => {
          if (sort.value === name) order.value = order.value === "asc" ? "desc" : "asc";
          sort.value = name;
        },
      })),
    );
  return html`<span class="row views">
    <button
      type="button"
      class=${view.value === "grid" ? "plain square small" : "plain square small narrow"}
      aria-haspopup="menu"
      aria-label=${t("files.sort")}
      title=${t("files.sort")}
      onClick=${sorts}
    >
      <${Icon} name=${order.value === "asc" ? "up" : "down"} />
    </button>
    <span class="segments" role="group" aria-label=${t("files.view")}>
      <button
        type="button"
        class="square"
        aria-pressed=${view.value === "list"}
        aria-label=${t("files.asList")}
        title=${t("files.asList")}
        onClick=${() => {
          view.value = "list";
        }}
      >
        <${Icon} name="list" />
      </button>
      <button
        type="button"
        class="square"
        aria-pressed=${view.value === "grid"}
        aria-label=${t("files.asGrid")}
        title=${t("files.asGrid")}
        onClick=${() => {
          view.value = "grid";
        }}
      >
        <${Icon} name="grid" /></button></span
  ></span>`;
}

/**
 * @param {{selected: Entry[], clear: () => void, ask: (asked: Asked) => void, remove: (paths: string[]) => void}} props
 */
export function SelectionBar({ selected, clear, ask, remove }) {
  const paths = selected.map((entry) => entry.path);
  return html`<div class="bar selection" role="toolbar" aria-label=${t("files.selection")}>
    <button type="button" class="plain square small" aria-label=${t("files.clear")} onClick=${clear}>
      <${Icon} name="close" />
    </button>
    <b class="grow" aria-live="polite"
      >${t("files.selected", { n: selected.length })}<small class="quiet"
        >${" · "}${size(selected.reduce((sum, entry) => sum + entry.size, 0))}</small
      ></b
    >
    ${
      selected.length === 1 &&
      html`<button type="button" class="small" onClick=${() => share({ path: paths[0] })}>
        <${Icon} name="share" /><span class="wide">${t("action.share")}</span>
      </button>`
    }
    <button type="button" class="small" aria-label=${t("action.move")} onClick=${() => ask({ what: "move", paths })}>
      <${Icon} name="move" /><span class="wide">${t("action.move")}</span>
    </button>
    <button type="button" class="small danger" aria-label=${t("action.delete")} onClick=${() => remove(paths)}>
      <${Icon} name="trash" /><span class="wide">${t("action.delete")}</span>
    </button>
  </div>`;
}

/** @param {{searching: boolean, query: string, folder: string}} props */
export function Nothing({ searching, query, folder }) {
  if (searching)
    return html`<${EmptyState}
      title=${t("files.notFound", { query: query.trim() })}
      text=${t("files.notFoundText")}
    />`;
  return html`<${EmptyState}
    title=${t(folder === "/" ? "files.empty" : "files.emptyFolder")}
    text=${t("files.emptyText")}
  >
    <button type="button" class="first" onClick=${() => choose("folder", folder)}>${t("files.chooseFolder")}</button>
    <button type="button" onClick=${() => choose("files", folder)}>${t("files.chooseFiles")}</button><//
  >`;
}
