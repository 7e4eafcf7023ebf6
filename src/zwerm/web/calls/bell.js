/**
 * What calls show over every page: who rings, and the way back to a call that goes on. Loaded only where this browser has
 * an account, or when the page Calls is opened.
 */
import { effect, html, render, signal, useEffect, useState } from "../vendor/preact.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { notify } from "../parts/notices.js";
import { onAnswer } from "../push.js";
import { go, href, route } from "../route.js";
import { account } from "./account.js";
import { IncomingCard } from "./incoming-card.js";
import "./availability.js";
import "./notifications.js";
import { answer, aside, current, hangUp, incoming } from "./phone.js";
import { restore } from "./session.js";
import { asideWords } from "./words.js";

/** Minutes and seconds since then. @param {number} since milliseconds */
export const clock = (since) => {
  const seconds = Math.max(0, Math.floor((Date.now() - since) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

/** @param {{since: number}} props */
export function Clock({ since }) {
  const [, turn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => turn((before) => before + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return html`<span class="call-clock">${clock(since)}</span>`;
}

/** The call that goes on, while another page is shown. */
function Ongoing() {
  const talk = current.value;
  if (!talk || talk.state.value === "over" || route.value.page === "calls") return null;
  return html`<section class="ongoing" aria-label=${t("calls.ongoing", { name: talk.name })}>
    <button type="button" class="plain" onClick=${() => go(href("calls"))}>
      <span class="dot live" /><b class="ellipsis">${talk.name}</b>
      ${talk.since.value > 0 && html`<${Clock} since=${talk.since.value} />`}
      <span class="wide">${t("calls.back")}</span>
    </button>
    <button type="button" class="decline square" aria-label=${t("calls.hangUp")} onClick=${() => void hangUp()}>
      <${Icon} name="leave" />
    </button>
  </section>`;
}

function Layer() {
  return html`<div class="incomings">
      ${incoming.value.map((ringing) => html`<${IncomingCard} key=${ringing.call} ringing=${ringing} />`)}
    </div>
    <${Ongoing} />`;
}

const place = document.createElement("div");
place.id = "calls";
document.body.append(place);
render(html`<${Layer} />`, place);
void restore();

/** A call that was answered on a notification: it rings here as soon as the session lives. */
const wanted = signal("");
onAnswer((call) => {
  wanted.value = call;
});
effect(() => {
  const ringing = incoming.value.find(({ call }) => call === wanted.value);
  if (!ringing) return;
  wanted.value = "";
  queueMicrotask(() => void answer(ringing, ringing.media.includes("video")));
});

/** What a call that rang here came to. */
effect(() => {
  const told = aside.value;
  if (!told) return;
  aside.value = null;
  queueMicrotask(() => notify(asideWords(told.reason, told.name)));
});

/** The window's title and the badge of the app say that somebody rings, and how many were missed. */
let before = "";
effect(() => {
  const [first] = incoming.value;
  if (first) {
    before ||= document.title;
    document.title = t("calls.rings", { name: first.from.name ?? first.from.label });
  } else if (before) {
    document.title = before;
    before = "";
  }
});
effect(() => {
  const count = incoming.value.length + (account.value?.missed ?? 0);
  void navigator.setAppBadge?.(count)?.catch(() => undefined); // 0 takes it away
});
