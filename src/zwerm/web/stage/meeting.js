/**
 * What goes on between the people of a call or room: who is there, what this page shows of itself, what is said. The
 * stage draws it; the page that made it tells who comes and goes (`add`, `remove`).
 */
import { batch, computed, signal } from "../vendor/preact.js";
import { Devices } from "./devices.js";
import { Drawing } from "./drawing.js";
import { Mesh } from "./mesh.js";
import { Person } from "./person.js";
import { Shelf } from "./shelf.js";
import { listen } from "./sound.js";

/** @import {Signaling} from "../calls/signaling.js" */
/** @import {Member} from "./mesh.js" */
/** @import {Peer, Place} from "./peer.js" */
/** @template T @typedef {import("../vendor/preact.js").Signal<T>} Signal */
/** @typedef {{id: string, own: boolean, label: string, text: string, at: number}} Line `at` in milliseconds */
/** @typedef {{lines: import("../vendor/preact.js").ReadonlySignal<Line[]>, say: (text: string) => Promise<boolean>}} Chat */
/** @typedef {{id: number, endpoint: string, what: string}} Reaction `endpoint` is "" for ours */

export const REACTIONS = ["👍", "❤️", "😂", "👏", "🎉"];
const REACTION_SHOWN = 4_000; // milliseconds
const LOOK = 1_000;
const LISTEN = 150;
const SPEAKING = 0.02; // a voice, not a room
const HOLD = 1_200; // milliseconds for which the stage stays with somebody
const RENEW = 45 * 60_000; // milliseconds; a relay's credential is good for an hour
const MAX_LINES = 1_000;
const MAX_TEXT = 4_096;
const MAX_BOARD = 64; // characters of the name of a sharing

export class Meeting {
  isMuted = signal(false);
  /** Whether the person wants to be seen; the camera may be missing all the same. */
  isCameraOn = signal(true);
  /** When our hand was raised, or 0. */
  hand = signal(0);
  /** What records this call here. @type {Signal<import("./recorder.js").Recorder | null>} */
  recorder = signal(null);
  /** What is shown of our screen. @type {Signal<{video: MediaStreamTrack, audio: MediaStreamTrack | null} | null>} */
  screen = signal(null);
  /** @type {Signal<Person[]>} */
  people = signal([]);
  /** @type {Signal<Reaction[]>} */
  reactions = signal([]);
  isOpen = signal(false);
  /** Endpoint of whoever speaks, or spoke last. */
  speaker = signal("");
  /** Whether the talk key is held. */
  isTalking = signal(false);
  #signaling;
  #spoke = 0;
  #lastReaction = 0;
  /** @type {Map<string, Set<(person: Person, message: any) => void>>} */
  #listeners = new Map();
  /** @type {(() => void)[]} */
  #stops = [];

