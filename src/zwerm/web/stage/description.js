/** What two pages of a call send each other through the service: descriptions with a signature, candidates, and a wish. */

/**
 * @typedef {{description: {type: "offer" | "answer", sdp: string}, n: number, signature: string}} Described `n` counts
 * the offers of one side; an answer has the one that it answers
 * @typedef {{candidates: RTCIceCandidateInit[]}} Candidates
 * @typedef {{restart: true}} Wish of the side that makes no offers: look for another way
 */

const MAX_CANDIDATES = 64;

/** The certificates that a description names, each once. @param {string} sdp */
export const fingerprints = (sdp) => [
  ...new Set([...sdp.matchAll(/^a=fingerprint:(.+)$/gm)].map(([, value]) => value.trim())),
];

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isObject = (value) => typeof value === "object" && value !== null;

/**
 * Read what the other page sent; anything may stand in it.
 * @param {string} text
 * @returns {Described | Candidates | Wish | null} null for what is neither
 */
export function parse(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  if (Array.isArray(value.candidates)) {
    const known = value.candidates.filter((each) => isObject(each) && typeof each.candidate === "string");
    return { candidates: /** @type {any[]} */ (known.slice(0, MAX_CANDIDATES)) };
  }
  if (value.restart === true) return { restart: true };
  const { description, n, signature } = value;
  if (!isObject(description) || typeof n !== "number" || typeof signature !== "string") return null;
  const { type, sdp } = description;
  if ((type !== "offer" && type !== "answer") || typeof sdp !== "string") return null;
  return { description: { type, sdp }, n, signature };
}
