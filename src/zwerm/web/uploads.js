/**
 * Adding files and folders: what was dropped or chosen becomes one upload, and one upload becomes one version.
 * XMLHttpRequest, not fetch: only it tells how much has left. Stopping breaks the request off; the node then keeps the
 * files as they were.
 */
import { signal } from "./vendor/preact.js";
import { Failure, address, failureFrom, forgetSession, sessionHeaders } from "./api.js";
import { filesChanged } from "./events.js";
import { below } from "./format.js";
import { asFailure } from "./resource.js";

/** @import {Change} from "./types.d.ts" */

/** @typedef {{path: string, file: File}} Found a file and its path below the folder it goes to */
/** @typedef {{files: Found[], directories: string[]}} Gathered `directories` are the empty ones */
/**
 * @typedef {object} Upload
 * @property {number} id
 * @property {string} name
 * @property {number} files
 * @property {number} done bytes that have left
 * @property {number} total
 * @property {number} rate bytes per second, over the last three seconds
 * @property {"gathering" | "sending" | "failed"} state
 * @property {Failure | null} failure
 */

/** @type {import("./vendor/preact.js").Signal<Upload[]>} */
export const uploads = signal([]);

/** @type {Map<number, AbortController>} */
const stops = new Map();
let lastId = 0;

/** @param {number} id @param {Partial<Upload>} news */
function update(id, news) {
  uploads.value = uploads.value.map((upload) => (upload.id === id ? { ...upload, ...news } : upload));
}

/** @param {number} id */
export function dismissUpload(id) {
  uploads.value = uploads.value.filter((upload) => upload.id !== id);
  stops.delete(id);
}

/** @param {number} id */
export function stopUpload(id) {
  stops.get(id)?.abort();
  dismissUpload(id);
}

/**
 * Everything below what was dropped, folders too. Must be called while the drop event is handled: its items die with
 * it.
 * @param {DataTransfer} transfer
 * @returns {Promise<Gathered>}
 */
export function gatherDropped(transfer) {
  const roots = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null).filter((entry) => entry !== null);
  return gather(roots);
}

/** @param {FileSystemEntry[]} roots @returns {Promise<Gathered>} */
async function gather(roots) {
  /** @type {Gathered} */
  const found = { files: [], directories: [] };
  const waiting = roots.map((entry) => ({ entry, path: entry.name }));
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { entry, path } = next;
    if (entry.isFile)
      found.files.push({
        path,
        file: await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject)),
      });
    else {
      const children = await childrenOf(/** @type {FileSystemDirectoryEntry} */ (entry));
      if (children.length === 0) found.directories.push(path);
      waiting.push(...children.map((child) => ({ entry: child, path: `${path}/${child.name}` })));
    }
  }
  return found;
}

/**
 * A directory reader gives its entries in pieces, an empty one at the end.
 * @param {FileSystemDirectoryEntry} directory
 */
async function childrenOf(directory) {
  const reader = directory.createReader();
  const children = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const piece = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (piece.length === 0) return children;
    children.push(...piece);
  }
}

/** @param {FileList} list from an `<input type=file>`, with or without `webkitdirectory` @returns {Gathered} */
export const gatherChosen = (list) => ({
  files: [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file })),
  directories: [],
});

/** What an upload is called: the one thing at its top, or nothing when there are more. @param {Gathered} gathered */
function topNames({ files, directories }) {
  return [...new Set([...files.map(({ path }) => path), ...directories].map((path) => path.split("/", 1)[0]))];
}

/**
 * Send what was gathered into a folder.
 * @param {Gathered | Promise<Gathered>} gathering
 * @param {string} folder
 * @param {(names: string[]) => string} title the upload's name, from the names at its top
 * @returns {Promise<Change | null>} null when it was stopped, failed (its line in the tray says why) or there was
 * nothing
 */
export async function upload(gathering, folder, title) {
  lastId += 1;
  const id = lastId;
  const stop = new AbortController();
  stops.set(id, stop);
  uploads.value = [
    ...uploads.value,
    { id, name: title([]), files: 0, done: 0, total: 0, rate: 0, state: "gathering", failure: null },
  ];
  try {
    const gathered = await gathering;
    if (stop.signal.aborted) return null;
    const total = gathered.files.reduce((sum, { file }) => sum + file.size, 0);
    if (gathered.files.length + gathered.directories.length === 0) {
      dismissUpload(id);
      return null;
    }
    update(id, { name: title(topNames(gathered)), files: gathered.files.length, total, state: "sending" });
    const change = await send(id, gathered, folder, stop.signal);
    dismissUpload(id);
    filesChanged();
    return change;
  } catch (error) {
    if (!stop.signal.aborted) update(id, { state: "failed", failure: asFailure(error) });
    return null;
  }
}

/** @param {Gathered} gathered */
function formOf({ files, directories }) {
  const form = new FormData();
  for (const path of directories) form.append("directory", path);
  for (const { path, file } of files) form.append(`file:${encodeURIComponent(path)}`, file, file.name);
  return form;
}

/**
 * @param {number} id
 * @param {Gathered} gathered
 * @param {string} folder
 * @param {AbortSignal} stop
 * @returns {Promise<Change>}
 */
async function send(id, gathered, folder, stop) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await sendOnce(id, gathered, folder, stop, await sessionHeaders());
    } catch (error) {
      if (!(error instanceof Failure && error.code === "session") || attempt > 0) throw error;
      forgetSession();
    }
  }
}

/**
 * @param {number} id
 * @param {Gathered} gathered
 * @param {string} folder
 * @param {AbortSignal} stop
 * @param {Record<string, string>} headers
 * @returns {Promise<Change>}
 */
function sendOnce(id, gathered, folder, stop, headers) {
  const transport = new XMLHttpRequest();
  const seen = [{ at: performance.now(), done: 0 }];
  return new Promise((resolve, reject) => {
    transport.upload.onprogress = ({ loaded, total }) => {
      const now = performance.now();
      seen.push({ at: now, done: loaded });
      while (seen.length > 2 && now - seen[0].at > 3000) seen.shift();
      const elapsed = (now - seen[0].at) / 1000;
      update(id, { done: loaded, total, rate: elapsed > 0.3 ? (loaded - seen[0].done) / elapsed : 0 });
    };
    transport.onload = () => {
      if (transport.status < 300) resolve(JSON.parse(transport.responseText));
      else reject(failureFrom(transport.status, transport.responseText));
    };
    transport.onerror = () =>
      reject(
        new Failure(
          {
            code: "offline",
            what: `The connection broke while sending to ${below(folder, "")}.`,
            why: null,
            do: null,
            details: null,
          },
          0,
        ),
      );
    transport.onabort = () => reject(new DOMException("stopped", "AbortError"));
    stop.addEventListener("abort", () => transport.abort());
    transport.open("POST", address("files/upload", { path: folder }));
    for (const [name, value] of Object.entries(headers)) transport.setRequestHeader(name, value);
    transport.send(formOf(gathered));
  });
}
