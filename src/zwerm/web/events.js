/**
 * Live updates: one stream of events for the whole page, read with `fetch` because the token is a header. It reconnects
 * by itself.
 */
import { effect, signal } from "./vendor/preact.js";
import { Failure, keyWanted, read, request } from "./api.js";

/** @import {Job, NodeFacts} from "./types.d.ts" */

/** @type {import("./vendor/preact.js").Signal<"connecting" | "live" | "lost">} */
export const connection = signal("connecting");

/**
 * What is known of the node; null until the first answer.
 * @type {import("./vendor/preact.js").Signal<NodeFacts | null>}
 */
export const node = signal(null);

/** Waits until it is known where the node serves content. @returns {Promise<NodeFacts>} */
export function nodeKnown() {
  return new Promise((resolve) => {
    const stop = effect(() => {
      const facts = node.value;
      if (facts)
        queueMicrotask(() => {
          stop();
          resolve(facts);
        });
    });
  });
}

/** Rates from the last `node` event. */
export const rates = signal({ gateway: 0, requests: 0 });

/** Jobs by id, running and recent. @type {import("./vendor/preact.js").Signal<Record<string, Job>>} */
export const jobs = signal({});

/** Grows with every change of the files; lists that show files load anew on it. */
export const filesTurn = signal(0);
export const pinsTurn = signal(0);
/** Grows when a name points elsewhere. */
export const namesTurn = signal(0);
/** Grows when blocks were removed, whoever asked for it. */
export const collectionsTurn = signal(0);

/** Grows whenever something happened that the mark shows by stirring. */
export const stirs = signal(0);

export function filesChanged() {
  filesTurn.value += 1;
  stirs.value += 1;
}

async function loadFacts() {
  const [facts, running] = await Promise.all([read("node"), read("jobs")]);
  node.value = facts;
  /** @type {Job[]} */ (running.jobs).forEach(rememberJob);
}

/** Load what the node says of itself anew, after a change that its counts follow. */
export async function refreshNode() {
  try {
    node.value = await read("node");
  } catch (error) {
    if (!(error instanceof Failure)) throw error; // the connection's state says so already
  }
}

/**
 * Take over what is newer: the end of a short job can be told by an event before the answer to its start is read.
 * @param {Job} job
 */
export function rememberJob(job) {
  const known = jobs.value[job.id];
  if (job.state === "running" && known?.started === job.started && known.state !== "running") return;
  jobs.value = { ...jobs.value, [job.id]: job };
}

/** @type {Record<string, (data: any) => void>} */
const RECEIVERS = {
  files: () => {
    filesChanged();
    void refreshNode();
  },
  job: rememberJob,
  pins: () => {
    pinsTurn.value += 1;
    void refreshNode();
  },
  names: () => {
    namesTurn.value += 1;
    stirs.value += 1;
  },
  collected: () => {
    collectionsTurn.value += 1;
    void refreshNode();
  },
  node: (data) => {
    if (node.value)
      node.value = { ...node.value, state: data.state, uptime: data.uptime, size: data.size, counts: data.counts };
    rates.value = data.rates;
  },
  reset: () => {
    filesChanged();
    pinsTurn.value += 1;
    namesTurn.value += 1;
    void loadFacts().catch(() => undefined);
  },
};

let lastId = "";

/** @param {string} block the lines of one event */
function receive(block) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue; // a comment keeps the connection open
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
    else if (field === "id") lastId = value;
  }
  if (data.length) RECEIVERS[name]?.(JSON.parse(data.join("\n")));
}

async function listenOnce() {
  const abort = new AbortController();
  const response = await request("GET", "events", {
    signal: abort.signal,
    headers: lastId ? { "Last-Event-ID": lastId } : {},
  });
  if (!response.body) return;
  try {
    await loadFacts(); // only now: what happens from here on is told by an event
    connection.value = "live";
    await receiveAll(response.body);
  } finally {
    abort.abort();
  }
}

/** @param {ReadableStream<Uint8Array>} stream */
async function receiveAll(stream) {
  const reader = stream.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value.replaceAll("\r\n", "\n");
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      receive(text.slice(0, end));
      text = text.slice(end + 2);
    }
  }
}

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Listens for as long as the page lives. */
export async function listen() {
  for (let failures = 0; ;) {
    const began = Date.now();
    try {
      await listenOnce();
    } catch {
      failures += 1; // whatever ended it, the answer is the same: say that the node is away, and try again
    }
    if (keyWanted.value) return; // the page begins anew with the key
    connection.value = "lost";
    if (Date.now() - began > 10_000) failures = 0;
    await pause(Math.min(500 * 2 ** failures, 8000));
  }
}
