/** Storage: how much room does all this take, and what could go? */
import { html, useEffect } from "../vendor/preact.js";
import { read } from "../api.js";
import { collectionsTurn, filesTurn, jobs, node } from "../events.js";
import { shortHash, size, when } from "../format.js";
import { t } from "../language.js";
import { FailureCard } from "../parts/failure-card.js";
import { PageHead } from "../parts/page-head.js";
import { Skeleton } from "../parts/skeleton.js";
import { useResource } from "../resource.js";
import { href } from "../route.js";
import { JobCard, latestJob, startJob } from "../storage/job-card.js";
import { Meter } from "../storage/meter.js";
import { PinList } from "../storage/pin-list.js";

/** @import {Job, Space} from "../types.d.ts" */

const NEGLIGIBLE = 1_000_000; // bytes that are not worth a word
const MEASURED_UNASKED = 200_000; // blocks; beyond it a measurement takes long enough to be asked for

/** @param {Space} space */
function answerOf(space) {
  const unused = space.kinds?.find(({ kind }) => kind === "unused");
  const used = space.maximum
    ? t("storage.answer.quota", { used: size(space.disk), room: size(space.maximum) })
    : t("storage.answer", { used: size(space.disk), free: size(space.free) });
  if (unused === undefined) return used;
  const worth = unused.bytes > NEGLIGIBLE;
  return `${used} ${worth ? t("storage.answer.unused", { size: size(unused.bytes) }) : t("storage.answer.allNeeded")}`;
}

/** @param {Job} job */
const freed = ({ result }) =>
  result?.blocks ? t("gc.result", { n: result.blocks, size: size(result.bytes) }) : t("gc.nothing");

/** @param {Job} job */
function checked({ result }) {
  const damaged = /** @type {string[]} */ (result?.damaged ?? []);
  if (damaged.length === 0) return t("verify.good", { n: result?.blocks ?? 0 });
  return t("verify.bad", { n: damaged.length, list: damaged.slice(0, 5).map(shortHash).join(", ") });
}

export function StoragePage() {
  const ended = Object.values(jobs.value).filter((job) => job.state !== "running").length;
  const space = useResource(
    (signal) => /** @type {Promise<Space>} */ (read("repo", {}, signal)),
    [],
    `${filesTurn.value} ${ended} ${collectionsTurn.value}`,
  );
  const measuring = latestJob("measure")?.state === "running";
  const small = (space.data?.blocks ?? 0) < MEASURED_UNASKED;
  const unmeasured = space.data !== null && space.data.kinds === null;
  useEffect(() => {
    if (unmeasured && !measuring && small) void startJob("measure").catch(() => undefined); // the card offers it by hand as well
  }, [unmeasured, small]);
  return html`<${PageHead}
      title=${t("nav.storage")}
      answer=${space.data ? answerOf(space.data) : space.failure ? "" : null}
      long
      ><a class="button" href=${href("settings", "/", { find: "storage.max" })}>${t("storage.limit")}</a><//
    >
    <section class="card">
      <header>
        <h2>${t("storage.kinds")}</h2>
        <span class="small quiet wide"
          >${space.data?.measured ? t("storage.measured", { time: when(space.data.measured) }) : ""}</span
        >
        <button
          type="button"
          class="small"
          disabled=${measuring}
          onClick=${() => void startJob("measure").catch(() => space.reload())}
        >
          ${t(measuring ? "storage.measuring" : "storage.measure")}
        </button>
      </header>
      ${
        space.failure
          ? html`<${FailureCard} failure=${space.failure} retry=${space.reload} />`
          : !space.data
            ? html`<${Skeleton} rows=${12} />`
            : html`<div class="body">
                <${Meter} space=${space.data} legend />
                <dl class="facts where">
                  <dt>${t("storage.where")}</dt>
                  <dd class="mono">${space.data.path}</dd>
                  <dt>${t("storage.blocksAll")}</dt>
                  <dd>${t("storage.blocks", { n: space.data.blocks })}</dd>
                  <dt>${t("storage.pinsAll")}</dt>
                  <dd>${node.value?.counts.pins ?? "–"}</dd>
                </dl>
              </div>`
      }
    </section>
    <section class="card jobs" aria-label=${t("storage.tasks")}>
      <${JobCard}
        kind="gc"
        icon="broom"
        title=${t("gc.title")}
        text=${t("gc.text")}
        act=${t("gc.act")}
        result=${freed}
        first
      />
      <${JobCard}
        kind="verify"
        icon="shield"
        title=${t("verify.title")}
        text=${t("verify.text")}
        act=${t("verify.act")}
        result=${checked}
      />
    </section>
    <${PinList} />`;
}
