/**
 * Shared state over a channel that loses and reorders (docs/sync.md): the same packets as `zwerm.webrtc.sync`.
 * Machines: packets and the time go in, packets and events come out. Times are seconds.
 */

/** @typedef {{name: string, bits: number, minimum: number, step: number, wraps?: boolean}} Field */
/** @typedef {Map<number, number[]>} State from the number of a thing to its values: whole steps, or floats */

const SNAPSHOT = 1;
const INPUTS = 2;
const HISTORY = 64;
const MAX_INPUTS = 64;
const RESEND = 0.1;
const INTERVAL = 1 / 30;

class Writer {
  constructor() {
    /** @type {number[]} */
    this._bytes = [];
    this._free = 0;
  }
  /** @param {number} value @param {number} bits */
  put(value, bits) {
    for (let bit = bits - 1; bit >= 0; bit -= 1) {
      if (!this._free) {
        this._bytes.push(0);
        this._free = 8;
      }
      this._free -= 1;
      if (Math.floor(value / 2 ** bit) % 2) this._bytes[this._bytes.length - 1] |= 1 << this._free;
    }
  }
  data() {
    return new Uint8Array(this._bytes);
  }
}

class Reader {
  /** @param {Uint8Array} data */
  constructor(data) {
    this._data = data;
    this._at = 0;
  }
  /** @param {number} bits */
  take(bits) {
    if (this._at + bits > this._data.length * 8) throw new RangeError("cut short");
    let value = 0;
    for (; bits > 0; bits -= 1, this._at += 1)
      value = value * 2 + ((this._data[this._at >> 3] >> (7 - (this._at & 7))) & 1);
    return value;
  }
  end() {
    const left = this._data.length * 8 - this._at;
    if (left >= 8 || this.take(left)) throw new RangeError("more");
  }
}

/** What a thing is made of; both sides have the same. */
export class Schema {
  /** @param {Field[]} fields @param {number} [idBits] */
  constructor(fields, idBits = 10) {
    this.fields = fields;
    this.idBits = idBits;
  }

  /** @param {State} values @returns {State} whole steps */
  quantise(values) {
    return new Map(
      [...values].map(([id, row]) => [
        id,
        this.fields.map(({ bits, minimum, step, wraps }, index) => {
          const steps = Math.round((row[index] - minimum) / step);
          const count = 2 ** bits;
          return wraps ? ((steps % count) + count) % count : Math.min(Math.max(steps, 0), count - 1);
        }),
      ]),
    );
  }

  /** @param {State} state @returns {State} floats */
  restore(state) {
    return new Map(
      [...state].map(([id, row]) => [id, row.map((n, i) => this.fields[i].minimum + n * this.fields[i].step)]),
    );
  }

  /** @param {State} base @param {State} state */
  writeDelta(base, state) {
    const writer = new Writer();
    for (const id of [...new Set([...base.keys(), ...state.keys()])].sort((a, b) => a - b)) {
      const [old, now] = [base.get(id), state.get(id)];
      if (old && now && old.every((value, index) => value === now[index])) continue;
      writer.put(1, 1);
      writer.put(id, this.idBits);
      writer.put(now ? 1 : 0, 1);
      now?.forEach((value, index) => {
        const changed = value !== (old?.[index] ?? 0);
        writer.put(changed ? 1 : 0, 1);
        if (changed) writer.put(value, this.fields[index].bits);
      });
    }
    writer.put(0, 1);
    return writer.data();
  }

  /** @param {State} base @param {Uint8Array} data @returns {State} */
  readDelta(base, data) {
    const reader = new Reader(data);
    const state = new Map(base);
    for (let last = -1; reader.take(1);) {
      const id = reader.take(this.idBits);
      if (id <= last) throw new RangeError("order");
      last = id;
      if (reader.take(1)) {
        const old = state.get(id);
        state.set(
          id,
          this.fields.map(({ bits }, index) => (reader.take(1) ? reader.take(bits) : (old?.[index] ?? 0))),
        );
      } else if (!state.delete(id)) throw new RangeError("gone");
    }
    reader.end();
    return state;
  }
}

/** The side whose state counts. */
export class Authority {
  /** @param {Schema} schema */
  constructor(schema) {
    this.schema = schema;
    /** The last input that the published state includes. */
    this.processed = 0;
    /** @type {State} */
    this._state = new Map();
    this._tick = 0;
    this._sequence = 0;
    /** @type {Map<number, State>} */
    this._history = new Map();
    this._known = 0;
    this._first = 0;
    this._nextInput = 1;
    this._wait = RESEND;
    this._due = Infinity;
    /** @type {Uint8Array[]} */
    this._packets = [];
    /** @type {{number: number, data: Uint8Array}[]} */
    this._inputs = [];
  }

