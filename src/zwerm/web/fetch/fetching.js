/**
 * What the page Fetch knows: the tab's own peer, which lives as long as the page is open, and the one thing that is
 * fetched by it. Nothing comes through the gateway.
 */
import { batch, signal } from "../vendor/preact.js";
import { Failure } from "../api.js";
import { nodeKnown } from "../events.js";
import { asFailure } from "../resource.js";

/** @import {Child, Party, Peer} from "./peer.js" */

/** @typedef {"idle" | "starting" | "connecting" | "looking" | "fetching" | "done" | "stopped" | "failed"} State */

export const LARGEST = 2 ** 30; // bytes: what comes is kept in this tab's memory
export const MOST_ENTRIES = 1_000; // of a folder
const CONNECT_TIME = 20_000; // milliseconds
const SILENCE = 30_000; // milliseconds without a byte, after which nobody has it
const LOOK_EVERY = 400; // milliseconds between looks at who sent what

export const state = signal(/** @type {State} */ ("idle"));
export const failure = signal(/** @type {Failure | null} */ (null));
export const total = signal(0);
export const got = signal(0);
export const began = signal(0);
export const took = signal(0);
/** @type {import("../vendor/preact.js").Signal<Blob | null>} */
export const whole = signal(null);
/** @type {import("../vendor/preact.js").Signal<Child[] | null>} */
export const children = signal(null);
/** @type {import("../vendor/preact.js").Signal<Party[]>} */
export const parties = signal([]);
export const kept = signal(0);
export const ownId = signal("");

/** @type {Promise<Peer> | null} */
let starting = null;
/** @type {AbortController | null} */
let running = null;
/** @type {ReturnType<typeof setInterval> | undefined} */
let looking;

/** @param {string} code @param {unknown} [details] */
const refusal = (code, details = null) =>
  new Failure({ code, what: code, why: null, do: null, details: details === null ? null : String(details) }, 0);

/** The tab's peer, started once. */
function peer() {
  starting ??= import("./peer.js")
    .then(({ startPeer }) => startPeer())
    .then((one) => {
      ownId.value = one.id;
      looking ??= setInterval(() => look(one), LOOK_EVERY);
      return one;
    });
  starting.catch(() => {
    starting = null;
  });
  return starting;
}

/** @param {Peer} one */
function look(one) {
  const now = one.parties;
  batch(() => {
    if (JSON.stringify(now) !== JSON.stringify(parties.value)) parties.value = now;
    kept.value = one.kept;
  });
}

/** Where the node is reached by browsers. */
async function addresses() {
  const facts = await nodeKnown();
  const found = facts.addresses.swarm.filter((address) => address.includes("/webrtc-direct/certhash/"));
  if (!found.length) throw refusal("fetch-off");
  return found;
}

/** Everything of the last one goes. */
export function forget() {
  running?.abort();
  running = null;
  batch(() => {
    state.value = "idle";
    failure.value = null;
    total.value = got.value = began.value = took.value = 0;
    whole.value = null;
    children.value = null;
  });
}

export function stop() {
  running?.abort();
  running = null;
  if (!["idle", "done", "failed"].includes(state.value)) state.value = "stopped";
}

/**
 * Fetch content from peer to peer; what is known of it stands in the signals.
 * @param {string} cid @param {string} path below it, empty for itself
 */
export async function begin(cid, path) {
  forget();
  const abort = (running = new AbortController());
  try {
    if (!isSecureContext) throw refusal("fetch-insecure", location.origin);
    if (typeof RTCPeerConnection === "undefined") throw refusal("fetch-browser");
    state.value = "starting";
    const { isAddress } = await import("./peer.js");
    if (!isAddress(cid)) throw refusal("bad-cid", cid);
    const one = await peer();
    const there = await addresses();
    abort.signal.throwIfAborted();
    if (!one.parties.some((party) => party.open)) {
      state.value = "connecting";
      await connect(one, there, abort.signal);
    }
    state.value = "looking";
    await fetchContent(one, cid, path, abort);
    look(one);
  } catch (error) {
    if (running !== abort) return; // stopped, or another took its place
    failure.value = asFailure(error);
    state.value = "failed";
  }
}

/** @param {Peer} one @param {string[]} there @param {AbortSignal} signal */
async function connect(one, there, signal) {
  try {
    await one.connect(there, AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIME)]));
  } catch (error) {
    signal.throwIfAborted();
    throw refusal("fetch-unreachable", [...there, ...reasons(error)].join("\n"));
  }
}

/** @param {any} error */
const reasons = (error) => (error?.errors ?? [error]).map((/** @type {any} */ one) => String(one?.message ?? one));

/** @param {Peer} one @param {string} cid @param {string} path @param {AbortController} abort */
async function fetchContent(one, cid, path, abort) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE);
  };
  const signal = AbortSignal.any([abort.signal, silence.signal]);
  try {
    const found = await one.find(cid, path, signal);
    heard();
    if (found.kind === "directory") {
      const list = await one.list(found.cid, MOST_ENTRIES, signal);
      batch(() => {
        children.value = list;
        state.value = "done";
      });
      return;
    }
    if (found.size > LARGEST) throw refusal("fetch-large");
    await fetchBytes(one, found, signal, heard);
  } catch (error) {
    if (silence.signal.aborted) throw refusal("fetch-missing", cid);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Peer} one @param {import("./peer.js").Found} found @param {AbortSignal} signal @param {() => void} heard */
async function fetchBytes(one, found, signal, heard) {
  batch(() => {
    total.value = found.size;
    began.value = performance.now();
    state.value = "fetching";
  });
  /** @type {BlobPart[]} */
  const parts = [];
  let size = 0;
  for await (const part of one.read(found.cid, signal)) {
    heard();
    parts.push(/** @type {BlobPart} */ (part));
    size += part.byteLength;
    got.value = size;
  }
  batch(() => {
    took.value = (performance.now() - began.value) / 1000;
    whole.value = new Blob(parts);
    state.value = "done";
  });
}
