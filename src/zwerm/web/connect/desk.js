/**
 * The files of a conversation, both ways, across its links. What arrives is kept by this page, in pieces that the browser
 * may put on the disk, until the person saves it.
 */
import { signal } from "../vendor/preact.js";
import { hex } from "./code.js";
import { Sha256 } from "./sha256.js";
import { TransferSession } from "./transfer.js";

/** @typedef {import("./transfer.js").Reason} Reason */
/** @typedef {"preparing" | "offered" | "moving" | "waiting" | "done" | "ended"} FileState */
/**
 * @typedef {object} FileEntry
 * @property {number} number
 * @property {"in" | "out"} way
 * @property {string} name
 * @property {number} size
 * @property {FileState} state
 * @property {number} moved bytes that are safe at the receiver; while preparing, bytes that were read
 * @property {number} began when it began to move, in milliseconds
 * @property {number} from bytes that were there then
 * @property {Reason} reason
 * @property {string} sha256 hex
 * @property {number} id on the present link
 * @property {boolean} wanted accepted once, so it goes on by itself
 */

const HIGH = 1 << 20; // bytes in the channel's buffer at which reading stops
const LOW = 1 << 18;
const MAX_ENTRIES = 1_000; // files that are remembered; the oldest that ended are forgotten
const PIECE = 1 << 20; // bytes hashed or gathered at a time

/** @type {import("../vendor/preact.js").Signal<FileEntry[]>} */
export const files = signal([]);

/** @type {Map<number, File>} */
const sources = new Map();
/** What has come of a file. @type {Map<number, {pieces: Blob[], waiting: Uint8Array[], size: number, digest: Sha256}>} */
const kept = new Map();
/** @type {TransferSession | null} */
let session = null;
/** @type {RTCDataChannel | null} */
let channel = null;
let lastNumber = 0;
let sending = false;

