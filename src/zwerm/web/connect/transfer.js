/**
 * The file protocol of docs/connect.md as a machine, both ways over one link: the same as `zwerm.webrtc.transfer`.
 * It reads no file and knows no channel: messages go in by `receive`, and out by `nextMessage`.
 */

/** @typedef {"unknown" | "declined" | "stopped" | "diskFull" | "cannotWrite" | "cannotRead" | "changed" | "damaged" | "tooMany" | "tooLarge"} Reason */
/**
 * @typedef {{type: "offered", id: number, name: string, size: number, sha256: Uint8Array}
 *   | {type: "accepted" | "progressed", id: number, moved: number}
 *   | {type: "chunk", id: number, data: Uint8Array}
 *   | {type: "arrived" | "stored", id: number}
 *   | {type: "sendingEnded" | "receivingEnded", id: number, reason: Reason}
 *   | {type: "broken"}} TransferEvent
 */

const OFFER = 1;
const ACCEPT = 2;
const CHUNK = 3;
const PROGRESS = 4;
const STORED = 5;
const CANCEL = 6;
const REFUSE = 7;
/** @type {Reason[]} */
const REASONS = [
  "unknown",
  "declined",
  "stopped",
  "diskFull",
  "cannotWrite",
  "cannotRead",
  "changed",
  "damaged",
  "tooMany",
  "tooLarge",
];
const MAX_CHUNK = 65_536;
const MAX_NAME = 1_024;
const WINDOW = 8 << 20; // bytes sent that the receiver has not kept yet
const PROGRESS_EVERY = 256 << 10;
const MAX_FILES = 256;

/** @param {number} type @param {number} id @param {number} [more] bytes after the head */
function head(type, id, more = 0) {
  const data = new Uint8Array(5 + more);
  data[0] = type;
  new DataView(data.buffer).setUint32(1, id);
  return data;
}

/** @param {number} type @param {number} id @param {number} offset @param {number} [more] */
function withOffset(type, id, offset, more = 0) {
  const data = head(type, id, 8 + more);
  new DataView(data.buffer).setBigUint64(5, BigInt(offset));
  return data;
}

/** @param {number} type @param {number} id @param {Reason} reason */
function withReason(type, id, reason) {
  const data = head(type, id, 1);
  data[5] = REASONS.indexOf(reason);
  return data;
}

