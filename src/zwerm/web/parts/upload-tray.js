/** What is being added right now: how far, how fast, how long still, and a way to stop it. */
import { html } from "../vendor/preact.js";
import { count, duration, percent, rate, size } from "../format.js";
import { t } from "../language.js";
import { dismissUpload, stopUpload, uploads } from "../uploads.js";
import { FailureCard } from "./failure-card.js";

/** @import {Upload} from "../uploads.js" */

/** @param {Upload} upload */
function progressText(upload) {
  if (upload.state === "gathering") return t("upload.gathering", { n: upload.files });
  if (upload.done >= upload.total) return t("upload.writing");
  const parts = [t("upload.of", { done: size(upload.done), total: size(upload.total) })];
  if (upload.files > 1) parts.unshift(t("upload.files", { n: upload.files }));
  if (upload.rate > 0)
    parts.push(rate(upload.rate), t("upload.left", { time: duration((upload.total - upload.done) / upload.rate) }));
  return parts.join(" · ");
}

/** @param {{upload: Upload}} props */
function UploadLine({ upload }) {
  if (upload.state === "failed" && upload.failure) {
    return html`<div class="transfer">
      <${FailureCard} failure=${upload.failure} /><button
        type="button"
        class="small"
        onClick=${() => dismissUpload(upload.id)}
      >
        ${t("action.dismiss")}
      </button>
    </div>`;
  }
  const whole = upload.state === "sending" && upload.done < upload.total;
  return html`<div class="transfer">
    <div><b class="ellipsis">${upload.name}</b><small class="quiet">${progressText(upload)}</small></div>
    <button
      type="button"
      class="small"
      aria-label=${t("upload.stop", { name: upload.name })}
      onClick=${() => stopUpload(upload.id)}
    >
      ${t("action.stop")}
    </button>
    <progress
      max=${upload.total || 1}
      value=${whole ? upload.done : null}
      aria-label=${t("upload.progress", { name: upload.name })}
    >
      ${whole ? percent(upload.done / upload.total) : ""}
    </progress>
  </div>`;
}

/** Said aloud at each quarter, not at each byte. */
function Said() {
  const words = uploads.value
    .filter((upload) => upload.state === "sending")
    .map((upload) =>
      t("upload.said", {
        name: upload.name,
        part: percent(Math.floor((4 * upload.done) / (upload.total || 1)) / 4),
        files: count(upload.files),
      }),
    );
  return html`<div class="unseen" aria-live="polite">${words.join(". ")}</div>`;
}

export function UploadTray() {
  const running = uploads.value;
  return html`<${Said} />${
      running.length > 0 &&
      html`<section class="card" aria-label=${t("upload.title")}>
        ${running.map((upload) => html`<${UploadLine} key=${upload.id} upload=${upload} />`)}
      </section>`
    }`;
}