/** @param {string} text */
const bytes = (text) => new Uint8Array((text.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
/** @param {FileEntry} entry */
const over = ({ state }) => state === "done" || state === "ended";

/** @param {number} number */
const find = (number) => files.value.find((entry) => entry.number === number);

/** @param {number} number @param {Partial<FileEntry>} news */
function update(number, news) {
  files.value = files.value.map((entry) => (entry.number === number ? { ...entry, ...news } : entry));
}

/** @param {Pick<FileEntry, "way" | "name" | "size" | "state"> & Partial<FileEntry>} entry */
function add(entry) {
  lastNumber += 1;
  const fresh = { number: lastNumber, moved: 0, began: 0, from: 0, sha256: "", id: 0, wanted: false, ...entry };
  const oldest = files.value.length < MAX_ENTRIES ? undefined : files.value.find(({ state }) => state === "ended");
  const before = files.value.filter((known) => known !== oldest);
  files.value = [...before, { reason: /** @type {Reason} */ ("unknown"), ...fresh }];
  return lastNumber;
}

/** @param {number} number @param {Reason} reason */
function end(number, reason) {
  update(number, { state: "ended", reason });
}

/**
 * Begin on a new link; what was not over is offered again.
 * @param {RTCDataChannel} opened @param {MessageEvent[]} early what came on it already
 */
export function attach(opened, early) {
  session = new TransferSession();
  channel = opened;
  opened.bufferedAmountLowThreshold = LOW;
  opened.onbufferedamountlow = () => void sendAll();
  const hear = (/** @type {MessageEvent} */ { data }) => {
    if (data instanceof ArrayBuffer) session?.receive(data);
    drain();
  };
  opened.onmessage = hear;
  early.forEach(hear);
  for (const entry of files.value) if (entry.way === "out" && !over(entry) && entry.state !== "preparing") offer(entry);
  drain();
}

/** The link is gone; what was moving waits for the next one. */
export function detach() {
  session = channel = null;
  files.value = files.value.map((entry) => {
    if (over(entry) || entry.state === "preparing") return entry;
    if (entry.way === "out" || entry.wanted) return { ...entry, state: "waiting" };
    return { ...entry, state: "ended", reason: "stopped" };
  });
}

/** Offer files, now or on the next link. @param {Iterable<File>} chosen */
export async function send(chosen) {
  const numbers = [...chosen].map((file) => {
    const number = add({ way: "out", name: file.name, size: file.size, state: "preparing" });
    sources.set(number, file);
    return number;
  });
  for (const number of numbers) await prepare(number);
}

/** @param {number} number */
async function prepare(number) {
  const file = /** @type {File} */ (sources.get(number));
  const digest = new Sha256();
  try {
    for (let at = 0; at < file.size; at += PIECE) {
      digest.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
      if (find(number)?.state !== "preparing") return;
      update(number, { moved: Math.min(file.size, at + PIECE) });
    }
  } catch {
    end(number, "cannotRead");
    return;
  }
  if (find(number)?.state !== "preparing") return;
  update(number, { sha256: hex(digest.digest()), moved: 0, state: "waiting" });
  const entry = find(number);
  if (entry && session) offer(entry);
  drain();
}

/** @param {FileEntry} entry */
function offer(entry) {
  if (!session) return;
  const id = session.offer(entry.name, entry.size, bytes(entry.sha256));
  update(entry.number, { id, state: "offered" });
}

/** Take a file that is offered. @param {number} number */
export function accept(number) {
  const entry = find(number);
  if (!entry || !session) return;
  const part = kept.get(number) ?? { pieces: [], waiting: [], size: 0, digest: new Sha256() };
  kept.set(number, part);
  update(number, { wanted: true, state: "moving", moved: part.size, from: part.size, began: performance.now() });
  session.accept(entry.id, part.size);
  drain();
}

/** Do not take an offer, or stop a file on its way. @param {number} number */
export function stop(number) {
  const entry = find(number);
  if (!entry || over(entry)) return;
  const reason = entry.way === "in" && entry.state === "offered" ? "declined" : "stopped";
  if (entry.way === "out") session?.cancel(entry.id, reason);
  else session?.refuse(entry.id, reason);
  end(number, reason);
  drain();
}

/** What arrived, as one thing to save. @param {number} number */
export const whole = (number) => new Blob(kept.get(number)?.pieces ?? []);

/** Take a line out of the list; what arrived under it is gone. @param {number} number */
export function forget(number) {
  files.value = files.value.filter((entry) => entry.number !== number);
  sources.delete(number);
  kept.delete(number);
}

function drain() {
  if (!session || !channel) return;
  for (let event = session.nextEvent(); event; event = session.nextEvent()) take(event);
  for (
    let message = session?.nextMessage();
    message && channel?.readyState === "open";
    message = session?.nextMessage()
  )
    channel.send(/** @type {any} */ (message));
  void sendAll();
}

async function sendAll() {
  if (sending) return;
  sending = true;
  try {
    for (;;) {
      const mine = session;
      const read = channel && channel.bufferedAmount < HIGH ? mine?.nextRead() : null;
      if (!mine || !read) return;
      const entry = files.value.find(({ way, id, state }) => way === "out" && id === read.id && state === "moving");
      const file = entry && sources.get(entry.number);
      if (!entry || !file) {
        mine.cancel(read.id, "stopped");
        continue;
      }
      try {
        const data = new Uint8Array(await file.slice(read.offset, read.offset + read.size).arrayBuffer());
        mine.provide(read.id, data);
      } catch {
        mine.cancel(read.id, "changed"); // the browser refuses to read a file that was written to
        end(entry.number, "changed");
      }
      for (let message = mine.nextMessage(); message && channel?.readyState === "open"; message = mine.nextMessage())
        channel.send(/** @type {any} */ (message));
    }
  } finally {
    sending = false;
  }
}

/** @param {import("./transfer.js").TransferEvent} event */
function take(event) {
  if (event.type === "broken") {
    for (const entry of files.value) if (!over(entry)) end(entry.number, "unknown");
    return;
  }
  if (event.type === "offered") {
    takeOffer(event);
    return;
  }
  const way = ["chunk", "arrived", "receivingEnded"].includes(event.type) ? "in" : "out";
  const entry = files.value.find((one) => one.way === way && one.id === event.id && !over(one));
  if (!entry) return;
  const { number } = entry;
  if (event.type === "chunk") keep(entry, event.data);
  else if (event.type === "arrived") finish(entry);
  else if (event.type === "accepted")
    update(number, { state: "moving", moved: event.moved, from: event.moved, began: performance.now() });
  else if (event.type === "progressed") update(number, { moved: event.moved });
  else if (event.type === "stored") update(number, { state: "done", moved: entry.size });
  else if ("reason" in event) end(number, event.reason);
}

/** @param {{id: number, name: string, size: number, sha256: Uint8Array}} offered */
function takeOffer({ id, name, size, sha256 }) {
  const hash = hex(sha256);
  const known = files.value.find(
    (entry) => entry.way === "in" && entry.sha256 === hash && entry.size === size && entry.state === "waiting",
  );
  const number = known?.number ?? add({ way: "in", name, size, state: "offered", sha256: hash });
  update(number, { id, state: "offered" });
  if (known) accept(number);
}

/** @param {FileEntry} entry @param {Uint8Array} data */
function keep(entry, data) {
  const part = kept.get(entry.number);
  if (!part) return;
  part.digest.update(data);
  part.waiting.push(data);
  part.size += data.length;
  if (part.size === entry.size || part.waiting.length * data.length >= PIECE) {
    part.pieces.push(new Blob(/** @type {any} */ (part.waiting)));
    part.waiting = [];
  }
  session?.wrote(entry.id, data.length);
  update(entry.number, { moved: part.size });
}

/** @param {FileEntry} entry */
function finish(entry) {
  const part = kept.get(entry.number);
  if (part && hex(part.digest.digest()) === entry.sha256) {
    session?.stored(entry.id);
    update(entry.number, { state: "done", moved: entry.size });
    return;
  }
  session?.refuse(entry.id, "damaged");
  kept.delete(entry.number);
  end(entry.number, "damaged");
}
