/** What happened, the newest first. */
import { html, useState } from "../vendor/preact.js";
import { exactTime } from "../format.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";

/** @import {Recording} from "./recording.js" */

const SHOWN = 200;
const SHORT = 140; // characters of a value that is not opened

/** @param {{recording: Recording, turn: number}} props */
export function EventsView({ recording }) {
  const [wanted, setWanted] = useState("");
  const all = recording.log.toReversed();
  const found = all.filter(({ type, value }) => `${type} ${value}`.toLowerCase().includes(wanted.toLowerCase()));
  if (!all.length)
    return html`<${EmptyState} title=${t("internals.events.none")} text=${t("internals.events.none.text")} />`;
  return html`<div class="body">
    <input
      type="search"
      aria-label=${t("internals.events.filter")}
      placeholder=${t("internals.events.filter")}
      value=${wanted}
      onInput=${(/** @type {any} */ event) => setWanted(event.currentTarget.value)}
    />
    <ol class="events">
      ${found.slice(0, SHOWN).map(
        ({ at, type, value }, index) =>
          html`<li key=${`${at} ${found.length - index}`}>
            <time class="quiet small">${exactTime(at)}</time> <b>${type}</b>
            ${
              value.length > SHORT
                ? html`<details>
                    <summary class="mono small">${value.slice(0, SHORT)}…</summary>
                    <pre tabindex="0">${value}</pre>
                  </details>`
                : html`<span class="mono small">${value}</span>`
            }
          </li>`,
      )}
    </ol>
    ${found.length > SHOWN && html`<p class="small quiet">${t("internals.events.more", { n: found.length - SHOWN })}</p>`}
  </div>`;
}
