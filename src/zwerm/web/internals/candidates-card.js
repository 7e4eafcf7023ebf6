/** Where each side can be reached, and which pairs of addresses were tried. */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";
import { addressWords, kindWords, WayPicture } from "./way-picture.js";

/** @import {Recording, Stat} from "./recording.js" */

const MOST_PAIRS = 40;

/** @param {{title: string, candidates: Stat[]}} props */
const Side = ({ title, candidates }) =>
  html`<div>
    <h3>${title}</h3>
    ${
      candidates.length
        ? html`<ul class="candidates">
            ${candidates
              .sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0))
              .map(
                (one) =>
                  html`<li key=${one.id}>
                    <b class="mono">${addressWords(one)}</b>
                    <small class="quiet"
                      >${[kindWords(one.candidateType), one.protocol, one.url].filter(Boolean).join(" · ")}</small
                    >
                  </li>`,
              )}
          </ul>`
        : html`<p class="quiet">${t("internals.candidates.none")}</p>`
    }
  </div>`;

/** @param {{recording: Recording, turn: number}} props */
export function CandidatesCard({ recording }) {
  const records = recording.records;
  const selected = recording.selected;
  const pairs = recording.of("candidate-pair").sort((a, b) => Number(b.nominated ?? 0) - Number(a.nominated ?? 0));
  /** @param {string} id */
  const words = (id) => addressWords(records.get(id) ?? null);
  return html`<section class="card">
    <header><h2>${t("internals.way")}</h2></header>
    <div class="body">
      ${
        selected
          ? html`<${WayPicture}
              local=${selected.local}
              remote=${selected.remote}
              here=${recording.kind === "node" ? t("internals.here.node") : t("internals.here.browser")}
              there=${recording.label || t("internals.there")}
              trip=${selected.pair.currentRoundTripTime}
            />`
          : html`<p class="quiet">${t("internals.way.none")}</p>`
      }
      <div class="sides">
        <${Side} title=${t("internals.candidates.local")} candidates=${recording.of("local-candidate")} />
        <${Side} title=${t("internals.candidates.remote")} candidates=${recording.of("remote-candidate")} />
      </div>
      ${
        pairs.length > 0 &&
        html`<details>
          <summary>${t("internals.pairs", { n: pairs.length })}</summary>
          <ul class="candidates">
            ${pairs.slice(0, MOST_PAIRS).map(
              (pair) =>
                html`<li key=${pair.id}>
                  <span class="mono">${words(pair.localCandidateId)} ⇄ ${words(pair.remoteCandidateId)}</span>
                  <small class="quiet"
                    >${pair.state}${pair.id === selected?.pair.id ? ` · ${t("internals.pair.used")}` : ""}</small
                  >
                </li>`,
            )}
          </ul>
        </details>`
      }
    </div>
  </section>`;
}
