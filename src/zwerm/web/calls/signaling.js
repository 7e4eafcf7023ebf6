/**
 * The client of the calls service (docs/calls.md): one session of this page, over as many connections as it takes.
 *
 * Requests get one answer, also when the connection breaks between: they are sent again, and the service does each once.
 * Events come in order, each once: they are numbered, and a new connection goes on after the last one. A connection that
 * says nothing for ten seconds is given up, and a new one tried at once, then ever more seldom.
 */
import { batch, signal } from "../vendor/preact.js";
import { Failure } from "../api.js";
import { openCarrier } from "./carrier.js";
import { signGreeting, signMedia } from "./device-key.js";

/** @import {Carrier} from "./carrier.js" */
/** @import {DeviceKey} from "./device-key.js" */

/** @template T @typedef {import("../vendor/preact.js").Signal<T>} Signal */
/** @typedef {Record<string, any>} Message */
/** @typedef {{mail: boolean, push: string | null, passkeys: boolean, nonce: string, server: string}} Welcome */
/** @typedef {{endpoint: string, name: string | null}} Self */
/**
 * How a session says who it is: the request of its greeting.
 * @typedef {{own: DeviceKey, greet: (nonce: string) => Promise<Message>}} Identity
 */

const SILENCE = 10_000; // milliseconds after which a connection is given up
const ACKNOWLEDGE = 1000; // milliseconds until what was heard is acknowledged
const PAUSES = [0, 300, 1000, 2000, 4000, 8000]; // milliseconds before one more try; each a little by chance
/** What does not get better by trying again. */
const FINAL = new Set(["not-known", "signed-out", "replaced", "bad-link", "bad-message", "no-such-room"]);
const STRANGERS_TRIES = 3;

/** @param {string} code @param {string} what @param {number | null} [wait] @param {number} [status] */
function failing(code, what, wait = null, status = 400) {
  const failure = new CallFailure({ code, what, why: null, do: null, details: null }, status);
  failure.wait = wait;
  return failure;
}

/** What the service refused; `code` is one of docs/calls.md. */
export class CallFailure extends Failure {
  /** Seconds after which it may be tried again, if that helps. @type {number | null} */
  wait = null;
}

/** @type {Identity} somebody who has not said who they are, for requests that need no session */
const NOBODY = { own: /** @type {any} */ (null), greet: async () => ({}) };

export class Signaling {
  /** @type {Signal<"connecting" | "online" | "lost" | "ended">} */
  state = signal("connecting");
  /** Why it does not try again. @type {Signal<{code: string, what: string} | null>} */
  ending = signal(null);
  /** @type {Signal<Self | null>} */
  self = signal(null);
  /** Grows with each new session, not with one that goes on. */
  turn = signal(0);
  /** @type {Signal<Welcome | null>} */
  welcome = signal(null);

  #identity;
  /** @type {Carrier | null} */
  #carrier = null;
  #attempt = 0; // counts connections, so that the voice of an old one is known
  #failures = 0;
  #stopped = false;
  #isReady = false;
  /** @type {string | null} */
  #secret = null;
  #seq = 0;
  #acknowledged = 0;
  #lastId = 0;
  #lastHeard = 0;
  /**
   * What waits for its answer, in the order in which it was asked.
   * @type {Map<number, {message: Message, sent: boolean, resolve: (value: any) => void, reject: (error: Failure) => void}>}
   */
  #asked = new Map();
  #hello = 0; // the number of the greeting that waits for its answer
  /** @type {Map<string, Set<(event: any) => void>>} */
  #listeners = new Map();
  /** @type {{acknowledge?: number, watch?: number, retry?: number}} */
  #timers = {};

  /** @param {Identity} identity */
  constructor(identity) {
    this.#identity = identity;
  }

  /** The public key of this device. */
  get key() {
    return this.#identity.own.key;
  }

  /**
   * The session of a device that belongs to an account.
   * @param {{device: string, own: DeviceKey}} device
   */
  static account({ device, own }) {
    return new Signaling({
      own,
      greet: async (nonce) => ({ type: "hello", device, signature: await signGreeting(own, nonce, device) }),
    });
  }

  /**
   * The session of somebody without an account, who has the link of a room.
   * @param {DeviceKey} own @param {string} link @param {string} label
   */
  static guest(own, link, label) {
    return new Signaling({
      own,
      greet: async (nonce) => ({
        type: "guest",
        link,
        label,
        key: own.key,
        signature: await signGreeting(own, nonce, "guest"),
      }),
    });
  }

