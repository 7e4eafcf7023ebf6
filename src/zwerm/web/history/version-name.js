/** What a version is called: its message, or else what it did, in the language of the page. */
import { lastName } from "../format.js";
import { t } from "../language.js";

/** @import {Version} from "../types.d.ts" */

/** @param {string} name */
const quoted = (name) => `“${name}”`;

/** @param {Version} version */
export function versionName({ message, change, touched, folder }) {
  if (message) return message;
  const total = change.added + change.changed + change.removed + change.renamed + change.more;
  const [first] = touched;
  if (!first) return t("history.noMessage");
  if (total === 1) {
    if (first.kind === "renamed" && first.source) {
      const moved = lastName(first.source) === lastName(first.path);
      return moved ? t("version.moved", { what: quoted(lastName(first.path)) }) : t("version.renamed", { from: quoted(lastName(first.source)), to: quoted(lastName(first.path)) });
    }
    const what = quoted(lastName(first.path));
    return first.kind === "added" ? t("version.added", { what }) : first.kind === "removed" ? t("version.removed", { what }) : t("version.changed", { what });
  }
  const things = folder === "/" ? t("files.things", { n: total }) : t("version.thingsIn", { n: total, folder: quoted(lastName(folder)) });
  if (change.more === 0 && change.added === total) return t("version.added", { what: things });
  if (change.more === 0 && change.removed === total) return t("version.removed", { what: things });
  if (change.more === 0 && change.renamed === total) return t("version.moved", { what: things });
  return t("version.changed", { what: things });
}