/** A name that somebody else wrote, so that it lies to nobody who reads it, and is no path. @param {string} name */
export function safeName(name) {
  const last = name.normalize("NFC").split(/[/\\]/).at(-1) ?? "";
  const plain = last
    .replace(/\p{C}/gu, "")
    .replace(/\p{Z}/gu, " ")
    .replace(/[<>:"|?*]/g, "_")
    .replace(/^[ .]+|[ .]+$/g, "");
  return plain.slice(0, 180) || "file";
}

export class TransferSession {
  constructor() {
    /** @type {Map<number, {size: number, sent: number, received: number, reading: boolean}>} */
    this._outgoing = new Map();
    /** @type {Map<number, {size: number, arrived: number, written: number, reported: number}>} */
    this._incoming = new Map();
    /** @type {Set<number>} */
    this._over = new Set();
    this._lastId = 0;
    /** @type {Uint8Array[]} */
    this._messages = [];
    /** @type {TransferEvent[]} */
    this._events = [];
    this._broken = false;
  }

  /** @param {string} name @param {number} size @param {Uint8Array} sha256 @returns {number} its number */
  offer(name, size, sha256) {
    this._lastId += 1;
    this._outgoing.set(this._lastId, { size, sent: -1, received: 0, reading: false });
    const text = new TextEncoder().encode(name).subarray(0, MAX_NAME);
    const data = withOffset(OFFER, this._lastId, size, 32 + text.length);
    data.set(sha256, 13);
    data.set(text, 45);
    this._messages.push(data);
    return this._lastId;
  }

  /** @returns {{id: number, offset: number, size: number} | null} what to read next */
  nextRead() {
    for (const [id, file] of this._outgoing) {
      const room = WINDOW - (file.sent - file.received);
      if (file.reading || file.sent < 0 || file.sent === file.size || room <= 0) continue;
      file.reading = true;
      return { id, offset: file.sent, size: Math.min(MAX_CHUNK, file.size - file.sent, room) };
    }
    return null;
  }

  /** @param {number} id @param {Uint8Array} bytes */
  provide(id, bytes) {
    const file = this._outgoing.get(id);
    if (!file?.reading) return;
    const data = withOffset(CHUNK, id, file.sent, bytes.length);
    data.set(bytes, 13);
    this._messages.push(data);
    file.sent += bytes.length;
    file.reading = false;
  }

  /** @param {number} id @param {Reason} reason */
  cancel(id, reason) {
    if (this._outgoing.delete(id)) this._messages.push(withReason(CANCEL, id, reason));
  }

  /** @param {number} id @param {number} offset */
  accept(id, offset) {
    const file = this._incoming.get(id);
    if (!file || file.arrived >= 0) return;
    file.arrived = file.written = file.reported = offset;
    this._messages.push(withOffset(ACCEPT, id, offset));
    if (offset === file.size) this._events.push({ type: "arrived", id });
  }

  /** @param {number} id @param {number} size */
  wrote(id, size) {
    const file = this._incoming.get(id);
    if (!file) return;
    file.written += size;
    if (file.written - file.reported < PROGRESS_EVERY && file.written !== file.size) return;
    file.reported = file.written;
    this._messages.push(withOffset(PROGRESS, id, file.written));
  }

  /** @param {number} id */
  stored(id) {
    if (this._incoming.delete(id)) this._messages.push(head(STORED, id));
  }

  /** @param {number} id @param {Reason} reason */
  refuse(id, reason) {
    if (!this._incoming.delete(id)) return;
    this._remember(id);
    this._messages.push(withReason(REFUSE, id, reason));
  }

  /** Take one untrusted message of the channel, in order. @param {ArrayBuffer} buffer */
  receive(buffer) {
    if (this._broken) return;
    try {
      this._take(new Uint8Array(buffer), new DataView(buffer));
    } catch {
      this._broken = true; // a message cut short, or one that the protocol does not have
      this._events.push({ type: "broken" });
    }
  }

  nextMessage() {
    return this._messages.shift() ?? null;
  }

  nextEvent() {
    return this._events.shift() ?? null;
  }

  /** @param {number} id */
  _remember(id) {
    this._over.add(id);
    const [oldest] = this._over;
    if (this._over.size > MAX_FILES) this._over.delete(oldest);
  }

  /** @param {Uint8Array} data @param {DataView} view */
  _take(data, view) {
    const [type, id] = [data[0], view.getUint32(1)];
    const offset = () => {
      const value = Number(view.getBigUint64(5));
      if (!Number.isSafeInteger(value)) throw new RangeError("offset");
      return value;
    };
    if (type === CHUNK) this._takeChunk(id, offset(), data.slice(13));
    else if (type === OFFER) this._takeOffer(id, offset(), data);
    else if (type === CANCEL) {
      const reason = REASONS[view.getUint8(5)] ?? "unknown";
      if (this._incoming.delete(id)) this._events.push({ type: "receivingEnded", id, reason });
    } else this._takeAnswer(type, id, view, offset);
  }

  /** @param {number} id @param {number} size @param {Uint8Array} data */
  _takeOffer(id, size, data) {
    if (this._incoming.has(id) || data.length < 45 || data.length > 45 + MAX_NAME) throw new RangeError("offer");
    if (this._incoming.size >= MAX_FILES) {
      this._remember(id);
      this._messages.push(withReason(REFUSE, id, "tooMany"));
      return;
    }
    const name = new TextDecoder("utf-8", { fatal: true }).decode(data.subarray(45));
    this._incoming.set(id, { size, arrived: -1, written: 0, reported: 0 });
    this._events.push({ type: "offered", id, name: safeName(name), size, sha256: data.slice(13, 45) });
  }

  /** @param {number} id @param {number} offset @param {Uint8Array} data */
  _takeChunk(id, offset, data) {
    const file = this._incoming.get(id);
    if (!file && this._over.has(id)) return;
    const end = offset + data.length;
    if (!file || file.arrived < 0 || offset !== file.arrived || end > file.size || !data.length)
      throw new RangeError("chunk");
    if (data.length > MAX_CHUNK || end - file.written > WINDOW + PROGRESS_EVERY) throw new RangeError("window");
    file.arrived = end;
    this._events.push({ type: "chunk", id, data });
    if (end === file.size) this._events.push({ type: "arrived", id });
  }

  /** @param {number} type @param {number} id @param {DataView} view @param {() => number} offset */
  _takeAnswer(type, id, view, offset) {
    const file = this._outgoing.get(id);
    if (type < ACCEPT || type > REFUSE || id === 0 || id > this._lastId) throw new RangeError("answer");
    if (!file) return;
    if (type === ACCEPT) {
      const moved = offset();
      if (file.sent >= 0 || moved > file.size) throw new RangeError("accept");
      file.sent = file.received = moved;
      this._events.push({ type: "accepted", id, moved });
    } else if (type === PROGRESS) {
      const moved = offset();
      if (moved < file.received || moved > file.sent) throw new RangeError("progress");
      file.received = moved;
      this._events.push({ type: "progressed", id, moved });
    } else if (type === STORED) {
      if (file.sent !== file.size) throw new RangeError("stored");
      this._outgoing.delete(id);
      this._events.push({ type: "stored", id });
    } else {
      this._outgoing.delete(id);
      this._events.push({ type: "sendingEnded", id, reason: REASONS[view.getUint8(5)] ?? "unknown" });
    }
  }
}
