/**
 * Connection codes (docs/connect.md): what is in one, how it is written, and what can be wrong with a pasted one.
 * The same as `src/zwerm/webrtc/paste` in Python; both are tested with each other's texts.
 */

/** @typedef {"host" | "srflx" | "relay"} PlaceKind */
/** @typedef {{kind: PlaceKind, host: string, port: number}} Place */
/** @typedef {{ufrag: string, password: string, fingerprint: Uint8Array, places: Place[]}} Code */
/** @typedef {"none" | "incomplete" | "damaged" | "newer" | "older" | "own"} CodeFault */

const WORD = "zwerm";
const VERSION = 1;
const MAX_INPUT = 16_384; // characters that are looked at
const MAX_DIGITS = 480;
const MAX_PLACES = 8;
const FINGERPRINT = 32; // bytes of SHA-256
const DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const ICE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** @type {PlaceKind[]} */
const KINDS = ["host", "srflx", "relay"];
const SHARES = { host: 4, srflx: 2, relay: 2 };
const PREFERENCES = { host: 126, srflx: 100, relay: 0 };

/** A pasted text that cannot be used; `fault` is what the page translates by. */
export class CodeError extends Error {
  /** @param {CodeFault} fault @param {number} [missing] characters */
  constructor(fault, missing = 0) {
    super(fault);
    this.fault = fault;
    this.missing = missing;
  }
}