  /** @param {State} values @param {number} tick @param {number} now */
  publish(values, tick, now) {
    this._send(this.schema.quantise(values), tick);
    this._first = this._sequence;
    this._wait = RESEND;
    this._due = now + RESEND;
  }

  /** @param {ArrayBuffer} buffer @returns {boolean} whether it could be used */
  receive(buffer) {
    const view = new DataView(buffer);
    if (buffer.byteLength < 15 || view.getUint8(0) !== INPUTS) return false;
    const [newest, earlier, first] = [view.getUint32(1), view.getUint32(5), view.getUint32(9)];
    const [count, size] = [view.getUint8(13), view.getUint8(14)];
    if (count > MAX_INPUTS || size > 64 || buffer.byteLength !== 15 + count * size) return false;
    if (Boolean(count) !== Boolean(size) || Boolean(count) !== Boolean(first)) return false;
    for (let bit = -1; bit < 32 && newest; bit += 1) {
      const sequence = newest - 1 - bit;
      if (sequence <= this._known) break;
      if ((bit < 0 || (earlier >>> bit) & 1) && this._history.has(sequence)) this._known = sequence;
    }
    if (this._known >= this._first) this._due = Infinity;
    if (count && first > this._nextInput) this._nextInput = first;
    for (let index = 0; index < count; index += 1) {
      if (first + index !== this._nextInput) continue;
      this._nextInput += 1;
      if (this._inputs.length < 256)
        this._inputs.push({ number: first + index, data: new Uint8Array(buffer, 15 + index * size, size) });
    }
    return true;
  }

  /** @param {number} now */
  handleTimeout(now) {
    if (now < this._due) return;
    this._wait = Math.min(2 * this._wait, 4 * RESEND);
    this._due = now + this._wait;
    this._send(this._state, this._tick);
  }

  nextPacket() {
    return this._packets.shift() ?? null;
  }

  nextInput() {
    return this._inputs.shift() ?? null;
  }

  /** @param {State} state @param {number} tick */
  _send(state, tick) {
    const base = this._history.has(this._known) && this._sequence + 1 - this._known <= 255 ? this._known : 0;
    this._sequence += 1;
    const delta = this.schema.writeDelta(this._history.get(base) ?? new Map(), state);
    this._state = state;
    this._tick = tick;
    this._history.set(this._sequence, state);
    this._history.delete(this._sequence - HISTORY);
    const data = new Uint8Array(14 + delta.length);
    const view = new DataView(data.buffer);
    view.setUint8(0, SNAPSHOT);
    view.setUint32(1, this._sequence);
    view.setUint32(5, tick);
    view.setUint8(9, base ? this._sequence - base : 0);
    view.setUint32(10, this.processed);
    data.set(delta, 14);
    this._packets = [...this._packets.slice(-3), data];
  }
}

/** @typedef {{tick: number, processed: number, state: State, newest: boolean}} Snapshot */

/** The side that follows. */
export class Follower {
  /** @param {Schema} schema */
  constructor(schema) {
    this.schema = schema;
    /** @type {Map<number, State>} */
    this._history = new Map();
    this._newest = 0;
    /** @type {[number, Uint8Array][]} */
    this._inputs = [];
    this._lastInput = 0;
    this._due = Infinity;
    this._sentAt = -Infinity;
    /** @type {Uint8Array[]} */
    this._packets = [];
    /** @type {Snapshot[]} */
    this._snapshots = [];
  }

  /** @param {Uint8Array} data @param {number} now @returns {number} its number; 0: the other side is silent, it was not taken */
  give(data, now) {
    if (this._inputs.length >= MAX_INPUTS) return 0;
    this._lastInput += 1;
    this._inputs.push([this._lastInput, data]);
    this._sendSoon(now);
    return this._lastInput;
  }

  /** @param {ArrayBuffer} buffer @param {number} now @returns {boolean} whether it could be used */
  receive(buffer, now) {
    const view = new DataView(buffer);
    if (buffer.byteLength < 14 || view.getUint8(0) !== SNAPSHOT) return false;
    const [sequence, tick, distance] = [view.getUint32(1), view.getUint32(5), view.getUint8(9)];
    const processed = view.getUint32(10);
    if (!sequence || distance >= sequence || processed > this._lastInput) return false;
    if (this._history.has(sequence) || sequence + HISTORY <= this._newest) {
      this._sendSoon(now); // our acknowledgement may be what was lost
      return false;
    }
    const base = distance ? this._history.get(sequence - distance) : new Map();
    if (!base) return false;
    let state;
    try {
      state = this.schema.readDelta(base, new Uint8Array(buffer, 14));
    } catch {
      return false;
    }
    const newest = sequence > this._newest;
    this._history.set(sequence, state);
    this._newest = Math.max(this._newest, sequence);
    for (const old of this._history.keys()) if (old <= this._newest - HISTORY) this._history.delete(old);
    while (this._inputs.length && this._inputs[0][0] <= processed) this._inputs.shift();
    this._snapshots = [...this._snapshots.slice(-255), { tick, processed, state, newest }];
    this._sendSoon(now);
    return true;
  }

