/**
 * The key of a device (docs/calls.md, "Keys"): ECDSA on P-256, made by the browser and never to be read out. It signs the
 * greeting to the service, and the certificates of a call's media.
 */

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const PREFIX = "zwerm-calls-1";

/** @typedef {{pair: CryptoKeyPair, key: string}} DeviceKey `key` is the public one, as others know it */

/** Whether this page may have keys: browsers allow it over HTTPS and on this machine. */
export const isCapable = () => globalThis.isSecureContext && globalThis.crypto?.subtle !== undefined;

/** @param {ArrayBuffer} bytes */
export const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** @param {string} text */
const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

/** @returns {Promise<DeviceKey>} */
export async function makeKey() {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  return { pair, key: toText(await crypto.subtle.exportKey("raw", pair.publicKey)) };
}

/** @param {string[]} lines */
const encoded = (lines) => new TextEncoder().encode(lines.join("\n"));

/** @param {DeviceKey} own @param {string[]} lines */
const sign = async (own, lines) => toText(await crypto.subtle.sign(SIGNING, own.pair.privateKey, encoded(lines)));

/** @param {string} scope @param {string} by @param {string} to @param {string[]} fingerprints */
const mediaLines = (scope, by, to, fingerprints) => [
  PREFIX,
  "media",
  scope,
  by,
  to,
  ...fingerprints.map((each) => each.toLowerCase()).sort(),
];

/**
 * Signs that this device is here: for the service as this page reached it, on this connection.
 * @param {DeviceKey} own
 * @param {string} nonce
 * @param {string} device "guest" for guests
 */
export const signGreeting = (own, nonce, device) =>
  sign(own, [PREFIX, "hello", location.host.toLowerCase(), nonce, device]);

/**
 * Signs the certificates of this device's media, in one call or room and for one other endpoint.
 * @param {DeviceKey} own @param {string} scope @param {string} by @param {string} to @param {string[]} fingerprints
 */
export const signMedia = (own, scope, by, to, fingerprints) => sign(own, mediaLines(scope, by, to, fingerprints));

/**
 * Whether the device with this key signed these certificates. All of it may be made up by somebody else.
 * @param {string} key @param {string} signature @param {string} scope @param {string} by @param {string} to
 * @param {string[]} fingerprints
 */
export async function verifyMedia(key, signature, scope, by, to, fingerprints) {
  try {
    const known = await crypto.subtle.importKey("raw", toBytes(key), ALGORITHM, false, ["verify"]);
    return await crypto.subtle.verify(
      SIGNING,
      known,
      toBytes(signature),
      encoded(mediaLines(scope, by, to, fingerprints)),
    );
  } catch {
    return false; // no key, or no signature
  }
}
