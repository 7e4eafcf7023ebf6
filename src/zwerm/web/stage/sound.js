/** The others' voices, and the sound of their screens: they go on while other pages of the app are shown. */
import { signal } from "../vendor/preact.js";

/** @import {Meeting} from "./meeting.js" */

/** Whether the browser wants a gesture before it lets anything be heard. */
export const isHeldBack = signal(false);

/** @type {Map<MediaStream, HTMLAudioElement>} */
const playing = new Map();

/** @param {HTMLAudioElement} element */
const play = (element) =>
  element.play().then(
    () => undefined,
    (error) => {
      if (error?.name === "NotAllowedError") isHeldBack.value = true;
    },
  );

/** Let everything be heard, from a gesture. */
export async function release() {
  isHeldBack.value = false;
  await Promise.all([...playing.values()].map(play));
}

/** @param {HTMLAudioElement} element @param {string} speaker */
const direct = (element, speaker) => void element.setSinkId?.(speaker)?.catch(() => undefined); // gone: the usual one

/** @param {Meeting} meeting @returns {() => void} how to stop */
export function listen(meeting) {
  const { people, devices } = meeting;
  /** @type {Map<MediaStream, HTMLAudioElement>} */
  const mine = new Map();
  const match = () => {
    const wanted = new Set(people.value.flatMap(({ sound, screenSound }) => [sound, screenSound]));
    for (const stream of wanted) {
      if (mine.has(stream)) continue;
      const element = new Audio();
      element.autoplay = true;
      element.srcObject = stream;
      direct(element, devices.chosen.value.speaker);
      mine.set(stream, element);
      playing.set(stream, element);
      stream.addEventListener("addtrack", () => void play(element));
      void play(element);
    }
    for (const [stream, element] of mine)
      if (!wanted.has(stream)) {
        element.srcObject = null;
        mine.delete(stream);
        playing.delete(stream);
      }
  };
  const stops = [
    people.subscribe(match),
    devices.chosen.subscribe(({ speaker }) => mine.forEach((element) => direct(element, speaker))),
  ];
  return () => {
    for (const stop of stops) stop();
    for (const [stream, element] of mine) {
      element.srcObject = null;
      playing.delete(stream);
    }
  };
}
