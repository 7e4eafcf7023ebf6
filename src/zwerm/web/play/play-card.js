/** The game as a card: the field, who has how many birds, and steering by keys, pointer or finger. */
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { leads, play, playChannel, playing } from "../connect/conversation.js";
import { t } from "../language.js";
import { Picture } from "./picture.js";
import { PlaySession } from "./session.js";
import { GOAL, HEIGHT, WIDTH } from "./world.js";

/** @type {Record<string, [number, number]>} */
const KEYS = {
  arrowup: [0, -1],
  w: [0, -1],
  arrowdown: [0, 1],
  s: [0, 1],
  arrowleft: [-1, 0],
  a: [-1, 0],
  arrowright: [1, 0],
  d: [1, 0],
};

/** The game that runs, for whoever wants to look at it. @type {{current: PlaySession | null}} */
export const running = { current: null };

/** @param {HTMLCanvasElement} canvas @param {PlaySession} session @returns {() => void} what ends it */
function steering(canvas, session) {
  /** @type {Set<string>} */
  const held = new Set();
  const byKeys = () => {
    const [x, y] = [...held].reduce(([sx, sy], key) => [sx + KEYS[key][0], sy + KEYS[key][1]], [0, 0]);
    session.steer(x || y ? { angle: Math.atan2(y, x), flying: true } : { angle: 0, flying: false });
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const name = event.key.toLowerCase();
    if (!KEYS[name] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.type === "keydown") held.add(name);
    else held.delete(name);
    byKeys();
  };
  /** @param {PointerEvent} event */
  const pointer = (event) => {
    if (event.type === "pointerdown") {
      canvas.setPointerCapture(event.pointerId);
      canvas.focus({ preventScroll: true });
    }
    if (event.type === "pointerup" || event.type === "pointercancel" || !event.buttons) {
      session.steer({ angle: 0, flying: false });
      return;
    }
    const box = canvas.getBoundingClientRect();
    const { own } = session.view();
    const x = ((event.clientX - box.left) / box.width) * WIDTH - own.x;
    const y = ((event.clientY - box.top) / box.height) * HEIGHT - own.y;
    session.steer({ angle: Math.atan2(y, x), flying: true });
  };
  const release = () => {
    held.clear();
    byKeys();
  };
  const listeners = /** @type {const} */ ([
    ["keydown", key],
    ["keyup", key],
    ["blur", release],
    ["pointerdown", pointer],
    ["pointermove", pointer],
    ["pointerup", pointer],
    ["pointercancel", pointer],
  ]);
  for (const [name, listener] of listeners) canvas.addEventListener(name, /** @type {EventListener} */ (listener));
  return () => {
    for (const [name, listener] of listeners) canvas.removeEventListener(name, /** @type {EventListener} */ (listener));
  };
}

/** @param {{own: number, other: number}} score */
function words({ own, other }) {
  if (own >= GOAL) return t("play.won");
  if (other >= GOAL) return t("play.lost");
  return t("play.score", { own, other });
}

function Field() {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [score, setScore] = useState({ own: 0, other: 0 });
  useEffect(() => {
    const channel = playChannel();
    const element = canvas.current;
    if (!channel || !element) return;
    const session = new PlaySession(channel, leads(), (own, other) => setScore({ own, other }));
    running.current = session;
    const picture = new Picture(element, matchMedia("(prefers-reduced-motion: reduce)").matches);
    const endSteering = steering(element, session);
    let frame = requestAnimationFrame(function draw() {
      picture.draw(session.view());
      frame = requestAnimationFrame(draw);
    });
    element.focus({ preventScroll: true });
    return () => {
      cancelAnimationFrame(frame);
      endSteering();
      session.close();
      running.current = null;
    };
  }, []);
  const over = Math.max(score.own, score.other) >= GOAL;
  return html`<div class="field-frame">
      <canvas ref=${canvas} tabindex="0" role="application" aria-label=${t("play.field")} />
    </div>
    <footer class="row spread wrap">
      <span role="status" class="play-score"
        ><i class="bird own" aria-hidden="true" /><i class="bird other" aria-hidden="true" />${words(score)}</span
      >
      ${
        over
          ? html`<button type="button" class="first" onClick=${() => running.current?.again()}>
              ${t("play.again")}
            </button>`
          : html`<small class="quiet">${t("play.how", { n: GOAL })}</small>`
      }
    </footer>`;
}

export function PlayCard() {
  const { we, they } = playing.value;
  if (!we) {
    return (
      they &&
      html`<section class="card invitation" role="status">
        <div class="grow"><h2>${t("play.invited")}</h2></div>
        <div class="row">
          <button type="button" class="first" onClick=${() => play(true)}>${t("play.join")}</button>
        </div>
      </section>`
    );
  }
  return html`<section class="card play">
    <header>
      <h2>${t("play.title")}</h2>
      <button type="button" class="small" onClick=${() => play(false)}>${t("play.stop")}</button>
    </header>
    ${they ? html`<${Field} />` : html`<p class="body quiet" role="status">${t("play.waiting")}</p>`}
  </section>`;
}
