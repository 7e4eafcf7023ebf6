/**
 * Who was talked with before, and with which keys: what the service says of somebody is held against it, so that nobody
 * can take somebody's place unnoticed.
 */
import { keep, recall } from "./keep.js";

/** @typedef {{name: string | null, device: string, key: string, label: string}} Party `device` is an endpoint */
/** @typedef {{key: string, label: string, first: number, last: number}} KnownDevice times in milliseconds */
/**
 * `first`: nobody of that name was talked with here. `known`: this very device was. `other`: another device of theirs.
 * `changed`: the device says that it is one that was here before, and has another key.
 * @typedef {"first" | "known" | "other" | "changed"} Verdict
 */

/** @param {string} endpoint */
const deviceOf = (endpoint) => endpoint.split(".", 1)[0];

/** @param {Party} party @returns {Promise<Verdict>} */
export async function judge(party) {
  /** @type {Record<string, KnownDevice>} */
  const known = (party.name && (await recall("known", party.name))) || {};
  if (Object.keys(known).length === 0) return "first";
  const same = known[deviceOf(party.device)];
  if (same) return same.key === party.key ? "known" : "changed";
  return Object.values(known).some(({ key }) => key === party.key) ? "known" : "other";
}

/** Their media were signed by this key, and the person talked with them. @param {Party} party */
export async function remember(party) {
  if (!party.name) return;
  const known = (await recall("known", party.name)) ?? {};
  const device = deviceOf(party.device);
  const now = Date.now();
  await keep("known", party.name, {
    ...known,
    [device]: { key: party.key, label: party.label, first: known[device]?.first ?? now, last: now },
  });
}

/**
 * Twelve digits that both see when nobody stands between them, to be read out to each other.
 * @param {string} own @param {string} other public keys
 */
export async function digits(own, other) {
  const joined = new TextEncoder().encode(["zwerm-calls-1", "digits", ...[own, other].sort()].join("\n"));
  const hash = new DataView(await crypto.subtle.digest("SHA-256", joined));
  return [0, 4, 8].map((at) => String(hash.getUint32(at) % 10_000).padStart(4, "0")).join(" ");
}
