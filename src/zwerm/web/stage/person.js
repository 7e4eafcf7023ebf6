/** Somebody else on the stage: the connection, what they say about themselves, and how well they come through. */
import { signal } from "../vendor/preact.js";
import { Ladder, prefer, send } from "./adapting.js";
import { Gauge } from "./quality.js";

/** @import {Peer} from "./peer.js" */
/** @import {Quality} from "./quality.js" */
/** @template T @typedef {import("../vendor/preact.js").Signal<T>} Signal */
/** @typedef {{microphone: boolean, camera: boolean, screen: boolean, board: string, hand: number,
 * records: boolean}} Shown
 * `board`: which sharing of the screen it is; `hand`: when it was raised, or 0 */

const MAX_WORDS = 65_536;

export class Person {
  /** @type {Signal<Shown>} */
  shown = signal({ microphone: false, camera: false, screen: false, board: "", hand: 0, records: false });
  /** @type {Signal<Quality | null>} */
  quality = signal(null);
  /** How loud they are, 0 to 1. */
  level = signal(0);
  /** Whether pictures to them are stopped because the connection is too bad. */
  isPictureHeld = signal(false);
  /** @type {MediaStream} */
  sound = new MediaStream();
  /** @type {MediaStream} */
  picture = new MediaStream();
  /** @type {MediaStream} */
  screen = new MediaStream();
  /** @type {MediaStream} */
  screenSound = new MediaStream();
  hasMedia = signal(false);
  #gauge = new Gauge();
  #ladder = new Ladder();
  #hear;
  #greet;
  #stops;

  /**
   * @param {Peer} peer
   * @param {(person: Person, message: Record<string, unknown>) => void} hear
   * @param {(person: Person) => void} greet the first words, on each new channel
   */
  constructor(peer, hear, greet) {
    this.peer = peer;
    this.#hear = hear;
    this.#greet = greet;
    this.#stops = [
      peer.words.subscribe((channel) => channel && this.#attach(channel)),
      peer.media.subscribe((media) => {
        if (!media) return;
        this.sound.addTrack(media.audio);
        this.picture.addTrack(media.video);
        this.screen.addTrack(media.screen);
        this.screenSound.addTrack(media.screenAudio);
        this.hasMedia.value = true;
      }),
    ];
  }

  get endpoint() {
    return this.peer.endpoint;
  }

  get label() {
    return this.peer.label;
  }

  /** @param {Record<string, unknown>} message @returns {boolean} whether it went out */
  tell(message) {
    const channel = this.peer.words.value;
    if (channel?.readyState !== "open") return false;
    channel.send(JSON.stringify(message));
    return true;
  }

  /** Look how it goes, and send accordingly. @param {number} others @param {number} now */
  async look(others, now) {
    const { peer } = this;
    if (peer.state.value === "lost") return;
    const report = await peer.connection.getStats().catch(() => null);
    if (!report) return;
    const quality = this.#gauge.read([...report.values()], now);
    if (peer.state.value === "interrupted") {
      this.quality.value = { ...quality, grade: "poor", reason: "silent" };
      this.#ladder = new Ladder(); // what was lost in between says nothing about the next way
      return;
    }
    this.quality.value = quality;
    const rung = this.#ladder.step({ others, ...quality }, now);
    this.isPictureHeld.value = rung.height === 0;
    await prefer(peer.sender("audio"));
    await send(peer.sender("video"), rung, false);
    await send(peer.sender("screen"), rung, true);
  }

  /** How loud they are now; often asked. */
  listen() {
    const [source] = this.peer.receiver("audio")?.getSynchronizationSources() ?? [];
    const level = source?.audioLevel ?? this.quality.value?.level ?? 0;
    this.level.value = this.shown.value.microphone ? level : 0;
  }

  close() {
    for (const stop of this.#stops) stop();
  }

  /** @param {RTCDataChannel} channel */
  #attach(channel) {
    channel.onmessage = ({ data }) => {
      if (typeof data !== "string" || data.length > MAX_WORDS) return;
      try {
        const message = JSON.parse(data);
        if (typeof message === "object" && message !== null) this.#hear(this, message);
      } catch {
        // a line that nobody can read is a line less
      }
    };
    this.#greet(this);
  }
}
