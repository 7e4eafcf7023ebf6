/**
 * The sounds of the telephone, made and not sampled: two bells in a fifth when somebody rings, the far tone when one
 * rings oneself. Of several tabs one is heard.
 */

const LEVEL = 0.12;
/** @typedef {{notes: [frequency: number, at: number, length: number][], every: number}} Tune seconds */
/** @type {Record<"bell" | "far" | "end", Tune>} */
const TUNES = {
  bell: {
    notes: [
      [659.3, 0, 0.9],
      [987.8, 0.16, 0.9],
      [659.3, 0.55, 0.9],
      [987.8, 0.71, 1.2],
    ],
    every: 3,
  },
  far: { notes: [[425, 0, 1]], every: 5 },
  end: {
    notes: [
      [440, 0, 0.18],
      [330, 0.16, 0.3],
    ],
    every: 0,
  },
};

/** @type {AudioContext | null} */
let context = null;

/** @param {AudioContext} sounding @param {Tune} tune @param {boolean} soft */
function play(sounding, tune, soft) {
  for (const [frequency, at, length] of tune.notes) {
    const start = sounding.currentTime + 0.02 + at;
    const tone = sounding.createOscillator();
    const level = sounding.createGain();
    tone.frequency.value = frequency;
    tone.type = soft ? "sine" : "triangle";
    level.gain.setValueAtTime(0, start);
    level.gain.linearRampToValueAtTime(LEVEL * (soft ? 0.4 : 1), start + 0.02);
    level.gain.exponentialRampToValueAtTime(0.0005, start + length);
    tone.connect(level).connect(sounding.destination);
    tone.start(start);
    tone.stop(start + length + 0.05);
  }
}

/**
 * Begin to sound.
 * @param {"bell" | "far" | "end"} name
 * @returns {() => void} how to stop
 */
export function sound(name) {
  const tune = TUNES[name];
  let stopped = false;
  let timer = 0;
  /** @type {() => void} */
  let release = () => {};
  const begin = async () => {
    if (typeof AudioContext === "undefined") return;
    context ??= new AudioContext();
    const sounding = context;
    if (sounding.state !== "running") await sounding.resume().catch(() => undefined); // waits for a first gesture
    if (stopped) return;
    play(sounding, tune, name !== "bell");
    if (tune.every) timer = setInterval(() => play(sounding, tune, name !== "bell"), tune.every * 1000);
    await new Promise((resolve) => {
      release = () => resolve(undefined);
    });
  };
  if (name === "bell" && navigator.locks)
    void navigator.locks.request("zwerm.bell", () => (stopped ? undefined : begin())).catch(() => undefined);
  else void begin();
  return () => {
    stopped = true;
    clearInterval(timer);
    release();
  };
}
