/**
 * Where the bytes of content are: on the gateway's origin, never on the page's own. And what kind of thing a file is to
 * a person.
 */
import { node } from "./events.js";

/** @import {Entry} from "./types.d.ts" */

/** @param {string} template @param {string} cid @param {{filename?: string, download?: boolean}} options */
function fill(template, cid, { filename, download }) {
  const query = new URLSearchParams();
  if (filename) query.set("filename", filename);
  if (download) query.set("download", "true");
  return template.replace("{cid}", cid) + (query.size ? `?${query}` : "");
}

/**
 * For `<img>`, `<video>`, `<audio>` and `fetch`: nothing that can run.
 * @param {string} cid @param {{filename?: string, download?: boolean}} [options]
 */
export const contentAddress = (cid, options = {}) => fill(node.value?.gateway.path ?? "", cid, options);

/**
 * For what can run or be opened as a page: an origin of its own. A CID in base58 cannot be a host name; the gateway
 * redirects it.
 * @param {string} cid @param {{filename?: string, download?: boolean}} [options]
 */
export const originAddress = (cid, options = {}) =>
  cid.startsWith("Qm") ? contentAddress(cid, options) : fill(node.value?.gateway.subdomain ?? "", cid, options);

/**
 * @typedef {"folder" | "picture" | "video" | "audio" | "markdown" | "text" | "pdf" | "page" | "archive" | "link" |
 * "file"} Kind
 */

const TEXT =
  /^(application\/(json|xml|javascript|x-sh|x-python|toml|yaml|x-yaml|sql|x-httpd-php|ld\+json)|.*\+json|.*\+xml)$/;
const TEXT_ENDINGS = new Set(
  (
    "txt text log csv tsv json jsonl ndjson toml yaml yml ini conf cfg env py pyi rs go c h cc cpp hpp js mjs cjs ts tsx " +
    "jsx css scss sh bash zsh fish sql lua rb java kt swift php pl r tex bib rst adoc diff patch srt vtt lock gitignore"
  ).split(" "),
);
const TEXT_NAMES = /^(readme|licen[cs]e|copying|makefile|dockerfile|changelog|authors|notice)$/i;
const ARCHIVE = /\.(zip|tar|gz|tgz|xz|zst|bz2|7z|rar|car|jar|deb|rpm)$/i;

/** @param {string} name */
const endingOf = (name) => name.slice(name.lastIndexOf(".") + 1).toLowerCase();

/** @param {Pick<Entry, "name" | "kind" | "type">} entry @returns {Kind} */
export function kindOf({ name, kind, type }) {
  if (kind === "directory") return "folder";
  if (kind === "symlink") return "link";
  const mime = (type ?? "").split(";", 1)[0];
  if (mime === "text/markdown" || /\.(md|markdown)$/i.test(name)) return "markdown";
  if (mime === "text/html" || mime === "application/xhtml+xml") return "page";
  if (mime === "application/pdf") return "pdf";
  if (mime.startsWith("image/")) return "picture";
  if (mime.startsWith("video/")) return /\.(ts|mts)$/i.test(name) ? "text" : "video";
  if (mime.startsWith("audio/")) return "audio";
  if (ARCHIVE.test(name)) return "archive";
  if (mime.startsWith("text/") || TEXT.test(mime) || TEXT_NAMES.test(name) || TEXT_ENDINGS.has(endingOf(name)))
    return "text";
  return "file";
}
