/**
 * One other person of a call: a connection from page to page, with the same four places for media on both sides, so that
 * muting, cameras and shared screens need no negotiation. What is negotiated (the start, and a new way after the network
 * changed) is offered by one side, the one that leads; the other asks it to. Offers of both that meet are made good by a
 * rollback (W3C WebRTC, section 10.7), but after one Chromium shows no pictures any more.
 *
 * Nothing of the other side is taken before its signature was checked: a description of which the device's key did not
 * sign the certificates ends the connection as forged.
 */
import { signal } from "../vendor/preact.js";
import { fingerprints, parse } from "./description.js";

/** @template T @typedef {import("../vendor/preact.js").Signal<T>} Signal */
/** @typedef {"audio" | "video" | "screen" | "screenAudio"} Place */
/** @typedef {"connecting" | "connected" | "interrupted" | "lost"} PeerState */
/**
 * @typedef {object} PeerOptions
 * @property {string} endpoint
 * @property {string} key public key of the device, against which its media are verified
 * @property {string} label
 * @property {boolean} leads whether this side begins, and makes all offers
 * @property {RTCIceServer[]} iceServers
 * @property {RTCConfiguration} how
 * @property {(data: string) => Promise<unknown>} send
 * @property {(fingerprints: string[]) => Promise<string>} sign
 * @property {(signature: string, fingerprints: string[]) => Promise<boolean>} verify
 * @property {(place: Place) => MediaStreamTrack | null} track what this page sends
 */

/** The places of a connection's media, in the order of its sections. @type {[Place, "audio" | "video"][]} */
const PLACES = [
  ["audio", "audio"],
  ["video", "video"],
  ["screen", "video"],
  ["screenAudio", "audio"],
];
const GATHERED = 30; // milliseconds that candidates are gathered for before they are sent together
const PATIENCE = 1_500; // milliseconds of silence before another way is looked for
const AGAIN = [2_000, 4_000, 8_000, 15_000]; // milliseconds between tries
const MAX_EARLY = 64; // messages on a channel before the browser says that it is open
const ASKED = 1_000; // milliseconds after a restart in which the other side's wish for one is done already

export class Peer {
  /** @type {Signal<PeerState>} */
  state = signal("connecting");
  /** @type {Signal<"checking" | "verified" | "forged">} */
  verified = signal("checking");
  /** Sound and picture, once there is a verified connection. @type {Signal<Record<Place, MediaStreamTrack> | null>} */
  media = signal(null);

  #options;
  #connection;
  /** @type {Map<Place, RTCRtpTransceiver>} */
  #places = new Map();
  #isMakingOffer = false;
  #isSettingAnswer = false;
  #isIgnoring = false;
  #isClosed = false;
  #offers = 0;
  /** @type {Promise<unknown>} */
  #incoming = Promise.resolve();
  /** @type {Promise<unknown>} */
  #outgoing = Promise.resolve();
  /** @type {RTCIceCandidateInit[]} */
  #candidates = [];
  /** @type {{gather?: number, recover?: number}} */
  #timers = {};
  #tries = 0;
  #restarted = -Infinity; // when this side last did, in milliseconds

