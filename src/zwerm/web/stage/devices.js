/**
 * Camera, microphone and speaker of this page: what was chosen, what there is, and what is wrong. A call takes part with
 * whatever could be had; the trouble says why the rest could not.
 */
import { obstacle } from "../calls/obstacle.js";
import { batch, signal } from "../vendor/preact.js";

/** @template T @typedef {import("../vendor/preact.js").Signal<T>} Signal */
/** @typedef {"audio" | "video"} Kind */
/** @typedef {"insecure" | "unsupported" | "denied" | "none" | "busy" | "unplugged"} Trouble */

const CHOICE = "zwerm.devices";
/** @type {Record<string, Trouble>} */
const TROUBLES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "none",
  OverconstrainedError: "none",
};

/** @returns {{audio: string, video: string, speaker: string, clean: boolean}} */
function remembered() {
  const empty = { audio: "", video: "", speaker: "", clean: true };
  try {
    return { ...empty, ...JSON.parse(localStorage.getItem(CHOICE) ?? "{}") };
  } catch {
    return empty; // written by somebody else
  }
}

export class Devices {
  /** @type {Signal<MediaStreamTrack | null>} */
  microphone = signal(null);
  /** @type {Signal<MediaStreamTrack | null>} */
  camera = signal(null);
  /** @type {Signal<Record<Kind, Trouble | null>>} */
  trouble = signal({ audio: null, video: null });
  /** @type {Signal<MediaDeviceInfo[]>} */
  list = signal([]);
  chosen = signal(remembered());
  isOpening = signal(false);
  #turn = { audio: 0, video: 0 };
  #isClosed = false;

  constructor() {
    navigator.mediaDevices?.addEventListener?.("devicechange", this.#changed);
    void this.#follow("audio", "microphone");
    void this.#follow("video", "camera");
  }

  /** What the person allows after all opens by itself. @param {Kind} kind @param {string} name of the permission */
  async #follow(kind, name) {
    const wanted = { name: /** @type {PermissionName} */ (name) };
    const status = await navigator.permissions?.query(wanted).catch(() => undefined); // not all browsers know these
    status?.addEventListener("change", () => {
      const isAllowed = status.state === "granted" && this.trouble.value[kind] === "denied";
      if (isAllowed && !this.#isClosed) void this.#openOne(kind).then(() => this.look());
    });
  }

  /** Ask for what is wanted; the browser may ask the person. @param {{audio: boolean, video: boolean}} wanted */
  async open({ audio, video }) {
    const trouble = obstacle();
    if (trouble) {
      this.trouble.value = { audio: trouble, video: trouble };
      return;
    }
    this.isOpening.value = true;
    try {
      if (audio && video && !(await this.#openBoth())) {
        await this.#openOne("audio");
        await this.#openOne("video");
      } else if (audio !== video) await this.#openOne(audio ? "audio" : "video");
    } finally {
      this.isOpening.value = false;
    }
    await this.look();
  }

  /** Let one of them go; its light goes out. @param {Kind} kind */
  release(kind) {
    this.#turn[kind] += 1;
    this.#put(kind, null);
  }

  /** @param {"audio" | "video" | "speaker"} kind @param {string} id "" is the browser's choice */
  async choose(kind, id) {
    this.#remember({ [kind]: id });
    if (kind !== "speaker" && this.#slot(kind).value) await this.#openOne(kind);
  }

  /** Whether echo and noise are taken away. @param {boolean} clean */
  async clean(clean) {
    this.#remember({ clean });
    if (this.microphone.value) await this.#openOne("audio");
  }

  /** Find out what there is. Names are told once one of them was allowed. */
  async look() {
    this.list.value = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  }

  close() {
    this.#isClosed = true;
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.#changed);
    this.release("audio");
    this.release("video");
  }

  /** @param {Kind} kind */
  #slot(kind) {
    return kind === "audio" ? this.microphone : this.camera;
  }

  /** @param {Partial<ReturnType<typeof remembered>>} news */
  #remember(news) {
    this.chosen.value = { ...this.chosen.value, ...news };
    localStorage.setItem(CHOICE, JSON.stringify(this.chosen.value));
  }

  /** @param {Kind} kind @returns {MediaTrackConstraints} */
  #wish(kind) {
    const { audio, video, clean } = this.chosen.value;
    const device = kind === "audio" ? audio : video;
    const wish = device ? { deviceId: { ideal: device } } : {};
    if (kind === "video") return { ...wish, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
    return { ...wish, echoCancellation: clean, noiseSuppression: clean, autoGainControl: clean };
  }

  /** One question for both. @returns {Promise<boolean>} whether both are there */
  async #openBoth() {
    const turns = { audio: (this.#turn.audio += 1), video: (this.#turn.video += 1) };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: this.#wish("audio"),
        video: this.#wish("video"),
      });
      batch(() => {
        this.#take("audio", turns.audio, stream.getAudioTracks()[0]);
        this.#take("video", turns.video, stream.getVideoTracks()[0]);
      });
      return true;
    } catch {
      return false; // each by itself says what is wrong with it
    }
  }

  /** @param {Kind} kind */
  async #openOne(kind) {
    const turn = (this.#turn[kind] += 1);
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ [kind]: this.#wish(kind) });
      this.#take(kind, turn, stream.getTracks()[0]);
    } catch (error) {
      if (turn !== this.#turn[kind]) return;
      const name = error instanceof Error ? error.name : "";
      batch(() => {
        this.#put(kind, null);
        this.#say(kind, TROUBLES[name] ?? "busy");
      });
    }
  }

  /** @param {Kind} kind @param {number} turn @param {MediaStreamTrack} track */
  #take(kind, turn, track) {
    if (turn !== this.#turn[kind] || this.#isClosed) {
      track.stop();
      return;
    }
    track.onended = () => {
      if (this.#slot(kind).value === track) this.#unplugged(kind);
    };
    batch(() => {
      this.#put(kind, track);
      this.#say(kind, null);
    });
  }

  /** @param {Kind} kind */
  #unplugged(kind) {
    batch(() => {
      this.#put(kind, null);
      this.#say(kind, "unplugged");
    });
    void this.look();
  }

  /** @param {Kind} kind @param {MediaStreamTrack | null} track */
  #put(kind, track) {
    const slot = this.#slot(kind);
    const before = slot.value;
    slot.value = track;
    if (before && before !== track) {
      before.onended = null;
      before.stop();
    }
  }

  /** @param {Kind} kind @param {Trouble | null} trouble */
  #say(kind, trouble) {
    this.trouble.value = { ...this.trouble.value, [kind]: trouble };
  }

  /** What was missing may have come: a microphone that was pulled out and put in again goes on. */
  #changed = async () => {
    await this.look();
    for (const kind of /** @type {Kind[]} */ (["audio", "video"])) {
      const isThere = this.list.value.some((device) => device.kind === `${kind}input`);
      if (isThere && this.trouble.value[kind] === "unplugged") await this.#openOne(kind);
    }
  };
}
