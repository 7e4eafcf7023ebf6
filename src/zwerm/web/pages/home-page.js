/** Home: is my node well, and what did I do last? */
import { html } from "../vendor/preact.js";
import { read } from "../api.js";
import { filesTurn, node, rates } from "../events.js";
import { choose } from "../files/actions.js";
import { duration, rate, size } from "../format.js";
import { VersionLine } from "../history/version-line.js";
import { Doings } from "../home/doings.js";
import { ReachCard } from "../home/reach-card.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";
import { FailureCard } from "../parts/failure-card.js";
import { HashChip } from "../parts/hash-chip.js";
import { Icon } from "../parts/icon.js";
import { Mark } from "../parts/mark.js";
import { PageHead } from "../parts/page-head.js";
import { Skeleton } from "../parts/skeleton.js";
import { useResource } from "../resource.js";
import { href } from "../route.js";
import { Meter } from "../storage/meter.js";

/** @import {NodeFacts, Space, Version} from "../types.d.ts" */

/** @param {NodeFacts} facts */
function answerOf({ counts, size: { disk } }) {
  if (!counts.files) return t("home.answer.nothing");
  return t("home.answer", { n: counts.files, size: size(disk) });
}

function Invitation() {
  return html`<section class="card invitation" aria-label=${t("home.add")}>
    <${Mark} />
    <div class="grow">
      <h2>${t("home.add")}</h2>
      <p class="quiet">${t("files.emptyText")}</p>
    </div>
    <div class="row">
      <button type="button" class="first" onClick=${() => choose("folder", "/")}>${t("files.chooseFolder")}</button>
      <button type="button" onClick=${() => choose("files", "/")}>${t("files.chooseFiles")}</button>
    </div>
  </section>`;
}

function Recent() {
  const recent = useResource(
    (signal) => /** @type {Promise<{versions: Version[]}>} */ (read("history", { path: "/", limit: 6 }, signal)),
    [],
    filesTurn.value,
  );
  return html`<section class="card recent">
    <header>
      <h2>${t("home.recent")}</h2>
      <a href=${href("history")}>${t("home.allHistory")}</a>
    </header>
    ${
      recent.failure
        ? html`<${FailureCard} failure=${recent.failure} retry=${recent.reload} />`
        : !recent.data
          ? html`<${Skeleton} rows=${4} />`
          : recent.data.versions.length === 0
            ? html`<${EmptyState} title=${t("history.empty")} text=${t("history.emptyText")} />`
            : html`<ol class="versions">
                ${recent.data.versions.map(
                  (version) => html`<${VersionLine} key=${version.version} version=${version} />`,
                )}
              </ol>`
    }
  </section>`;
}

function SpaceCard() {
  const turn = node.value?.size.disk ?? 0;
  const space = useResource((signal) => /** @type {Promise<Space>} */ (read("repo", {}, signal)), [], turn);
  return html`<section class="card">
    <header>
      <h2>${t("home.space")}</h2>
      <a href=${href("storage")}>${t("nav.storage")}</a>
    </header>
    ${
      space.failure
        ? html`<${FailureCard} failure=${space.failure} retry=${space.reload} />`
        : !space.data
          ? html`<${Skeleton} rows=${2} />`
          : html`<div class="body"><${Meter} space=${space.data} /></div>`
    }
  </section>`;
}

/** @param {{facts: NodeFacts}} props */
function NodeCard({ facts }) {
  return html`<section class="card">
    <header><h2>${t("home.node")}</h2></header>
    <div class="body">
      <dl class="facts">
        <dt>${t("home.identity")}</dt>
        <dd><${HashChip} hash=${facts.peer_id} name=${t("home.identity")} /></dd>
        <dt>${t("home.gateway")}</dt>
        <dd class="mono">
          ${
            facts.addresses.gateway
              ? html`<a href=${facts.addresses.gateway} target="_blank" rel="noreferrer"
                  >${facts.addresses.gateway.replace(/^https?:\/\//, "")}</a
                >`
              : t("state.off")
          }
        </dd>
        <dt>${t("home.rpc")}</dt>
        <dd class="mono">${facts.addresses.api.replace(/^https?:\/\//, "") || t("state.off")}</dd>
        <dt>${t("home.traffic")}</dt>
        <dd>${rate(rates.value.gateway)}</dd>
        <dt>${t("home.running")}</dt>
        <dd>${duration(facts.uptime)}</dd>
        <dt>${t("home.version")}</dt>
        <dd>zwerm ${facts.version}</dd>
      </dl>
    </div>
  </section>`;
}

/** The three steps of somebody who is here for the first time. */
function FirstSteps() {
  const steps = [t("home.step1"), t("home.step2"), t("home.step3")];
  return html`<section class="card first-steps" aria-label=${t("home.add")}>
    <${EmptyState} title=${t("files.empty")} text=${t("files.emptyText")}>
      <button type="button" class="first" onClick=${() => choose("folder", "/")}>${t("files.chooseFolder")}</button>
      <button type="button" onClick=${() => choose("files", "/")}>${t("files.chooseFiles")}</button>
    <//>
    <ol>
      ${steps.map((step, index) => html`<li><span class="step">${index + 1}</span>${step}</li>`)}
    </ol>
  </section>`;
}

export function HomePage() {
  const facts = node.value;
  const head = html`<${PageHead} title=${t("nav.home")} answer=${facts && answerOf(facts)} long
    ><a class="button wide" href=${href("files")}><${Icon} name="files" />${t("home.openFiles")}</a><//
  >`;
  // What comes first depends on whether there is something: nothing below it is to move.
  if (!facts) return html`${head}<section class="card"><${Skeleton} rows=${8} /></section>`;
  const nothing = facts.counts.files === 0 && !facts.counts.versions;
  return html`${head}
    ${nothing ? html`<${FirstSteps} />` : html`<${Invitation} />`}
    <${Doings} />
    <div class="columns wide-left">
      <${Recent} />
      <div>
        <${SpaceCard} /><${NodeCard} facts=${facts} />
        <${ReachCard} />
      </div>
    </div>`;
}
