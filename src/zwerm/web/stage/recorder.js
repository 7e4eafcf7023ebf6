/**
 * A recording of what is on the stage: one picture of everybody, the shared screen large, and one sound. It goes where
 * files that come in go (`disk.js`): onto the disk while it runs, where the browser has one for the page.
 */
import { signal } from "../vendor/preact.js";
import { boxOf } from "./paint.js";

/** @import {Keeping} from "./disk.js" */
/** @import {Meeting} from "./meeting.js" */
/** @import {Box} from "./paint.js" */
/** @typedef {{track: MediaStreamTrack | null, label: string, isScreen: boolean}} Seat */

const [WIDTH, HEIGHT] = [1280, 720]; // pixels
const PICTURES = 15; // a second
const PIECE = 1_000; // milliseconds of a piece that goes onto the disk
const BITS = 2_500_000; // a second, of the picture
const TYPES = [
  "video/webm;codecs=vp8,opus",
  "video/webm;codecs=vp9,opus",
  "video/mp4;codecs=avc1.42E01F,mp4a.40.2",
  "video/webm",
];

/**
 * Where each stands in the picture: a screen large with the others beside it, or all alike.
 * @param {boolean[]} screens which are screens
 * @returns {Box[]}
 */
export function layout(screens) {
  const large = screens.indexOf(true);
  const few = screens.length - (large < 0 ? 0 : 1);
  if (large < 0 || few === 0) return grid(screens.length, { x: 0, y: 0, width: WIDTH, height: HEIGHT });
  const side = WIDTH / 5;
  const height = Math.min(HEIGHT / few, side * 0.75);
  let at = 0;
  return screens.map((_, place) => {
    if (place === large) return { x: 0, y: 0, width: WIDTH - side, height: HEIGHT };
    at += 1;
    return { x: WIDTH - side, y: (at - 1) * height, width: side, height };
  });
}

/** @param {number} count @param {Box} all @returns {Box[]} */
function grid(count, all) {
  const across = Math.ceil(Math.sqrt(count));
  const [width, height] = [all.width / across, all.height / Math.ceil(count / across)];
  return Array.from({ length: count }, (_, at) => ({
    x: all.x + (at % across) * width,
    y: all.y + Math.floor(at / across) * height,
    width,
    height,
  }));
}

export class Recorder {
  /** Bytes so far. */
  size = signal(0);
  since = Date.now();
  /** When it is over, the file; it fails when the disk is full. @type {Promise<File>} */
  file;
  #meeting;
  #own;
  #keeping;
  /** @type {MediaRecorder} */
  #recorder;
  #canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
  #context;
  /** @type {Map<MediaStreamTrack, HTMLVideoElement>} */
  #videos = new Map();
  #audio = new AudioContext();
  #mix = this.#audio.createMediaStreamDestination();
  /** @type {Map<MediaStreamTrack, MediaStreamAudioSourceNode>} */
  #sources = new Map();
  /** @type {Promise<void>} */
  #written = Promise.resolve();
  #timer;

