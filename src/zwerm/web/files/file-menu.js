/** What can be done with one file or folder, as its menu offers it. */
import { contentAddress, originAddress } from "../content.js";
import { t } from "../language.js";
import { go, href } from "../route.js";
import { isFolder } from "./actions.js";
import { showReach } from "./reach-view.js";
import { share } from "./share-dialog.js";

/** @import {Entry} from "../types.d.ts" */
/** @import {Item} from "../parts/menu.js" */

/** What the page asks the person for next. */
/**
 * @typedef {{what: "rename", entry: Entry} | {what: "move", paths: string[]} | {what: "folder"} | {what: "keep"} |
 * null} Asked
 */

/** @param {{entry: Entry, ask: (asked: Asked) => void, remove: (paths: string[]) => void}} about @returns {Item[]} */
export function itemsOf({ entry, ask, remove }) {
  /** @type {Item[]} */
  const items = [{ label: t("action.share"), icon: "share", run: () => share({ path: entry.path }) }];
  if (isFolder(entry)) {
    items.push({
      label: t("files.openPage"),
      icon: "open",
      run: () => void open(`${originAddress(entry.cid)}`, "_blank", "noreferrer"),
    });
    items.push({
      label: t("files.downloadTar"),
      icon: "download",
      run: () =>
        location.assign(
          `${contentAddress(entry.cid)}?format=tar&download=true&filename=${encodeURIComponent(`${entry.name}.tar`)}`,
        ),
    });
  } else
    items.push({
      label: t("action.download"),
      icon: "download",
      run: () => location.assign(contentAddress(entry.cid, { filename: entry.name, download: true })),
    });
  items.push(
    { label: t("nav.history"), icon: "history", run: () => go(href("history", entry.path)) },
    { label: t("files.explore"), icon: "graph", run: () => go(href("explore", entry.cid)) },
    { label: t("reach.menu"), icon: "swarm", run: () => showReach({ path: entry.path }, entry.name) },
    "line",
    { label: t("action.rename"), icon: "rename", key: "F2", run: () => ask({ what: "rename", entry }) },
    { label: t("action.move"), icon: "move", key: "M", run: () => ask({ what: "move", paths: [entry.path] }) },
    "line",
    { label: t("action.delete"), icon: "trash", danger: true, key: "Del", run: () => remove([entry.path]) },
  );
  return items;
}
