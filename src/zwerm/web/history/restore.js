/** Bringing something back as it was: a new version like the old one, so that this too can be undone. */
import { post, read } from "../api.js";
import { filesChanged } from "../events.js";
import { lastName } from "../format.js";
import { t } from "../language.js";
import { notify, notifyFailure } from "../parts/notices.js";

/** @import {Change, Version} from "../types.d.ts" */

/** @param {string} path @param {string} version */
export async function restore(path, version) {
  const what = path === "/" ? t("restore.everything") : `“${lastName(path)}”`;
  try {
    const { versions } = /** @type {{versions: Version[]}} */ (await read("history", { path: "/", limit: 1 }));
    const now = versions[0].version;
    const done = /** @type {Change} */ (await post("history/restore", { path, version }));
    filesChanged();
    if (done.version === null || done.version === now) {
      notify(t("restore.same", { what }));
      return;
    }
    notify(t("restore.done", { what }), { label: t("action.undo"), run: () => void undo(path, now) });
  } catch (error) {
    notifyFailure(error);
  }
}

/** @param {string} path @param {string} version */
async function undo(path, version) {
  try {
    await post("files/undo", { version, paths: [path] });
    filesChanged();
  } catch (error) {
    notifyFailure(error);
  }
}
