/**
 * Files between the people of a meeting, straight over their connections, several at once, by the protocol of
 * docs/connect.md. What breaks off goes on when the same person is back with the same file; what comes in goes to the
 * disk, and the sender waits for it.
 */
import { signal } from "../vendor/preact.js";
import { hex } from "../connect/code.js";
import { Sha256 } from "../connect/sha256.js";
import { TransferSession } from "../connect/transfer.js";
import { keep } from "./disk.js";

/** @import {Keeping} from "./disk.js" */
/** @import {Meeting} from "./meeting.js" */
/** @import {Reason, TransferEvent} from "../connect/transfer.js" */
/** @typedef {"preparing" | "offered" | "moving" | "waiting" | "done" | "ended"} FileState */
/**
 * @typedef {object} FileEntry
 * @property {number} number
 * @property {"in" | "out"} way
 * @property {string} endpoint whose it is, or to whom it goes
 * @property {string} label
 * @property {string} name
 * @property {number} size
 * @property {FileState} state
 * @property {number} moved bytes that are safe at the receiver; while preparing, bytes that were read
 * @property {number} began when it began to move, in milliseconds
 * @property {number} from bytes that were there then
 * @property {Reason} reason
 * @property {string} sha256 hex
 * @property {number} id on the present link
 * @property {boolean} isWanted accepted once, so it goes on by itself
 * @property {Blob | null} whole what arrived
 */
/** @typedef {{session: TransferSession, channel: RTCDataChannel, isReading: boolean}} Link */
/** @typedef {{keeping: Keeping, digest: Sha256, size: number, written: Promise<void>}} Part */

const HIGH = 1 << 20; // bytes in the channel's buffer at which reading stops
const LOW = 1 << 18;
const PIECE = 1 << 20; // bytes hashed at a time
const MAX_ENTRIES = 500;

