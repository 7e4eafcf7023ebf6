/** What can be done with files, each with its notice and its way back. Every call makes one version. */
import { post, read } from "../api.js";
import { filesChanged } from "../events.js";
import { below, count, lastName, parentOf, size } from "../format.js";
import { t } from "../language.js";
import { notify, notifyFailure } from "../parts/notices.js";
import { go, href } from "../route.js";
import { gatherChosen, gatherDropped, upload } from "../uploads.js";

/** @import {Change, Entry} from "../types.d.ts" */
/** @import {Gathered} from "../uploads.js" */

/** What a list of paths is called in a sentence. @param {string[]} paths */
const named = (paths) => (paths.length === 1 ? `“${lastName(paths[0])}”` : t("files.things", { n: paths.length }));

/**
 * Run one change; say what failed. Returns null then.
 * @param {string} name @param {unknown} body @returns {Promise<Change | null>}
 */
async function change(name, body) {
  try {
    const done = await post(`files/${name}`, body);
    filesChanged();
    return done;
  } catch (error) {
    notifyFailure(error);
    return null;
  }
}

/** @param {string[]} paths */
export async function deletePaths(paths) {
  const done = await change("delete", { paths });
  if (!done) return false;
  notify(t("files.deleted", { what: named(paths), n: paths.length }), {
    label: t("action.undo"),
    run: async () => {
      if (await change("undo", { version: done.undo, paths }))
        notify(t("files.back", { what: named(paths), n: paths.length }));
    },
  });
  return true;
}

/** @param {string} path @param {string} name */
export async function renamePath(path, name) {
  const to = below(parentOf(path), name);
  await post("files/move", { from: [path], to });
  filesChanged();
  notify(t("files.renamed", { from: `“${lastName(path)}”`, to: `“${name}”` }), {
    label: t("action.undo"),
    run: () => void change("move", { from: [to], to: path }),
  });
}

/** @param {string[]} paths @param {string} folder @returns {Promise<boolean>} */
export async function movePaths(paths, folder) {
  const done = await change("move", { from: paths, to: folder });
  if (!done) return false;
  const there = paths.map((path) => below(folder, lastName(path)));
  notify(t("files.moved", { what: named(paths), n: paths.length, folder: folderName(folder) }), {
    label: t("action.undo"),
    run: () => void change("move", { from: there, to: parentOf(paths[0]) }),
  });
  return true;
}

/** @param {string[]} paths @param {string} folder @returns {Promise<boolean>} */
export async function copyPaths(paths, folder) {
  const done = await change("copy", { from: paths, to: folder });
  if (!done) return false;
  notify(t("files.copied", { what: named(paths), n: paths.length, folder: folderName(folder) }));
  return true;
}

/** @param {string} folder */
export const folderName = (folder) => `“${folder === "/" ? t("nav.files") : lastName(folder)}”`;

/** @param {string} path @throws {import("../api.js").Failure} */
export async function makeFolder(path) {
  await post("files/mkdir", { path });
  filesChanged();
}

/** @param {string} cid @param {string} to @throws {import("../api.js").Failure} */
export async function keepContent(cid, to) {
  await post("files/keep", { path: cid.startsWith("/") ? cid : `/ipfs/${cid.replace(/^ipfs:\/\//, "")}`, to });
  filesChanged();
}

/** @param {Gathered | Promise<Gathered>} gathering @param {string} folder */
async function add(gathering, folder) {
  const change = await upload(gathering, folder, (names) =>
    names.length === 1 ? names[0] : t("files.things", { n: names.length }),
  );
  if (!change?.entries) return;
  const [only] = change.entries;
  const text =
    change.entries.length === 1
      ? t("files.addedOne", { name: `“${only.name}”`, size: size(only.size) })
      : t("files.addedMany", {
          n: change.files ?? change.entries.length,
          size: size(change.size ?? 0),
          count: count(change.entries.length),
        });
  notify(text, { label: t("action.show"), run: () => go(href("files", folder)) });
}

/** @param {DataTransfer} transfer @param {string} folder */
export const addDropped = (transfer, folder) => add(gatherDropped(transfer), folder);

/**
 * Let the person choose with the system's own dialog.
 * @param {"files" | "folder"} what @param {string} folder where they go
 */
export function choose(what, folder) {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  if (what === "folder") input.webkitdirectory = true;
  input.addEventListener("change", () => {
    if (input.files) void add(gatherChosen(input.files), folder);
  });
  input.click();
}

/**
 * The stat of a path now, for what needs more than a list's entry.
 * @param {string} path
 * @returns {Promise<import("../types.d.ts").Stat>}
 */
export const statOf = (path) => read("files/stat", { path });

/** @param {Entry} entry */
export const isFolder = (entry) => entry.kind === "directory";