  /**
   * @param {{signaling: Signaling, kind: "call" | "room", scope: string, media?: {audio: boolean, video: boolean},
   * devices?: Devices, chat?: Chat, policy?: RTCIceTransportPolicy, isHost?: (endpoint: string) => boolean}} options
   * `isHost`: of somebody, or of us ("")
   */
  constructor({ signaling, kind, scope, media = { audio: true, video: true }, devices, chat, policy, isHost }) {
    this.#signaling = signaling;
    this.kind = kind;
    this.isHost = isHost ?? (() => false);
    this.devices = devices ?? new Devices();
    this.isMuted.value = !media.audio;
    this.isCameraOn.value = media.video;
    this.mesh = new Mesh({ signaling, kind, scope, policy, track: (place) => this.track(place) });
    /** @type {import("../vendor/preact.js").ReadonlySignal<Peer[]>} */
    this.peers = this.mesh.peers;
    /** Whether the others hear us. */
    this.isHeard = computed(
      () => this.devices.microphone.value !== null && (!this.isMuted.value || this.isTalking.value),
    );
    this.chat = chat ?? this.#directChat();
    this.shelf = new Shelf(this);
    this.drawing = new Drawing(this);
    this.#stops.push(
      this.mesh.peers.subscribe((peers) => this.#match(peers)),
      this.devices.microphone.subscribe(() => void this.mesh.refresh("audio")),
      this.devices.camera.subscribe(() => void this.mesh.refresh("video")),
      this.screen.subscribe(() => {
        void this.mesh.refresh("screen");
        void this.mesh.refresh("screenAudio");
      }),
      computed(() => ({ track: this.devices.microphone.value, isHeard: this.isHeard.value })).subscribe(
        ({ track, isHeard }) => {
          if (track) track.enabled = isHeard;
        },
      ),
      this.#shown.subscribe(() => this.tell(this.#state())),
      this.on("state", (person, message) => this.#takeState(person, message)),
      this.on("reaction", (person, { what }) => {
        if (REACTIONS.includes(what)) this.#show(person.endpoint, what);
      }),
    );
  }

  /** What we say about ourselves. */
  #shown = computed(() => ({
    microphone: this.isHeard.value,
    camera: this.devices.camera.value !== null,
    screen: this.screen.value !== null,
    board: this.screen.value?.video.id ?? "",
    hand: this.hand.value,
    records: this.recorder.value !== null,
  }));

  /** What the others know us by. */
  get endpoint() {
    return this.#signaling.self.value?.endpoint ?? "";
  }

  /** Ask for devices, if nobody did yet, and connect to whoever is announced. */
  async open() {
    this.#stops.push(listen(this));
    this.#every(LOOK, () => this.people.value.forEach((each) => void each.look(this.people.value.length, Date.now())));
    this.#every(LISTEN, () => this.#listen());
    this.#every(RENEW, () => void this.#renew());
    const { devices } = this;
    const wanted = {
      audio: devices.microphone.value === null && !devices.trouble.value.audio,
      video: this.isCameraOn.value && devices.camera.value === null && !devices.trouble.value.video,
    };
    const connected = this.#renew();
    if (wanted.audio || wanted.video) await devices.open(wanted);
    await connected;
    this.isOpen.value = true;
  }

  /** @param {Member} member */
  add(member) {
    this.mesh.add(member);
  }

  /** @param {string} endpoint */
  remove(endpoint) {
    this.mesh.remove(endpoint);
  }

  /** What is sent in a place now. @param {Place} place @returns {MediaStreamTrack | null} */
  track(place) {
    if (place === "audio") return this.devices.microphone.value;
    if (place === "video") return this.devices.camera.value;
    return (place === "screen" ? this.screen.value?.video : this.screen.value?.audio) ?? null;
  }

  async mute(isMuted = !this.isMuted.value) {
    this.isMuted.value = isMuted;
    if (!isMuted && !this.devices.microphone.value) await this.devices.open({ audio: true, video: false });
  }

  async showCamera(isOn = !this.devices.camera.value) {
    this.isCameraOn.value = isOn;
    if (isOn) await this.devices.open({ audio: false, video: true });
    else this.devices.release("video");
  }

  /** @param {boolean} isRaised */
  raise(isRaised) {
    this.hand.value = isRaised ? Date.now() : 0;
  }

  /** @param {string} what one of `REACTIONS` */
  react(what) {
    this.tell({ type: "reaction", what });
    this.#show("", what);
  }

  /** Show a window or the screen, with its sound where the browser gives it. @returns {Promise<boolean>} */
  async shareScreen() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15 } }, audio: true });
    } catch {
      return false; // thought better of it, or not allowed: the browser said so itself
    }
    const [video] = stream.getVideoTracks();
    const [audio = null] = stream.getAudioTracks();
    video.contentHint = "detail";
    video.onended = () => this.hideScreen();
    this.hideScreen();
    this.screen.value = { video, audio };
    return true;
  }

  hideScreen() {
    const { video, audio } = this.screen.value ?? {};
    this.screen.value = null;
    video?.stop();
    audio?.stop();
  }

  /** Say something to all pages. @param {Record<string, unknown>} message */
  tell(message) {
    for (const person of this.people.value) person.tell(message);
  }

  /**
   * Hear what the others' pages say.
   * @param {string} type @param {(person: Person, message: any) => void} listener
   * @returns {() => void} how to stop
   */
  on(type, listener) {
    const all = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, all.add(listener));
    return () => all.delete(listener);
  }

  /** @param {boolean} [alsoDevices] whether camera and microphone are let go, too */
  close(alsoDevices = true) {
    for (const stop of this.#stops.splice(0)) stop();
    this.isOpen.value = false;
    this.recorder.value?.stop();
    this.hideScreen();
    this.shelf.close();
    this.drawing.close();
    this.mesh.close();
    for (const person of this.people.value) person.close();
    this.people.value = [];
    if (alsoDevices) this.devices.close();
  }

  /** @param {number} pause @param {() => void} work */
  #every(pause, work) {
    const timer = setInterval(work, pause);
    this.#stops.push(() => clearInterval(timer));
  }

  async #renew() {
    const { iceServers } = await this.#signaling.ask("relay").catch(() => ({ iceServers: [] }));
    this.mesh.begin(iceServers);
  }

  /** Find out who speaks: the loudest, and not another one at each cough. */
  #listen() {
    batch(() => {
      for (const person of this.people.value) person.listen();
      const now = Date.now();
      const [loudest] = this.people.value.toSorted((a, b) => b.level.value - a.level.value);
      const isSpeaking = loudest && loudest.level.value > SPEAKING;
      if (loudest?.endpoint === this.speaker.value) {
        if (isSpeaking) this.#spoke = now;
      } else if (isSpeaking && now - this.#spoke > HOLD) {
        this.speaker.value = loudest.endpoint;
        this.#spoke = now;
      }
    });
  }

  #state() {
    return { type: "state", ...this.#shown.value };
  }

  /** @param {Peer[]} peers */
  #match(peers) {
    const before = this.people.peek();
    const gone = before.filter(({ peer }) => !peers.includes(peer));
    const people = peers.map(
      (peer) =>
        before.find((person) => person.peer === peer) ??
        new Person(
          peer,
          (person, message) => this.#hear(person, message),
          (person) => person.tell(this.#state()),
        ),
    );
    for (const person of gone) person.close();
    this.people.value = people;
  }

  /** @param {Person} person @param {Record<string, unknown>} message */
  #hear(person, message) {
    for (const listener of this.#listeners.get(String(message.type)) ?? []) listener(person, message);
  }

  /** @param {Person} person @param {Record<string, unknown>} message */
  #takeState(person, { microphone, camera, screen, board, hand, records }) {
    const raised = typeof hand === "number" && hand > 0 ? hand : 0;
    person.shown.value = {
      microphone: microphone === true,
      camera: camera === true,
      screen: screen === true,
      board: typeof board === "string" ? board.slice(0, MAX_BOARD) : "",
      hand: raised,
      records: records === true,
    };
  }

  /** @param {string} endpoint @param {string} what */
  #show(endpoint, what) {
    const id = (this.#lastReaction += 1);
    this.reactions.value = [...this.reactions.value.slice(-20), { id, endpoint, what }];
    setTimeout(() => {
      this.reactions.value = this.reactions.value.filter((each) => each.id !== id);
    }, REACTION_SHOWN);
  }

  /** In a call of two nothing is kept anywhere: lines go straight to the other page. @returns {Chat} */
  #directChat() {
    /** @type {Signal<Line[]>} */
    const lines = signal([]);
    let last = 0;
    /** @param {boolean} own @param {string} label @param {string} text */
    const add = (own, label, text) => {
      last += 1;
      lines.value = [...lines.value.slice(1 - MAX_LINES), { id: String(last), own, label, text, at: Date.now() }];
    };
    this.#stops.push(
      this.on("text", (person, { text }) => {
        if (typeof text === "string" && text.length <= MAX_TEXT) add(false, person.label.value, text);
      }),
    );
    return {
      lines,
      say: async (text) => {
        const went = this.people.value.map((person) => person.tell({ type: "text", text })).some(Boolean);
        if (went) add(true, "", text);
        return went;
      },
    };
  }
}