  /** @param {number} now */
  handleTimeout(now) {
    if (now < this._due) return;
    this._due = this._inputs.length ? now + INTERVAL : Infinity;
    this._sentAt = now;
    const size = this._inputs[0]?.[1].length ?? 0;
    const data = new Uint8Array(15 + this._inputs.length * size);
    const view = new DataView(data.buffer);
    let earlier = 0;
    for (let bit = 0; bit < 32; bit += 1) if (this._history.has(this._newest - 1 - bit)) earlier |= 1 << bit;
    view.setUint8(0, INPUTS);
    view.setUint32(1, this._newest);
    view.setUint32(5, earlier >>> 0);
    view.setUint32(9, this._inputs[0]?.[0] ?? 0);
    view.setUint8(13, this._inputs.length);
    view.setUint8(14, size);
    this._inputs.forEach(([, input], index) => data.set(input, 15 + index * size));
    this._packets = [...this._packets.slice(-3), data];
  }

  nextPacket() {
    return this._packets.shift() ?? null;
  }

  nextSnapshot() {
    return this._snapshots.shift() ?? null;
  }

  /** @param {number} now */
  _sendSoon(now) {
    if (this._due === Infinity) this._due = Math.max(now, this._sentAt + INTERVAL);
  }
}

/** Draws between states, a little late. */
export class Interpolation {
  /** @param {Schema} schema @param {number} tick seconds */
  constructor(schema, tick) {
    this.schema = schema;
    this.tick = tick;
    /** @type {[number, State][]} */
    this._states = [];
    /** @type {number[]} */
    this._transits = [];
  }

  /** @param {number} tick @param {State} state @param {number} now */
  add(tick, state, now) {
    const moment = tick * this.tick;
    this._transits = [...this._transits.slice(-63), now - moment];
    if (this._states.some(([known]) => known === moment)) return;
    this._states.push([moment, this.schema.restore(state)]);
    this._states.sort(([a], [b]) => a - b);
    this._states = this._states.slice(-128);
  }

  /** @param {number} now @returns {State} */
  sample(now) {
    if (!this._states.length) return new Map();
    const fastest = Math.min(...this._transits);
    const delay = Math.min(Math.max(Math.max(...this._transits) - fastest + this.tick, 0.05), 0.3);
    const moment = now - fastest - delay;
    let index = this._states.findIndex(([at]) => at > moment);
    if (index === 0 || this._states.length === 1) return this._states[0][1];
    if (index < 0) index = this._states.length - 1;
    const [[before, old], [after, next]] = [this._states[index - 1], this._states[index]];
    const share = (Math.min(moment, after + 0.1) - before) / (after - before);
    return new Map(
      [...(share >= 1 ? next : old)].map(([id, row]) => [id, this._mix(old.get(id), next.get(id), share) ?? row]),
    );
  }

  /** @param {number[] | undefined} old @param {number[] | undefined} next @param {number} share */
  _mix(old, next, share) {
    if (!old || !next) return null;
    return this.schema.fields.map(({ bits, step, minimum, wraps }, index) => {
      const period = step * 2 ** bits;
      const way = next[index] - old[index];
      if (!wraps) return old[index] + way * share;
      const short = ((((way + period / 2) % period) + period) % period) - period / 2;
      return minimum + ((((old[index] + short * share - minimum) % period) + period) % period);
    });
  }
}

/** @template S, I */
export class Predictor {
  /** @param {S} state @param {(state: S, input: I) => S} step */
  constructor(state, step) {
    this.state = state;
    this._step = step;
    /** @type {[number, I][]} */
    this._pending = [];
    this._settled = 0;
  }

  /** @param {number} number @param {I} input */
  apply(number, input) {
    this._pending = [...this._pending.slice(-255), [number, input]];
    this.state = this._step(this.state, input);
    return this.state;
  }

  /** @param {S} state @param {number} processed */
  reconcile(state, processed) {
    if (processed < this._settled) return this.state;
    this._settled = processed;
    this._pending = this._pending.filter(([number]) => number > processed);
    this.state = this._pending.reduce((was, [, input]) => this._step(was, input), state);
    return this.state;
  }
}