  /** Begin; it goes on by itself until `stop`. */
  start() {
    addEventListener("online", this.#hurry);
    addEventListener("pageshow", this.#hurry);
    document.addEventListener("visibilitychange", this.#hurry);
    void this.#connect();
    return this;
  }

  /** End for good. The service keeps the session for a minute, for the case that it was an accident. */
  stop() {
    this.#end("stopped", "");
  }

  /**
   * Ask for something.
   * @param {string} type
   * @param {Message} [fields]
   * @returns {Promise<any>}
   * @throws {CallFailure} the service's refusal, or `lost`: the session ended before the answer came
   */
  ask(type, fields = {}) {
    return new Promise((resolve, reject) => {
      const ending = this.ending.value;
      if (ending) {
        reject(failing(ending.code, ending.what));
        return;
      }
      this.#lastId += 1;
      this.#asked.set(this.#lastId, { message: { type, id: this.#lastId, ...fields }, sent: false, resolve, reject });
      this.#send(this.#lastId);
    });
  }

  /** @param {number} id */
  #send(id) {
    const asked = this.#asked.get(id);
    if (!asked || !this.#isReady || !this.#carrier) return;
    asked.sent = true;
    this.#carrier.send(JSON.stringify(asked.message));
  }

  /** Nobody will answer what was sent. @param {string} code @param {string} what */
  #giveUp(code, what) {
    for (const [id, { sent, reject }] of this.#asked) {
      if (!sent) continue;
      this.#asked.delete(id);
      reject(failing(code, what, null, 0));
    }
  }

  /**
   * Listen to events of a type.
   * @param {string} type
   * @param {(event: any) => void} listener
   * @returns {() => void} how to stop
   */
  on(type, listener) {
    const all = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, all.add(listener));
    return () => all.delete(listener);
  }

  /**
   * The signature beside a description of this device's media.
   * @param {string} scope the call or room @param {string} to the other endpoint @param {string[]} fingerprints
   */
  signMedia(scope, to, fingerprints) {
    return signMedia(this.#identity.own, scope, this.self.value?.endpoint ?? "", to, fingerprints);
  }

  async #connect() {
    clearTimeout(this.#timers.retry);
    this.#timers.retry = undefined;
    this.#attempt += 1;
    const mine = this.#attempt;
    const isMine = () => mine === this.#attempt && !this.#stopped;
    this.#lastHeard = Date.now();
    try {
      const carrier = await openCarrier({
        text: (text) => isMine() && this.#receive(JSON.parse(text)),
        closed: () => isMine() && this.#lost(),
      });
      if (!isMine()) {
        carrier.close();
        return;
      }
      this.#carrier = carrier;
      this.#lastHeard = Date.now();
      clearInterval(this.#timers.watch);
      this.#timers.watch = setInterval(() => {
        if (Date.now() - this.#lastHeard > SILENCE) this.#lost();
      }, 1000);
    } catch {
      if (isMine()) this.#lost();
    }
  }

  /** The connection is over; try again. */
  #lost() {
    this.#attempt += 1;
    clearInterval(this.#timers.watch);
    this.#carrier?.close();
    this.#carrier = null;
    this.#isReady = false;
    this.#hello = 0;
    if (this.#stopped) return;
    this.state.value = this.self.value ? "lost" : "connecting";
    if (this.#identity === NOBODY) {
      this.#giveUp("offline", "The connection broke"); // it may have been done; only whoever asked can know
      if (this.#failures >= STRANGERS_TRIES) {
        this.#end("offline", "The calls service does not answer");
        return;
      }
    }
    const pause = PAUSES[Math.min(this.#failures, PAUSES.length - 1)];
    this.#failures += 1;
    clearTimeout(this.#timers.retry);
    this.#timers.retry = setTimeout(() => void this.#connect(), pause * (0.75 + Math.random() / 2));
  }

  /** The network or the person is back: do not wait for the next try, and ask whether the old way still holds. */
  #hurry = () => {
    if (this.#stopped || document.visibilityState === "hidden") return;
    if (this.#timers.retry !== undefined) void this.#connect();
    else if (this.#carrier && Date.now() - this.#lastHeard > SILENCE) this.#lost();
  };

  /** @param {Message} message */
  #receive(message) {
    this.#lastHeard = Date.now();
    if (typeof message.seq === "number") this.#take(message);
    else if (message.type === "ping") this.#carrier?.send('{"type":"pong"}');
    else if (message.type === "welcome") void this.#greet(/** @type {any} */ (message));
    else if (message.type === "closing") this.#closing(message.code, message.what);
    else if (message.type === "result" || message.type === "error") this.#answered(message);
  }

  /** @param {Message} event */
  #take(event) {
    if (event.seq <= this.#seq) return;
    this.#seq = event.seq;
    this.#timers.acknowledge ??= setTimeout(() => this.#acknowledge(), ACKNOWLEDGE);
    for (const listener of [...(this.#listeners.get(event.type) ?? [])]) listener(event);
  }

  #acknowledge() {
    this.#timers.acknowledge = undefined;
    if (!this.#isReady || this.#acknowledged === this.#seq) return;
    this.#acknowledged = this.#seq;
    this.#carrier?.send(JSON.stringify({ type: "ack", seq: this.#seq }));
  }

  /** @param {Message} message */
  #answered(message) {
    if (message.re === this.#hello) {
      this.#hello = 0;
      if (message.type === "result") this.#entered(message.value);
      else this.#closing(message.code, message.what);
      return;
    }
    const asked = this.#asked.get(message.re);
    if (!asked) return; // told twice, after a break
    this.#asked.delete(message.re);
    if (message.type === "result") asked.resolve(message.value);
    else asked.reject(failing(message.code, message.what, message.wait ?? null));
  }

  /** Say who is there, and go on where it broke off. @param {Welcome} welcome */
  async #greet(welcome) {
    const carrier = this.#carrier;
    this.welcome.value = welcome;
    const greeting = await this.#identity.greet(welcome.nonce);
    if (carrier !== this.#carrier || !carrier) return;
    if (this.#identity === NOBODY) {
      this.#begin();
      return;
    }
    this.#lastId += 1;
    this.#hello = this.#lastId;
    const resume = this.#secret ? { resume: { session: this.#secret, seq: this.#seq } } : {};
    carrier.send(JSON.stringify({ ...greeting, id: this.#hello, ...resume }));
  }

  /** @param {Message} value */
  #entered(value) {
    if (!value.resumed) {
      if (this.#secret !== null) this.#giveUp("lost", "The connection broke before the answer came");
      this.#secret = value.session;
      this.#seq = this.#acknowledged = 0;
      batch(() => {
        this.self.value = { endpoint: value.endpoint, name: value.name };
        this.turn.value += 1;
      });
    }
    this.#begin();
  }

  /** What waits goes out, in order; what the service has heard already it answers from its memory. */
  #begin() {
    this.#isReady = true;
    this.#failures = 0;
    for (const id of this.#asked.keys()) this.#send(id);
    this.#acknowledge();
    this.state.value = "online";
  }

  /** The service says why it closes. @param {string} code @param {string} what */
  #closing(code, what) {
    if (FINAL.has(code)) this.#end(code, what);
    else this.#lost();
  }

  /** @param {string} code @param {string} what */
  #end(code, what) {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#attempt += 1;
    this.#isReady = false;
    removeEventListener("online", this.#hurry);
    removeEventListener("pageshow", this.#hurry);
    document.removeEventListener("visibilitychange", this.#hurry);
    clearTimeout(this.#timers.retry);
    clearTimeout(this.#timers.acknowledge);
    clearInterval(this.#timers.watch);
    this.#carrier?.close();
    this.#carrier = null;
    batch(() => {
      this.ending.value = { code, what };
      this.state.value = "ended";
    });
    for (const { reject } of this.#asked.values()) reject(failing(code, what, null, 0));
    this.#asked.clear();
  }
}

/**
 * Requests of somebody who is not signed in, on a connection of their own: to register, to use a link up.
 * @template T
 * @param {(ask: Signaling["ask"], welcome: Signaling["welcome"]) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function asStranger(work) {
  const stranger = new Signaling(NOBODY).start();
  try {
    return await work((type, fields) => stranger.ask(type, fields), stranger.welcome);
  } finally {
    stranger.stop();
  }
}

/**
 * What the service is and does, before one says who one is.
 * @returns {Promise<Welcome | null>} null where there is no such service
 */
export async function aboutService() {
  const answer = await fetch("/api/calls/v1/schema.json").catch(() => null);
  if (answer?.status === 404) return null;
  const stranger = new Signaling(NOBODY);
  const known = new Promise((resolve, reject) => {
    stranger.welcome.subscribe((welcome) => welcome && resolve(welcome));
    stranger.ending.subscribe((ending) => ending && reject(failing(ending.code, ending.what, null, 0)));
  });
  stranger.start();
  try {
    return await known;
  } finally {
    stranger.stop();
  }
}