/** @param {Uint8Array} data */
function crc32(data) {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** @param {Uint8Array} data */
function toDigits(data) {
  let number = 0n;
  for (const byte of data) number = (number << 8n) | BigInt(byte);
  let digits = "";
  for (; number > 0n; number /= 58n) digits = DIGITS[Number(number % 58n)] + digits;
  let zeros = 0;
  while (data[zeros] === 0) zeros += 1;
  return "1".repeat(zeros) + digits;
}

/** @param {string} digits @returns {Uint8Array} */
function fromDigits(digits) {
  let number = 0n;
  for (const digit of digits) {
    const value = DIGITS.indexOf(digit);
    if (value < 0) throw new CodeError("damaged");
    number = number * 58n + BigInt(value);
  }
  const bytes = [];
  for (; number > 0n; number >>= 8n) bytes.unshift(Number(number & 255n));
  let zeros = 0;
  while (digits[zeros] === "1") zeros += 1;
  return new Uint8Array([...new Array(zeros).fill(0), ...bytes]);
}

/** @param {string} text characters of ICE, six bits each */
function pack(text) {
  const data = new Uint8Array(Math.ceil((text.length * 6) / 8));
  [...text].forEach((character, index) => {
    const value = ICE.indexOf(character);
    if (value < 0) throw new CodeError("damaged");
    for (let bit = 0; bit < 6; bit += 1)
      if (value & (32 >> bit)) data[(index * 6 + bit) >> 3] |= 128 >> ((index * 6 + bit) & 7);
  });
  return data;
}

/** @param {Uint8Array} data @param {number} length characters */
function unpack(data, length) {
  let text = "";
  for (let index = 0; index < length; index += 1) {
    let value = 0;
    for (let bit = 0; bit < 6; bit += 1) {
      const place = index * 6 + bit;
      value = (value << 1) | ((data[place >> 3] >> (7 - (place & 7))) & 1);
    }
    text += ICE[value];
  }
  return text;
}

/** @param {string} host an address of IPv6 @returns {number[]} */
function ipv6Bytes(host) {
  const [head, tail] = host.split("::");
  /** @param {string | undefined} part */
  const groups = (part) =>
    (part ?? "")
      .split(":")
      .filter(Boolean)
      .flatMap((group) => {
        if (!group.includes(".")) return [parseInt(group, 16)];
        const [a, b, c, d] = group.split(".").map(Number);
        return [(a << 8) | b, (c << 8) | d];
      });
  const [before, after] = [groups(head), groups(tail)];
  const all = [...before, ...new Array(Math.max(0, 8 - before.length - after.length)).fill(0), ...after];
  return all.slice(0, 8).flatMap((group) => [group >> 8, group & 255]);
}

/** @param {Uint8Array} data */
export const hex = (data) => [...data].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {Place} place */
function placeBytes({ kind, host, port }) {
  const name = /^([0-9a-f-]{36})\.local$/i.exec(host);
  const [family, packed] = name
    ? [
        2,
        name[1]
          .replaceAll("-", "")
          .match(/../g)
          ?.map((pair) => parseInt(pair, 16)) ?? [],
      ]
    : host.includes(":")
      ? [1, ipv6Bytes(host)]
      : [0, host.split(".").map(Number)];
  return [(KINDS.indexOf(kind) << 4) | family, ...packed, port >> 8, port & 255];
}

/** @param {Code} code @returns {Uint8Array} */
export function serialize({ ufrag, password, fingerprint, places }) {
  return new Uint8Array([
    ufrag.length,
    password.length,
    ...pack(ufrag + password),
    ...fingerprint,
    ...places.flatMap(placeBytes),
  ]);
}

/** @param {number} family @param {Uint8Array} packed */
function hostOf(family, packed) {
  if (family === 0) return packed.join(".");
  const text = hex(packed);
  if (family === 2) return `${text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")}.local`;
  return (
    text
      .match(/.{4}/g)
      ?.map((group) => parseInt(group, 16).toString(16))
      .join(":") ?? ""
  );
}

/** @param {Uint8Array} data @returns {Code} */
export function parse(data) {
  const [ufragSize, passwordSize] = data;
  const packed = Math.ceil(((ufragSize + passwordSize) * 6) / 8);
  let at = 2 + packed + FINGERPRINT;
  if (!(ufragSize >= 4 && passwordSize >= 22 && ufragSize < 64 && passwordSize < 64) || data.length < at)
    throw new CodeError("damaged");
  const text = unpack(data.subarray(2, 2 + packed), ufragSize + passwordSize);
  /** @type {Place[]} */
  const places = [];
  while (at < data.length) {
    const [kind, family] = [KINDS[data[at] >> 4], data[at] & 15];
    const end = at + 1 + (family === 0 ? 4 : 16);
    const port = (data[end] << 8) | data[end + 1];
    if (!kind || family > 2 || end + 2 > data.length || !port || places.length === MAX_PLACES)
      throw new CodeError("damaged");
    places.push({ kind, host: hostOf(family, data.subarray(at + 1, end)), port });
    at = end + 2;
  }
  return {
    ufrag: text.slice(0, ufragSize),
    password: text.slice(ufragSize),
    fingerprint: data.slice(2 + packed, 2 + packed + FINGERPRINT),
    places,
  };
}

/** The text of a code, in one line. @param {Code} code */
export function write(code) {
  const data = serialize(code);
  const sum = crc32(data);
  const digits = toDigits(new Uint8Array([...data, sum >>> 24, (sum >>> 16) & 255, (sum >>> 8) & 255, sum & 255]));
  return `${WORD}${VERSION}${DIGITS[Math.floor(digits.length / 58)]}${DIGITS[digits.length % 58]}${digits}`;
}

/**
 * The first code in what somebody pasted.
 * @param {string} text
 * @returns {Code}
 * @throws {CodeError}
 */
export function read(text) {
  const letters = text.slice(0, MAX_INPUT).replace(/[^0-9A-Za-z]+/g, "");
  const start = letters.indexOf(WORD);
  if (start < 0) throw new CodeError(letters.toLowerCase().includes(WORD) ? "damaged" : "none");
  const rest = letters.slice(start + WORD.length);
  if (rest.length < 3) throw new CodeError("incomplete");
  if (!/\d/.test(rest[0])) throw new CodeError("none");
  if (Number(rest[0]) !== VERSION) throw new CodeError(Number(rest[0]) > VERSION ? "newer" : "older");
  const [high, low] = [DIGITS.indexOf(rest[1]), DIGITS.indexOf(rest[2])];
  const length = high * 58 + low;
  if (high < 0 || low < 0 || length === 0 || length > MAX_DIGITS) throw new CodeError("damaged");
  const digits = rest.slice(3, 3 + length);
  if (digits.length < length) throw new CodeError("incomplete", length - digits.length);
  const data = fromDigits(digits);
  const body = data.subarray(0, -4);
  if (data.length < 5 || crc32(body) !== new DataView(data.buffer).getUint32(data.length - 4))
    throw new CodeError("damaged");
  return parse(body);
}

/** @param {string} sdp @param {string} name */
const attribute = (sdp, name) => new RegExp(`^a=${name}:(.*?)\\r?$`, "m").exec(sdp)?.[1] ?? "";

/** What an own offer says that the other side needs. @param {string} sdp @returns {Code} */
export function codeOf(sdp) {
  const found = [...sdp.matchAll(/^a=candidate:\S+ 1 udp (\d+) (\S+) (\d+) typ (\w+)/gim)]
    .map(([, priority, host, port, kind]) => ({ priority: Number(priority), host, port: Number(port), kind }))
    .filter(({ kind, host, port }) => KINDS.includes(/** @type {PlaceKind} */ (kind)) && port > 0 && isPlain(host))
    .sort((one, other) => other.priority - one.priority);
  const places = KINDS.flatMap((kind) => {
    const many = found.some((one) => one.kind !== "host") ? SHARES[kind] : MAX_PLACES;
    return found.filter((one) => one.kind === kind).slice(0, many);
  }).map(({ kind, host, port }) => ({ kind: /** @type {PlaceKind} */ (kind), host, port }));
  const print = /^a=fingerprint:sha-256 ([0-9A-F:]+)/im.exec(sdp)?.[1] ?? "";
  return {
    ufrag: attribute(sdp, "ice-ufrag"),
    password: attribute(sdp, "ice-pwd"),
    fingerprint: new Uint8Array(print.split(":").map((pair) => parseInt(pair, 16))),
    places,
  };
}

/** @param {string} host an address, or a name that hides one */
const isPlain = (host) => /^([\d.]+|[0-9a-f]*:[0-9a-f:.]+|[0-9a-f-]{36}\.local)$/i.test(host);

/**
 * The description that the other side's code stands for, as the answer to our own offer. The side with the lower
 * fingerprint begins DTLS.
 * @param {Code} code
 * @param {Code} own
 * @param {string} mid of our offer
 */
export function answerFrom(code, own, mid) {
  const [theirs, ours] = [hex(code.fingerprint), hex(own.fingerprint)];
  if (theirs === ours) throw new CodeError("own");
  const lines = [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    `a=group:BUNDLE ${mid}`,
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "c=IN IP4 0.0.0.0",
    `a=mid:${mid}`,
    `a=ice-ufrag:${code.ufrag}`,
    `a=ice-pwd:${code.password}`,
    "a=ice-options:trickle",
    `a=fingerprint:sha-256 ${theirs.toUpperCase().match(/../g)?.join(":")}`,
    `a=setup:${theirs < ours ? "active" : "passive"}`,
    "a=sctp-port:5000",
    "a=max-message-size:262144",
    ...code.places.map(candidateLine),
  ];
  return `${lines.join("\r\n")}\r\n`;
}

/** @param {Place} place @param {number} index */
function candidateLine({ kind, host, port }, index) {
  const priority = PREFERENCES[kind] * 2 ** 24 + (65_535 - index) * 256 + 255;
  const related = kind === "host" ? "" : ` raddr ${host.includes(":") ? "::" : "0.0.0.0"} rport 9`;
  return `a=candidate:${index + 1} 1 udp ${priority} ${host} ${port} typ ${kind}${related}`;
}

/** The section that data channels use. @param {string} sdp */
export const midOf = (sdp) => attribute(sdp, "mid") || "0";
