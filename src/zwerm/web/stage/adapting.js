/**
 * How large a picture is sent to one person: by how many there are, and by what the connection carries. Sound comes
 * first: the picture gets smaller while packets are lost, and stops before the sound suffers.
 */

/** @typedef {{height: number, bits: number, frames: number}} Rung `bits` a second at most; a height of 0 is no picture */

/** @type {Rung[]} */
export const RUNGS = [
  { height: 720, bits: 1_700_000, frames: 30 },
  { height: 480, bits: 800_000, frames: 30 },
  { height: 360, bits: 450_000, frames: 24 },
  { height: 240, bits: 250_000, frames: 20 },
  { height: 180, bits: 120_000, frames: 15 },
  { height: 0, bits: 0, frames: 0 },
];
/** The best rung for so many others: a page sends its picture once to each. */
const BEST = [0, 0, 1, 2, 3, 3];
const DOWN = 3_000; // milliseconds between two steps down
const UP = 8_000; // milliseconds of a good connection before a step up; doubled when that went wrong
const UP_MOST = 64_000;

export class Ladder {
  #rung = 0;
  #changed = 0;
  #goodSince = 0;
  #patience = UP;
  #wentUp = 0;

  /**
   * @param {{others: number, loss: number, available: number | null, isLimited: boolean}} seen
   * @param {number} now milliseconds
   * @returns {Rung}
   */
  step({ others, loss, available, isLimited }, now) {
    const best = BEST[Math.min(others, BEST.length - 1)];
    this.#rung = Math.max(this.#rung, best);
    const { bits } = RUNGS[this.#rung];
    const isBad = loss > 0.08 || (available !== null && available < bits / 2) || (isLimited && this.#rung < 4);
    if (isBad) {
      this.#goodSince = now;
      const mayStop = loss > 0.2 || (available !== null && available < 60_000);
      const lowest = RUNGS.length - (mayStop ? 1 : 2);
      if (now - this.#changed >= DOWN && this.#rung < lowest) {
        if (this.#wentUp && now - this.#wentUp < UP) this.#patience = Math.min(UP_MOST, 2 * this.#patience);
        this.#move(this.#rung + 1, now);
      }
    } else if (this.#rung === best || loss > 0.02) this.#goodSince = now;
    else if (now - this.#goodSince >= this.#patience) {
      this.#wentUp = this.#goodSince = now;
      this.#move(this.#rung - 1, now);
    }
    return RUNGS[this.#rung];
  }

  /** @param {number} rung @param {number} now */
  #move(rung, now) {
    this.#rung = rung;
    this.#changed = now;
  }
}

/**
 * Set what is sent of a picture. A screen keeps its size, so that it can be read, and loses frames instead.
 * @param {RTCRtpSender | null} sender
 * @param {Rung} rung
 * @param {boolean} isScreen
 */
export async function send(sender, rung, isScreen) {
  const height = sender?.track?.getSettings().height;
  const parameters = sender?.getParameters();
  const [encoding] = parameters?.encodings ?? [];
  if (!sender || !parameters || !encoding || !sender.track) return;
  const wanted = {
    active: isScreen || rung.height > 0,
    maxBitrate: Math.max(100_000, rung.bits) * (isScreen ? 2 : 1),
    maxFramerate: isScreen ? Math.max(3, rung.frames / 2) : Math.max(1, rung.frames),
    scaleResolutionDownBy: isScreen || !rung.height ? 1 : Math.max(1, (height ?? rung.height) / rung.height),
  };
  if (Object.entries(wanted).every(([name, value]) => encoding[/** @type {"active"} */ (name)] === value)) return;
  Object.assign(encoding, wanted);
  await sender.setParameters(parameters).catch(() => undefined); // changed or closed meanwhile: the next look sets it
}

/** Sound goes before pictures, and has enough for a voice. @param {RTCRtpSender | null} sender */
export async function prefer(sender) {
  const parameters = sender?.getParameters();
  const [encoding] = parameters?.encodings ?? [];
  if (!sender || !parameters || !encoding || encoding.priority === "high") return;
  Object.assign(encoding, { priority: "high", networkPriority: "high", maxBitrate: 48_000 });
  await sender.setParameters(parameters).catch(() => undefined);
}