  /** @param {Meeting} meeting @param {string} own what we are called in the picture @param {Keeping} keeping */
  constructor(meeting, own, keeping) {
    this.#meeting = meeting;
    this.#own = own;
    this.#keeping = keeping;
    this.isOnDisk = keeping.isOnDisk;
    this.#context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d", { alpha: false }));
    const stream = this.#canvas.captureStream(PICTURES);
    stream.addTrack(this.#mix.stream.getAudioTracks()[0]);
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    this.#recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: BITS });
    this.file = new Promise((resolve, reject) => {
      this.#recorder.ondataavailable = ({ data }) => {
        this.size.value += data.size;
        this.#written = this.#written.then(async () => keeping.write(new Uint8Array(await data.arrayBuffer())));
        this.#written.catch((error) => {
          reject(error);
          this.stop();
        });
      };
      this.#recorder.onstop = () => this.#finish().then(resolve, reject);
    });
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), 1000 / PICTURES);
    void this.#audio.resume();
    this.#recorder.start(PIECE);
  }

  stop() {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }

  async #finish() {
    clearInterval(this.#timer);
    for (const video of this.#videos.values()) video.srcObject = null;
    await this.#audio.close();
    await this.#written;
    const type = this.#recorder.mimeType.split(";", 1)[0];
    const blob = await this.#keeping.finish();
    return new File([blob], nameOf(new Date(this.since), type === "video/mp4" ? "mp4" : "webm"), { type });
  }

  /** Who is on the stage. @returns {Seat[]} */
  #seats() {
    const { people, devices, screen } = this.#meeting;
    /** @type {Seat[]} */
    const seats = [];
    for (const person of people.value) {
      const label = person.label.value;
      const shown = person.shown.value;
      if (shown.screen) seats.push({ track: person.screen.getVideoTracks()[0] ?? null, label, isScreen: true });
      const [track] = person.picture.getVideoTracks();
      seats.push({ track: (shown.camera && track) || null, label, isScreen: false });
    }
    if (screen.value) seats.push({ track: screen.value.video, label: this.#own, isScreen: true });
    seats.push({ track: devices.camera.value, label: this.#own, isScreen: false });
    return seats;
  }

  /** Every sound of the stage, ours too. */
  #sounds() {
    const { people, devices, screen } = this.#meeting;
    const others = people.value.flatMap(({ sound, screenSound }) => [
      ...sound.getAudioTracks(),
      ...screenSound.getAudioTracks(),
    ]);
    const own = [devices.microphone.value, screen.value?.audio ?? null].filter((track) => track !== null);
    return [...others, ...own];
  }

  #listen() {
    const tracks = this.#sounds();
    for (const track of tracks)
      if (!this.#sources.has(track)) {
        const source = this.#audio.createMediaStreamSource(new MediaStream([track]));
        source.connect(this.#mix);
        this.#sources.set(track, source);
      }
    for (const [track, source] of this.#sources)
      if (!tracks.includes(track)) {
        source.disconnect();
        this.#sources.delete(track);
      }
  }

  #draw() {
    this.#listen();
    const seats = this.#seats();
    const context = this.#context;
    context.fillStyle = "#10131a";
    context.fillRect(0, 0, WIDTH, HEIGHT);
    const boxes = layout(seats.map(({ isScreen }) => isScreen));
    seats.forEach((seat, at) => this.#paint(seat, boxes[at]));
    for (const [track, video] of this.#videos)
      if (!seats.some((seat) => seat.track === track)) {
        video.srcObject = null;
        this.#videos.delete(track);
      }
  }

  /** @param {Seat} seat @param {Box} box */
  #paint({ track, label }, box) {
    const context = this.#context;
    const video = track && this.#video(track);
    if (video?.videoWidth) {
      const { x, y, width, height } = boxOf(box.width, box.height, video.videoWidth, video.videoHeight);
      context.drawImage(video, box.x + x, box.y + y, width, height);
    }
    context.font = "500 18px system-ui, sans-serif";
    const room = Math.min(box.width - 16, context.measureText(label).width + 20);
    context.fillStyle = "#10131acc";
    context.fillRect(box.x + 8, box.y + box.height - 38, room, 30);
    context.fillStyle = "#fff";
    context.fillText(label, box.x + 18, box.y + box.height - 17, Math.max(1, room - 20));
  }

  /** @param {MediaStreamTrack} track */
  #video(track) {
    let video = this.#videos.get(track);
    if (!video) {
      video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, autoplay: true });
      video.srcObject = new MediaStream([track]);
      void video.play().catch(() => undefined); // the next track comes in its place
      this.#videos.set(track, video);
    }
    return video;
  }
}

/** @param {Date} at @param {string} ending */
function nameOf(at, ending) {
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${day} ${two(at.getHours())}.${two(at.getMinutes())}.${two(at.getSeconds())}.${ending}`;
}
