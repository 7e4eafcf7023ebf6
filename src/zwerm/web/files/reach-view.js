/** Whether others can get something from this node now: a word, the reason, what to do, and the facts in a fold. */
import { html, signal, useEffect, useState } from "../vendor/preact.js";
import { read } from "../api.js";
import { t } from "../language.js";
import { Dialog } from "../parts/dialog.js";
import { FailureCard, withCode } from "../parts/failure-card.js";
import { Skeleton } from "../parts/skeleton.js";
import { addressWords } from "../peers/own-addresses.js";
import { transportName } from "../peers/peer-list.js";
import { useResource } from "../resource.js";

/** @import {Reach} from "../types.d.ts" */
/** @import {Key} from "../language.js" */

/** @typedef {{path: string} | {cid: string}} Subject */

const AGAIN = 5_000; // milliseconds until what is not settled is looked at again

/**
 * The word, the colour, the reason and what to do, for each standing of docs/app-api.md.
 * @type {Record<Reach["standing"], [Key, string, Key, Key]>}
 */
const WORDS = {
  reachable: ["reach.yes", "good", "reach.reachable", "reach.reachable.do"],
  relayed: ["reach.relayed", "good", "reach.relayed.why", "reach.relayed.do"],
  pending: ["reach.soon", "", "reach.pending", "reach.pending.do"],
  unsure: ["reach.perhaps", "", "reach.unsure", "reach.unsure.do"],
  offline: ["reach.no", "warn", "reach.offline", "reach.offline.do"],
  missing: ["reach.no", "warn", "reach.missing", "reach.missing.do"],
  alone: ["reach.no", "warn", "reach.alone", "reach.alone.do"],
  untold: ["reach.no", "warn", "reach.untold", "reach.untold.do"],
  listed: ["reach.no", "warn", "reach.listed", "reach.listed.do"],
  near: ["reach.no", "warn", "reach.near", "reach.near.do"],
  closed: ["reach.no", "warn", "reach.closed", "reach.closed.do"],
};

/** What is known now, looked at again until it is settled. @param {Subject} what */
function useReach(what) {
  const [turn, setTurn] = useState(0);
  const answer = useResource((signal) => /** @type {Promise<Reach>} */ (read("reach", what, signal)), [what], turn);
  const isOpen = answer.data?.standing === "pending" || answer.data?.standing === "unsure";
  useEffect(() => {
    if (!isOpen) return undefined;
    const timer = setInterval(() => setTurn((value) => value + 1), AGAIN);
    return () => clearInterval(timer);
  }, [isOpen]);
  return answer;
}

/** @param {{standing: Reach["standing"]}} props */
const Word = ({ standing }) => html`<span class=${`state ${WORDS[standing][1]}`}>${t(WORDS[standing][0])}</span>`;

/** The word alone; a click tells the rest. @param {{what: Subject, name: string}} props */
export function ReachWord({ what, name }) {
  const { data } = useReach(what);
  if (!data) return html`<span class="quiet">…</span>`;
  return html`<button
    type="button"
    class="reach-word"
    title=${t(WORDS[data.standing][2])}
    aria-label=${`${t(WORDS[data.standing][0])}. ${t("reach.show")}`}
    onClick=${() => showReach(what, name)}
  >
    <${Word} standing=${data.standing} />
  </button>`;
}

/** @param {{found: Reach}} props */
function Facts({ found }) {
  const told = found.told ? "reach.told.yes" : found.pending ? "reach.told.soon" : "reach.told.no";
  const judged = found.public === null ? "reach.judged.unknown" : found.public ? "reach.judged.yes" : "reach.judged.no";
  return html`<dl class="facts">
    <dt>${t("reach.told")}</dt>
    <dd>${t(told)}</dd>
    <dt>${t("reach.judged")}</dt>
    <dd>${t(judged)}</dd>
    <dt>${t("reach.nodes")}</dt>
    <dd>${t("reach.nodes.value", { peers: found.peers, servers: found.servers })}</dd>
    <dt>${t("reach.addresses")}</dt>
    <dd>
      ${
        found.addresses.length
          ? html`<ul class="reach-addresses">
              ${found.addresses.map(
                (own) =>
                  html`<li key=${own.address} title=${own.address}>
                    ${transportName(own.transport)} <small class="quiet">${addressWords(own)}</small>
                    <code>${own.address.replace(/\/p2p\/[^/]*$/, "")}</code>
                  </li>`,
              )}
            </ul>`
          : t("reach.addresses.none")
      }
    </dd>
  </dl>`;
}

/** @param {{what: Subject, open?: boolean}} props `open`: the facts are shown at once */
export function ReachView({ what, open = false }) {
  const { data, failure, reload } = useReach(what);
  if (failure) return html`<${FailureCard} failure=${failure} retry=${reload} />`;
  if (!data) return html`<${Skeleton} rows=${2} />`;
  const [, , why, advice] = WORDS[data.standing];
  return html`<section class="reach" aria-label=${t("reach.heading")}>
    <p class="row"><b>${t("reach.heading")}</b><${Word} standing=${data.standing} /></p>
    <p>${t(why)} <span class="quiet">${withCode(t(advice))}</span></p>
    ${
      data.standing !== "offline" &&
      html`<details open=${open}>
        <summary>${t("reach.details")}</summary>
        <${Facts} found=${data} />
      </details>`
    }
  </section>`;
}

/** @type {import("../vendor/preact.js").Signal<{what: Subject, name: string} | null>} */
const shown = signal(null);

/** @param {Subject} what @param {string} name */
export function showReach(what, name) {
  shown.value = { what, name };
}

/** The one such dialog, in the shell. */
export function ReachDialog() {
  if (!shown.value) return null;
  const { what, name } = shown.value;
  return html`<${Dialog}
    title=${t("reach.title", { name })}
    close=${() => {
      shown.value = null;
    }}
    ><${ReachView} what=${what} open
  /><//>`;
}
