/**
 * How one can be reached, as contacts see it: in a call or room, not to be disturbed, away by choice, away because nobody
 * has touched this browser for a while, or there. The service shows the best of all devices of a person.
 */
import { computed, effect, signal } from "../vendor/preact.js";
import { account, change } from "./account.js";
import { isEngaged } from "./phone.js";
import { session } from "./session.js";

/** @import {Presence} from "./account.js" */

const KEPT = "zwerm.away";

/** Milliseconds without a touch after which one is away. */
export const patience = { idle: 5 * 60_000 };

/** Whether one has said to be away; for all pages of this browser. */
const isAwayByChoice = signal(localStorage.getItem(KEPT) !== null);
const isIdle = signal(false);

/** @type {import("../vendor/preact.js").ReadonlySignal<Presence>} */
export const own = computed(() => {
  if (isEngaged.value) return "busy";
  if (account.value?.disturb === false) return "quiet";
  return isAwayByChoice.value || isIdle.value ? "away" : "available";
});

/** @param {"available" | "away" | "quiet"} state */
export async function choose(state) {
  isAwayByChoice.value = state === "away";
  if (isAwayByChoice.value) localStorage.setItem(KEPT, "1");
  else localStorage.removeItem(KEPT);
  if (account.value && account.value.disturb !== (state !== "quiet")) await change({ disturb: state !== "quiet" });
}

let touched = Date.now();
const touch = () => {
  touched = Date.now();
  isIdle.value = false;
};
for (const type of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "focus"])
  addEventListener(type, touch, { capture: true, passive: true });
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") touch();
});
setInterval(() => {
  isIdle.value = Date.now() - touched >= patience.idle;
}, 1000);
addEventListener("storage", ({ key, newValue }) => {
  if (key === KEPT) isAwayByChoice.value = newValue !== null;
});

/** Tell the service when it is another, and anew each session; a session begins as one that can be reached. */
effect(() => {
  const mine = session.value;
  const turn = mine?.turn.value ?? 0;
  if (!mine || turn === 0) return;
  /** @type {Presence} */
  let told = "available";
  const stop = effect(() => {
    const state = own.value;
    if (state === told) return;
    told = state;
    void mine.ask("presence", { state }).catch(() => undefined); // a new session is told anew
  });
  return stop;
});