  /** @param {PeerOptions} options */
  constructor(options) {
    this.#options = options;
    this.label = signal(options.label);
    const connection = (this.#connection = new RTCPeerConnection({
      iceServers: options.iceServers,
      ...options.how,
    }));
    /** What is said, in order. @type {Signal<RTCDataChannel | null>} */
    this.words = signal(null);
    /** Files, in order. @type {Signal<RTCDataChannel | null>} */
    this.files = signal(null);
    /** Where a hand points: late is worse than lost. @type {Signal<RTCDataChannel | null>} */
    this.pointing = signal(null);
    connection.onnegotiationneeded = () => void this.#offer();
    connection.onicecandidate = ({ candidate }) => this.#gather(candidate);
    connection.onconnectionstatechange = () => this.#look();
    connection.oniceconnectionstatechange = () => this.#look();
    if (options.leads) this.#begin();
  }

  get endpoint() {
    return this.#options.endpoint;
  }

  get key() {
    return this.#options.key;
  }

  get connection() {
    return this.#connection;
  }

  /** @param {Place} place */
  sender(place) {
    return this.#places.get(place)?.sender ?? null;
  }

  /** @param {Place} place */
  receiver(place) {
    return this.#places.get(place)?.receiver ?? null;
  }

  /** Send what this page has for a place now. @param {Place} place */
  async refresh(place) {
    await this.sender(place)
      ?.replaceTrack(this.#options.track(place))
      .catch(() => undefined); // closed meanwhile
  }

  /** Take something of the other page, as it came. @param {string} data */
  receive(data) {
    const message = parse(data);
    if (!message) return;
    this.#incoming = this.#incoming
      .then(() => {
        if ("description" in message) return this.#take(message);
        return "restart" in message ? this.#takeWish() : this.#takeCandidates(message.candidates);
      })
      .catch(() => undefined); // what the browser refuses of the other side's changes nothing here
  }

  /** The network or the service came back: look for a way at once if there is none. */
  hurry() {
    if (this.#isClosed || this.state.value === "connected" || this.#tries === 0) return;
    this.#recover();
  }

  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timers.gather);
    clearTimeout(this.#timers.recover);
    this.#connection.close();
    this.media.value = this.words.value = this.files.value = this.pointing.value = null;
    this.state.value = "lost";
  }

  /** The side that begins says which places there are. */
  #begin() {
    const [main, screen] = [new MediaStream(), new MediaStream()];
    for (const [place, kind] of PLACES) {
      const streams = [place.startsWith("screen") ? screen : main];
      this.#places.set(place, this.#connection.addTransceiver(kind, { direction: "sendrecv", streams }));
      void this.refresh(place);
    }
    this.#openChannels();
  }

  /** The other side takes them as they are. */
  #follow() {
    const found = this.#connection.getTransceivers();
    if (found.length < PLACES.length || PLACES.some(([, kind], at) => found[at].receiver.track.kind !== kind))
      throw new TypeError("other places for media than ours");
    const [main, screen] = [new MediaStream(), new MediaStream()];
    PLACES.forEach(([place], at) => {
      found[at].direction = "sendrecv";
      found[at].sender.setStreams(place.startsWith("screen") ? screen : main);
      this.#places.set(place, found[at]);
      void this.refresh(place);
    });
    this.#openChannels();
  }

  #openChannels() {
    /** @param {string} label @param {number} id @param {Signal<RTCDataChannel | null>} place @param {object} how */
    const open = (label, id, place, how = {}) => {
      const channel = this.#connection.createDataChannel(label, { negotiated: true, id, ...how });
      channel.binaryType = "arraybuffer";
      /** The other side may know sooner that the channel is open, and speak. @type {MessageEvent[]} */
      const early = [];
      const hold = (/** @type {MessageEvent} */ message) => {
        if (early.length < MAX_EARLY) early.push(message);
      };
      channel.onmessage = hold;
      channel.onopen = () => {
        if (this.#isClosed) return;
        place.value = channel; // whoever listens sets another handler here
        if (channel.onmessage === hold) channel.onmessage = null;
        for (const message of early.splice(0)) channel.onmessage?.(message);
      };
      channel.onclose = () => {
        if (place.value === channel) place.value = null;
      };
    };
    open("words", 0, this.words);
    open("files", 1, this.files);
    open("pointing", 2, this.pointing, { ordered: false, maxRetransmits: 0 });
  }

  async #offer() {
    if (this.#isClosed) return;
    try {
      this.#isMakingOffer = true;
      await this.#connection.setLocalDescription();
      this.#offers += 1;
      this.#describe(this.#offers);
    } catch {
      // the other side's offer came in between, or the page is leaving
    } finally {
      this.#isMakingOffer = false;
    }
  }

  /** Send the present description, signed, after what was sent before. @param {number} n */
  #describe(n) {
    const description = this.#connection.localDescription;
    if (!description) return;
    const { type, sdp } = description;
    this.#post(async () => {
      const signature = await this.#options.sign(fingerprints(sdp));
      return { description: { type, sdp }, n, signature };
    });
  }

  /** @param {() => Promise<object> | object} write */
  #post(write) {
    this.#outgoing = this.#outgoing
      .then(async () => {
        const text = JSON.stringify(await write());
        if (!this.#isClosed) void this.#options.send(text).catch(() => undefined); // said by the session's own state
      })
      .catch(() => undefined);
  }

  /** @param {RTCIceCandidate | null} candidate */
  #gather(candidate) {
    if (!candidate) return;
    this.#candidates.push(candidate.toJSON());
    this.#timers.gather ??= setTimeout(() => {
      this.#timers.gather = undefined;
      const candidates = this.#candidates.splice(0);
      this.#post(() => ({ candidates }));
    }, GATHERED);
  }

  /** @param {import("./description.js").Described} described */
  async #take({ description, n, signature }) {
    const connection = this.#connection;
    const named = fingerprints(description.sdp);
    const isSigned = named.length > 0 && (await this.#options.verify(signature, named));
    if (this.#isClosed) return;
    if (!isSigned) {
      this.verified.value = "forged";
      this.close();
      return;
    }
    const isStable = connection.signalingState === "stable" || this.#isSettingAnswer;
    this.#isIgnoring = this.#options.leads && description.type === "offer" && (this.#isMakingOffer || !isStable);
    if (this.#isIgnoring) return;
    if (description.type === "answer" && (n !== this.#offers || connection.signalingState !== "have-local-offer"))
      return; // of an offer that was taken back
    this.#isSettingAnswer = description.type === "answer";
    try {
      await connection.setRemoteDescription(description);
    } finally {
      this.#isSettingAnswer = false;
    }
    this.verified.value = "verified";
    if (description.type === "offer") {
      if (this.#places.size === 0) this.#follow();
      await connection.setLocalDescription();
      this.#describe(n);
    }
    this.#look();
  }

  /** @param {RTCIceCandidateInit[]} candidates */
  async #takeCandidates(candidates) {
    if (this.#isIgnoring) return;
    for (const candidate of candidates) await this.#connection.addIceCandidate(candidate).catch(() => undefined);
  }

  #look() {
    if (this.#isClosed) return;
    const { connectionState, iceConnectionState } = this.#connection;
    const isThere = connectionState === "connected" && iceConnectionState !== "disconnected";
    if (isThere && this.verified.value === "verified") {
      clearTimeout(this.#timers.recover);
      this.#timers.recover = undefined;
      this.#tries = 0;
      this.media.value ??= /** @type {Record<Place, MediaStreamTrack>} */ (
        Object.fromEntries(PLACES.map(([place]) => [place, this.receiver(place)?.track]))
      );
      this.state.value = "connected";
    } else if (
      iceConnectionState === "disconnected" ||
      iceConnectionState === "failed" ||
      connectionState === "failed"
    ) {
      this.state.value = this.media.value ? "interrupted" : "connecting";
      if (connectionState === "failed") this.#wait(0);
      else this.#wait(PATIENCE);
    }
  }

  /** @param {number} pause */
  #wait(pause) {
    this.#timers.recover ??= setTimeout(() => this.#recover(), pause + (this.#options.leads ? 0 : 500));
  }

  /** Look for another way; an offer that nobody answered is taken back. */
  #recover() {
    clearTimeout(this.#timers.recover);
    this.#timers.recover = undefined;
    if (this.#isClosed || this.state.value === "connected") return;
    const pause = AGAIN[Math.min(this.#tries, AGAIN.length - 1)];
    this.#tries += 1;
    if (this.#options.leads) this.#incoming = this.#incoming.then(() => this.#offerAnew()).catch(() => undefined);
    else this.#post(() => ({ restart: true }));
    this.#wait(pause);
  }

  async #takeWish() {
    if (this.#isClosed || !this.#options.leads || performance.now() - this.#restarted < ASKED) return;
    await this.#offerAnew();
  }

  async #offerAnew() {
    if (this.#connection.signalingState === "have-local-offer" && !this.#isMakingOffer)
      await this.#connection.setLocalDescription({ type: "rollback" });
    this.#restarted = performance.now();
    this.#connection.restartIce();
  }
}
