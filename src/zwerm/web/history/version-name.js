/** What a version is called: its message, or else what it did, in the language of the page. */
import { lastName } from "../format.js";
import { t } from "../language.js";

/** @import {Version} from "../types.d.ts" */

/** @param {string} name */
const quoted = (name) => `“${name}”`;

/**
 * A message a person wrote, or what the node writes for its own doings (restoring, undoing) in the page's language.
 * @param {string} message
 */
function messageName(message) {
  const restored = /^restore (\/.*) from \S+$/s.exec(message);
  if (restored)
    return t("version.restored", {
      what: restored[1] === "/" ? t("version.everything") : quoted(lastName(restored[1])),
    });
  return /^undo to \S+$/.test(message) ? t("version.undone") : message;
}

/** @param {Pick<Version, "message" | "change" | "touched" | "folder">} version @returns {string} */
export function versionName({ message, change, touched, folder }) {
  const own = messageName(message);
  if (own) return own;
  const total = change.added + change.changed + change.removed + change.renamed + change.more;
  const [first] = touched;
  if (!first) return t("history.noMessage");
  if (total === 1) {
    if (first.kind === "renamed" && first.source) {
      const moved = lastName(first.source) === lastName(first.path);
      return moved
        ? t("version.moved", { what: quoted(lastName(first.path)) })
        : t("version.renamed", { from: quoted(lastName(first.source)), to: quoted(lastName(first.path)) });
    }
    const what = quoted(lastName(first.path));
    return first.kind === "added"
      ? t("version.added", { what })
      : first.kind === "removed"
        ? t("version.removed", { what })
        : t("version.changed", { what });
  }
  const top = [...touched].sort((a, b) => a.path.length - b.path.length)[0];
  if (
    total === touched.length &&
    touched.every(({ kind, path }) => kind === top.kind && `${path}/`.startsWith(`${top.path}/`))
  ) {
    return versionName({
      message,
      touched: [top],
      folder,
      change: { added: 0, changed: 0, removed: 0, renamed: 0, more: 1 },
    });
  }
  const things =
    folder === "/"
      ? t("files.things", { n: total })
      : t("version.thingsIn", { n: total, folder: quoted(lastName(folder)) });
  if (change.more === 0 && change.added === total) return t("version.added", { what: things });
  if (change.more === 0 && change.removed === total) return t("version.removed", { what: things });
  if (change.more === 0 && change.renamed === total) return t("version.moved", { what: things });
  return t("version.changed", { what: things });
}
