/** A task that takes time: what it does, its progress, how to stop it, and what came of it. */
import { html, useState } from "../vendor/preact.js";
import { Failure, post, remove } from "../api.js";
import { jobs, rememberJob } from "../events.js";
import { count, duration, moment, percent, size, when } from "../format.js";
import { t } from "../language.js";
import { FailureCard } from "../parts/failure-card.js";
import { Icon } from "../parts/icon.js";
import { asFailure } from "../resource.js";

/** @import {Job} from "../types.d.ts" */

/** The running job of a kind, or its last one. @param {Job["kind"]} kind @returns {Job | undefined} */
export function latestJob(kind) {
  const all = Object.values(jobs.value).filter((job) => job.kind === kind);
  return all.find((job) => job.state === "running") ?? all.sort((a, b) => b.started.localeCompare(a.started))[0];
}

/** @param {Job["kind"]} kind */
export async function startJob(kind) {
  rememberJob(await post("jobs", { kind }));
}

/** @param {Job} job */
function progressText(job) {
  const done = job.unit === "bytes" ? size(job.done) : count(job.done);
  if (!job.total) return t("job.done", { done });
  const total = job.unit === "bytes" ? size(job.total) : count(job.total);
  const elapsed = (Date.now() - new Date(job.started).getTime()) / 1000;
  const left = job.done > 0 && elapsed > 1 ? (elapsed * (job.total - job.done)) / job.done : null;
  return [t("job.of", { done, total }), left === null ? "" : t("upload.left", { time: duration(left) })]
    .filter(Boolean)
    .join(" · ");
}

/**
 * @param {{kind: Job["kind"], icon: import("../parts/icon.js").IconName, title: string, text: string, act: string,
 * result: (job: Job) => string, first?: boolean}} props
 */
export function JobCard({ kind, icon, title, text, act, result, first = false }) {
  const [failure, setFailure] = useState(/** @type {Failure | null} */ (null));
  const job = latestJob(kind);
  const running = job?.state === "running";
  /** @param {() => Promise<unknown>} action */
  const attempt = async (action) => {
    setFailure(null);
    try {
      await action();
    } catch (error) {
      setFailure(asFailure(error));
    }
  };
  const words = { done: job ? result(job) : "", stopped: t("job.stopped"), failed: "", running: "" };
  return html`<section class="job" aria-label=${title}>
    <${Icon} name=${icon} />
    <div class="grow">
      <h3>${title}</h3>
      <p class="small quiet">${text}</p>
      ${
        running &&
        job &&
        html`<div class="stack tight">
          <progress max=${job.total || 1} value=${job.total ? job.done : null} aria-label=${title}>
            ${job.total ? percent(job.done / job.total) : ""}</progress
          ><small class="quiet">${progressText(job)}</small>
        </div>`
      }
      <p class="small outcome" role="status">
        ${job && !running ? html`${words[job.state]}${" "}<span class="quiet" title=${moment(job.ended)}>${when(job.ended)}</span>` : ""}
      </p>
      ${job?.state === "failed" && job.error && html`<${FailureCard} failure=${new Failure(job.error, 500)} />`}
      ${failure && html`<${FailureCard} failure=${failure} />`}
    </div>
    ${
      running && job
        ? html`<button type="button" onClick=${() => attempt(async () => rememberJob(await remove(`jobs/${job.id}`)))}>
            ${t("action.stop")}
          </button>`
        : html`<button type="button" class=${first ? "first" : ""} onClick=${() => attempt(() => startJob(kind))}>
            ${act}
          </button>`
    }
  </section>`;
}
