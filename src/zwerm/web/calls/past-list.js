/** The calls that were: made, taken and missed. */
import { html, useEffect } from "../vendor/preact.js";
import { duration, moment, when } from "../format.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";
import { Icon } from "../parts/icon.js";
import { MenuButton } from "../parts/menu.js";
import { Skeleton } from "../parts/skeleton.js";
import { account, past, seePast } from "./account.js";
import { Avatar } from "./avatar.js";
import { contactItems } from "./contact-list.js";
import { ring } from "./phone.js";

/** @import {PastCall} from "./account.js" */
/** @import {Key} from "../language.js" */

/** @type {Record<string, Key>} */
const OUTCOMES = {
  declined: "calls.past.declined",
  busy: "calls.past.busy",
  "no-answer": "calls.past.noAnswer",
  cancelled: "calls.past.cancelled",
  unavailable: "calls.past.unavailable",
};

/** @param {PastCall} call */
function outcome(call) {
  if (call.missed) return t("calls.past.missed");
  if (call.answered && call.ended) return duration(call.ended - call.answered);
  if (call.answered) return t("calls.past.now");
  return t(OUTCOMES[call.reason ?? ""] ?? "calls.past.notAnswered");
}

/** @param {{call: PastCall}} props */
function PastRow({ call }) {
  const began = new Date(call.began * 1000).toISOString();
  const isPicture = call.media.includes("video");
  const way = call.missed ? "calls.way.missed" : call.out ? "calls.way.out" : "calls.way.in";
  return html`<li class=${call.missed ? "person-row missed" : "person-row"}>
    <${Avatar} name=${call.with} />
    <div class="grow">
      <b class="ellipsis">${call.with}</b>
      <span class="way"
        ><${Icon} name=${call.out ? "up" : "down"} label=${t(way)} />${outcome(call)} ·
        <time datetime=${began} title=${moment(began)}>${when(began)}</time></span
      >
    </div>
    <button
      type="button"
      class="plain square"
      aria-label=${t(isPicture ? "calls.ring.name.picture" : "calls.ring.name.sound", { name: call.with })}
      onClick=${() => void ring(call.with, isPicture)}
    >
      <${Icon} name=${isPicture ? "camera" : "phone"} />
    </button>
    <${MenuButton}
      label=${t("calls.contact.more", { name: call.with })}
      name=${call.with}
      items=${() => contactItems(call.with, account.value?.contacts[call.with])}
    />
  </li>`;
}

export function PastList() {
  const calls = past.value;
  useEffect(() => {
    if (!calls?.some(({ missed, seen }) => missed && !seen)) return undefined;
    const timer = setTimeout(() => void seePast().catch(() => undefined), 2000); // long enough to have been seen
    return () => clearTimeout(timer);
  }, [calls]);
  return html`<section class="card" aria-labelledby="calls-past">
    <header><h2 id="calls-past">${t("calls.past")}</h2></header>
    ${
      calls === null
        ? html`<${Skeleton} rows=${4} />`
        : calls.length === 0
          ? html`<${EmptyState} title=${t("calls.past.empty")} text=${t("calls.past.empty.text")} />`
          : html`<ul class="people-rows">
              ${calls.map((call) => html`<${PastRow} key=${call.call} call=${call} />`)}
            </ul>`
    }
  </section>`;
}
