/** An error in three parts: what happened, why if known, what to do now; the rest in a fold. */
import { html } from "../vendor/preact.js";
import { shortHash } from "../format.js";
import { language, t } from "../language.js";
import { Icon } from "./icon.js";

/** @import {Failure} from "../api.js" */
/** @import {Key} from "../language.js" */

/**
 * What, and what to do, for each code of docs/app-api.md and those of the page itself.
 * @type {Record<string, [Key, Key]>}
 */
const SENTENCES = {
  offline: ["failure.offline", "failure.offline.do"],
  page: ["failure.page", "failure.page.do"],
  "bad-request": ["failure.badRequest", "failure.badRequest.do"],
  "bad-path": ["failure.badPath", "failure.badPath.do"],
  "bad-cid": ["failure.badCid", "failure.badCid.do"],
  "bad-version": ["failure.badVersion", "failure.badVersion.do"],
  session: ["failure.session", "failure.session.do"],
  key: ["failure.key", "failure.key.do"],
  origin: ["failure.origin", "failure.origin.do"],
  "not-found": ["failure.notFound", "failure.notFound.do"],
  "bad-address": ["failure.badAddress", "failure.badAddress.do"],
  "bad-dump": ["failure.badDump", "failure.badDump.do"],
  alone: ["failure.alone", "failure.alone.do"],
  unreachable: ["failure.unreachable", "failure.unreachable.do"],
  "block-missing": ["failure.blockMissing", "failure.blockMissing.do"],
  "fetch-nobody": ["failure.fetchNobody", "failure.fetchNobody.do"],
  "fetch-dial": ["failure.fetchDial", "failure.fetchDial.do"],
  "fetch-partial": ["failure.fetchPartial", "failure.fetchPartial.do"],
  method: ["failure.badRequest", "failure.badRequest.do"],
  exists: ["failure.exists", "failure.exists.do"],
  "not-a-directory": ["failure.notADirectory", "failure.notADirectory.do"],
  "is-a-directory": ["failure.isADirectory", "failure.isADirectory.do"],
  "not-empty": ["failure.notEmpty", "failure.notEmpty.do"],
  busy: ["failure.busy", "failure.busy.do"],
  "too-large": ["failure.tooLarge", "failure.tooLarge.do"],
  "invalid-settings": ["failure.invalidSettings", "failure.invalidSettings.do"],
  damaged: ["failure.damaged", "failure.damaged.do"],
  internal: ["failure.internal", "failure.internal.do"],
  stopping: ["failure.stopping", "failure.stopping.do"],
  quota: ["failure.quota", "failure.quota.do"],
  "disk-full": ["failure.diskFull", "failure.diskFull.do"],
  "read-only": ["failure.readOnly", "failure.readOnly.do"],
  disk: ["failure.disk", "failure.disk.do"],
  "fetch-off": ["failure.fetchOff", "failure.fetchOff.do"],
  "fetch-insecure": ["failure.fetchInsecure", "failure.fetchInsecure.do"],
  "fetch-browser": ["failure.fetchBrowser", "failure.fetchBrowser.do"],
  "fetch-unreachable": ["failure.fetchUnreachable", "failure.fetchUnreachable.do"],
  "fetch-missing": ["failure.fetchMissing", "failure.fetchMissing.do"],
  "fetch-large": ["failure.fetchLarge", "failure.fetchLarge.do"],
};

/** Long addresses as elsewhere: first six and last four; the details hold them whole. @param {string | null} text */
const withShortHashes = (text) =>
  text && text.replace(/\b(?:b[a-z2-7]{40,}|Qm[1-9A-HJ-NP-Za-km-z]{44}|[kz][0-9A-Za-z]{44,})\b/g, shortHash);

/**
 * The three parts in the language of the page. English takes the daemon's own, which name the thing.
 * @param {Failure} failure
 */
export function sentences(failure) {
  const [what, advice] = SENTENCES[failure.code] ?? SENTENCES.internal;
  const own = language.value === "en" && failure.status > 0;
  return {
    what: own ? (withShortHashes(failure.what) ?? "") : t(what),
    why: own ? withShortHashes(failure.why) : null,
    advice: (own && failure.do) || t(advice),
  };
}

/**
 * A sentence whose words between backticks are to be typed.
 * @param {string} text
 */
export const withCode = (text) =>
  text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? html`<code>${part}</code>` : part));

/** @param {{failure: Failure, retry?: () => void}} props */
export function FailureCard({ failure, retry }) {
  const { what, why, advice } = sentences(failure);
  const details =
    typeof failure.details === "string" || failure.details === null
      ? failure.details
      : JSON.stringify(failure.details, null, 2);
  return html`<div class="failure" role="alert">
    <${Icon} name="warning" />
    <div>
      <b>${withCode(what)}</b>
      <p>${withCode(why ? `${why} ${advice}` : advice)}</p>
      ${
        (details || language.value !== "en") &&
        html`<details>
          <summary>${t("failure.details")}</summary>
          <pre>${[failure.code, failure.status || null, failure.what, details].filter(Boolean).join("\n")}</pre>
        </details>`
      }
      ${retry && html`<div class="row"><button type="button" onClick=${retry}>${t("action.retry")}</button></div>`}
    </div>
  </div>`;
}
