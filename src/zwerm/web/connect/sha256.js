/** SHA-256 (FIPS 180-4) piece by piece: the browser's own takes a file only whole, in memory. */

const K = new Uint32Array(64);
const START = new Uint32Array(8);
{
  let found = 0;
  for (let candidate = 2; found < 64; candidate += 1) {
    let prime = true;
    for (let factor = 2; factor * factor <= candidate; factor += 1) if (candidate % factor === 0) prime = false;
    if (!prime) continue;
    if (found < 8) START[found] = (candidate ** 0.5 % 1) * 2 ** 32;
    K[found] = (Math.cbrt(candidate) % 1) * 2 ** 32;
    found += 1;
  }
}

export class Sha256 {
  constructor() {
    this._state = START.slice();
    this._block = new Uint8Array(64);
    this._words = new Uint32Array(64);
    this._filled = 0;
    this._size = 0;
  }

  /** @param {Uint8Array} data @returns {this} */
  update(data) {
    this._size += data.length;
    let at = 0;
    if (this._filled) {
      at = Math.min(64 - this._filled, data.length);
      this._block.set(data.subarray(0, at), this._filled);
      this._filled += at;
      if (this._filled < 64) return this;
      this._compress(this._block, 0);
      this._filled = 0;
    }
    for (; at + 64 <= data.length; at += 64) this._compress(data, at);
    this._block.set(data.subarray(at));
    this._filled = data.length - at;
    return this;
  }

  /** The digest of all that came. Nothing may be added afterwards. @returns {Uint8Array} */
  digest() {
    const size = this._size;
    const tail = new Uint8Array((this._filled < 56 ? 64 : 128) - this._filled);
    tail[0] = 128;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(size / 2 ** 29));
    view.setUint32(tail.length - 4, (size * 8) % 2 ** 32);
    this.update(tail);
    const digest = new Uint8Array(32);
    this._state.forEach((word, index) => new DataView(digest.buffer).setUint32(index * 4, word));
    return digest;
  }

  /** @param {Uint8Array} data @param {number} at */
  _compress(data, at) {
    const w = this._words;
    for (let i = 0; i < 16; i += 1, at += 4)
      w[i] = (data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3];
    for (let i = 16; i < 64; i += 1) {
      const x = w[i - 15];
      const y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = this._state;
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    const s = this._state;
    s[0] += a;
    s[1] += b;
    s[2] += c;
    s[3] += d;
    s[4] += e;
    s[5] += f;
    s[6] += g;
    s[7] += h;
  }
}