/** @param {string} text */
const bytes = (text) => new Uint8Array((text.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
/** @param {FileEntry} entry */
export const isOver = ({ state }) => state === "done" || state === "ended";

export class Shelf {
  /** @type {import("../vendor/preact.js").Signal<FileEntry[]>} */
  entries = signal([]);
  #meeting;
  #last = 0;
  /** @type {Map<string, Link>} by endpoint */
  #links = new Map();
  /** @type {Map<number, File>} */
  #sources = new Map();
  /** @type {Map<number, Part>} */
  #parts = new Map();
  /** @type {Map<string, () => void>} */
  #watched = new Map();
  #stop;

  /** @param {Meeting} meeting */
  constructor(meeting) {
    this.#meeting = meeting;
    this.#stop = meeting.people.subscribe((people) => {
      for (const person of people)
        if (!this.#watched.has(person.endpoint))
          this.#watched.set(
            person.endpoint,
            person.peer.files.subscribe((channel) =>
              channel ? this.#attach(person.endpoint, channel) : this.#detach(person.endpoint),
            ),
          );
      for (const [endpoint, stop] of this.#watched)
        if (!people.some((person) => person.endpoint === endpoint)) {
          stop();
          this.#watched.delete(endpoint);
          this.#detach(endpoint);
        }
    });
  }

  /** Offer files to everybody who is here. @param {Iterable<File>} chosen */
  async send(chosen) {
    for (const file of chosen) {
      const numbers = this.#meeting.people.value.map((person) => {
        const to = { endpoint: person.endpoint, label: person.label.value };
        const number = this.#add({ way: "out", ...to, name: file.name, size: file.size, state: "preparing" });
        this.#sources.set(number, file);
        return number;
      });
      if (numbers.length) await this.#prepare(file, numbers);
    }
  }

  /** Take a file that is offered. @param {number} number */
  async accept(number) {
    const entry = this.#find(number);
    if (!entry || entry.state !== "offered") return;
    const known = this.#parts.get(number);
    const part = known ?? { keeping: await keep(), digest: new Sha256(), size: 0, written: Promise.resolve() };
    await part.written;
    this.#parts.set(number, part);
    const now = this.#find(number);
    const link = this.#links.get(entry.endpoint);
    if (!link || now?.state !== "offered") return;
    this.#update(number, {
      isWanted: true,
      state: "moving",
      moved: part.size,
      from: part.size,
      began: performance.now(),
    });
    link.session.accept(now.id, part.size);
    this.#drain(entry.endpoint);
  }

  /** Do not take an offer, or stop a file on its way. @param {number} number */
  stop(number) {
    const entry = this.#find(number);
    if (!entry || isOver(entry)) return;
    const reason = entry.way === "in" && entry.state === "offered" ? "declined" : "stopped";
    const session = this.#links.get(entry.endpoint)?.session;
    if (entry.way === "out") session?.cancel(entry.id, reason);
    else session?.refuse(entry.id, reason);
    this.#end(number, reason);
    this.#drain(entry.endpoint);
  }

  /** Take a line out of the list; what arrived under it is gone. @param {number} number */
  forget(number) {
    this.entries.value = this.entries.value.filter((entry) => entry.number !== number);
    this.#sources.delete(number);
    void this.#parts.get(number)?.keeping.drop();
    this.#parts.delete(number);
  }

  close() {
    this.#stop();
    for (const stop of this.#watched.values()) stop();
    for (const { keeping } of this.#parts.values()) void keeping.drop();
    this.#parts.clear();
    this.#links.clear();
  }

  /** @param {number} number */
  #find(number) {
    return this.entries.value.find((entry) => entry.number === number);
  }

  /** @param {number} number @param {Partial<FileEntry>} news */
  #update(number, news) {
    this.entries.value = this.entries.value.map((entry) => (entry.number === number ? { ...entry, ...news } : entry));
  }

  /** @param {number} number @param {Reason} reason */
  #end(number, reason) {
    this.#update(number, { state: "ended", reason });
    void this.#parts.get(number)?.keeping.drop();
    this.#parts.delete(number);
    this.#sources.delete(number);
  }

  /** @param {Pick<FileEntry, "way" | "name" | "size" | "state" | "endpoint" | "label"> & Partial<FileEntry>} entry */
  #add(entry) {
    this.#last += 1;
    const fresh = { number: this.#last, moved: 0, began: 0, from: 0, sha256: "", id: 0, isWanted: false, whole: null };
    const oldest = this.entries.value.length < MAX_ENTRIES ? undefined : this.entries.value.find(isOver);
    const before = this.entries.value.filter((known) => known !== oldest);
    this.entries.value = [...before, { ...fresh, reason: /** @type {Reason} */ ("unknown"), ...entry }];
    return this.#last;
  }

  /** @param {File} file @param {number[]} numbers */
  async #prepare(file, numbers) {
    const digest = new Sha256();
    const left = () => numbers.filter((number) => this.#find(number)?.state === "preparing");
    try {
      for (let at = 0; at < file.size && left().length; at += PIECE) {
        digest.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
        for (const number of left()) this.#update(number, { moved: Math.min(file.size, at + PIECE) });
      }
    } catch {
      for (const number of left()) this.#end(number, "cannotRead");
      return;
    }
    const sha256 = hex(digest.digest());
    for (const number of left()) {
      this.#update(number, { sha256, moved: 0, state: "waiting" });
      this.#offer(number);
    }
  }

  /** @param {number} number */
  #offer(number) {
    const entry = this.#find(number);
    const link = entry && this.#links.get(entry.endpoint);
    if (!entry || !link) return;
    const id = link.session.offer(entry.name, entry.size, bytes(entry.sha256));
    this.#update(number, { id, state: "offered" });
    this.#drain(entry.endpoint);
  }

  /** Begin on a new link; what was not over is offered again. @param {string} endpoint @param {RTCDataChannel} channel */
  #attach(endpoint, channel) {
    this.#links.set(endpoint, { session: new TransferSession(), channel, isReading: false });
    channel.bufferedAmountLowThreshold = LOW;
    channel.onbufferedamountlow = () => void this.#read(endpoint);
    channel.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.#links.get(endpoint)?.session.receive(data);
      this.#drain(endpoint);
    };
    const mine = this.entries.value.filter((entry) => entry.endpoint === endpoint && entry.way === "out");
    for (const { number, state } of mine) if (state === "waiting") this.#offer(number);
  }

  /** The link is gone; what was moving waits for the next one. @param {string} endpoint */
  #detach(endpoint) {
    if (!this.#links.delete(endpoint)) return;
    for (const entry of this.entries.value) {
      if (entry.endpoint !== endpoint || isOver(entry) || entry.state === "preparing") continue;
      if (entry.way === "out" || entry.isWanted) this.#update(entry.number, { state: "waiting" });
      else this.#end(entry.number, "stopped");
    }
  }

  /** @param {string} endpoint */
  #drain(endpoint) {
    const link = this.#links.get(endpoint);
    if (!link) return;
    for (let event = link.session.nextEvent(); event; event = link.session.nextEvent()) this.#take(endpoint, event);
    this.#push(link);
    void this.#read(endpoint);
  }

  /** @param {Link} link */
  #push({ session, channel }) {
    for (let message = session.nextMessage(); message; message = session.nextMessage())
      if (channel.readyState === "open") channel.send(/** @type {any} */ (message));
  }

  /** Read what may be sent now. @param {string} endpoint */
  async #read(endpoint) {
    const link = this.#links.get(endpoint);
    if (!link || link.isReading) return;
    link.isReading = true;
    try {
      while (this.#links.get(endpoint) === link && link.channel.bufferedAmount < HIGH) {
        const read = link.session.nextRead();
        if (!read) return;
        const entry = this.#of(endpoint, "out", read.id);
        const file = entry && this.#sources.get(entry.number);
        if (!entry || !file) {
          link.session.cancel(read.id, "stopped");
          continue;
        }
        try {
          const data = await file.slice(read.offset, read.offset + read.size).arrayBuffer();
          link.session.provide(read.id, new Uint8Array(data));
        } catch {
          link.session.cancel(read.id, "changed"); // the browser refuses to read a file that was written to
          this.#end(entry.number, "changed");
        }
        this.#push(link);
      }
    } finally {
      link.isReading = false;
    }
  }

  /** @param {string} endpoint @param {"in" | "out"} way @param {number} id */
  #of(endpoint, way, id) {
    return this.entries.value.find(
      (entry) => entry.endpoint === endpoint && entry.way === way && entry.id === id && !isOver(entry),
    );
  }

  /** @param {string} endpoint @param {TransferEvent} event */
  #take(endpoint, event) {
    if (event.type === "broken") {
      for (const entry of this.entries.value)
        if (entry.endpoint === endpoint && !isOver(entry)) this.#end(entry.number, "unknown");
      return;
    }
    if (event.type === "offered") {
      this.#takeOffer(endpoint, event);
      return;
    }
    const entry = this.#of(
      endpoint,
      ["chunk", "arrived", "receivingEnded"].includes(event.type) ? "in" : "out",
      event.id,
    );
    if (!entry) return;
    const { number } = entry;
    if (event.type === "chunk") this.#write(entry, event.data);
    else if (event.type === "arrived") void this.#finish(entry);
    else if (event.type === "accepted")
      this.#update(number, { state: "moving", moved: event.moved, from: event.moved, began: performance.now() });
    else if (event.type === "progressed") this.#update(number, { moved: event.moved });
    else if (event.type === "stored") this.#update(number, { state: "done", moved: entry.size });
    else if ("reason" in event) this.#end(number, event.reason);
  }

  /** The same file again, of anybody, goes on. @param {string} endpoint @param {{id: number, name: string, size: number, sha256: Uint8Array}} offered */
  #takeOffer(endpoint, { id, name, size, sha256 }) {
    const hash = hex(sha256);
    const label = this.#meeting.people.value.find((person) => person.endpoint === endpoint)?.label.value ?? "";
    const known = this.entries.value.find(
      (entry) => entry.way === "in" && entry.sha256 === hash && entry.size === size && entry.state === "waiting",
    );
    const number =
      known?.number ?? this.#add({ way: "in", endpoint, label, name, size, state: "offered", sha256: hash });
    this.#update(number, { id, endpoint, label, state: "offered" });
    if (known) void this.accept(number);
  }

  /** @param {FileEntry} entry @param {Uint8Array} data */
  #write({ number, endpoint, id }, data) {
    const part = this.#parts.get(number);
    const link = this.#links.get(endpoint);
    if (!part) return;
    part.digest.update(data);
    part.size += data.length;
    part.written = part.written
      .then(() => part.keeping.write(data))
      .then(
        () => {
          link?.session.wrote(id, data.length);
          this.#update(number, { moved: Math.max(part.size, this.#find(number)?.moved ?? 0) });
          this.#drain(endpoint);
        },
        () => {
          if (isOver(this.#find(number) ?? /** @type {any} */ ({ state: "ended" }))) return;
          link?.session.refuse(id, "diskFull");
          this.#end(number, "diskFull");
          this.#drain(endpoint);
        },
      );
  }

  /** @param {FileEntry} entry */
  async #finish({ number, endpoint, id, sha256, size }) {
    const part = this.#parts.get(number);
    if (!part) return;
    await part.written;
    const link = this.#links.get(endpoint);
    if (hex(part.digest.digest()) !== sha256) {
      link?.session.refuse(id, "damaged");
      this.#end(number, "damaged");
    } else {
      const whole = await part.keeping.finish();
      link?.session.stored(id);
      this.#update(number, { state: "done", moved: size, whole });
    }
    this.#drain(endpoint);
  }
}
