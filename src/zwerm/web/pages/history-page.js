/** History: what changed, when, and how do I get it back? A timeline, two versions compared, and restoring. */
import { html, useState } from "../vendor/preact.js";
import { read } from "../api.js";
import { filesTurn, node } from "../events.js";
import { Breadcrumbs } from "../files/breadcrumbs.js";
import { clockTime, dayHeading, lastName, moment, when } from "../format.js";
import { ChangeCounts } from "../history/change-counts.js";
import { Comparison } from "../history/comparison.js";
import { versionName } from "../history/version-name.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";
import { FailureCard } from "../parts/failure-card.js";
import { Icon } from "../parts/icon.js";
import { notify, notifyFailure } from "../parts/notices.js";
import { PageHead } from "../parts/page-head.js";
import { Skeleton } from "../parts/skeleton.js";
import { useResource } from "../resource.js";
import { href, replace, route } from "../route.js";

/** @import {Version} from "../types.d.ts" */

const PAGE = 50; // versions asked for at once

/** @param {string} path @param {number} wanted @param {AbortSignal} signal */
async function load(path, wanted, signal) {
  /** @type {Version[]} */
  const versions = [];
  /** @type {string | null} */
  let next = null;
  do {
    /** @type {{versions: Version[], next: string | null}} */
    const page = await read("history", { path, limit: Math.min(1000, wanted - versions.length), after: next }, signal);
    versions.push(...page.versions);
    next = page.next;
  } while (next && versions.length < wanted);
  return { versions, next };
}

/** @param {string} path @param {Version[]} versions @param {boolean} more */
function answerOf(path, versions, more) {
  if (versions.length === 0) return t("history.answer.nothing");
  const total = path === "/" ? (node.value?.counts.versions ?? versions.length) : versions.length;
  return t(more && path !== "/" ? "history.answer.more" : "history.answer", { n: total, time: when(versions[0].time) });
}

/**
 * Versions under the day they were made.
 * @param {Version[]} versions
 * @returns {{day: string, versions: Version[]}[]}
 */
function byDay(versions) {
  /** @type {{day: string, versions: Version[]}[]} */
  const days = [];
  for (const version of versions) {
    const day = dayHeading(version.time);
    if (days[days.length - 1]?.day === day) days[days.length - 1].versions.push(version);
    else days.push({ day, versions: [version] });
  }
  return days;
}

/** @param {{versions: Version[], current: string, path: string}} props */
function Timeline({ versions, current, path }) {
  return html`<ol class="timeline">
    ${byDay(versions).map(
      ({ day, versions: made }) =>
        html`<li key=${day}>
          <h3>${day}</h3>
          <ol>
            ${made.map(
              (version) =>
                html`<li key=${version.version}>
                  <a
                    href=${href("history", path, { at: version.version })}
                    aria-current=${version.version === current ? "true" : null}
                    ><span class="bead" aria-hidden="true" />
                    <span class="grow"
                      ><span class="message">${versionName(version)}</span
                      ><span class="row small quiet"
                        ><time datetime=${version.time} title=${moment(version.time)}>${clockTime(version.time)}</time>
                        ${!version.mine && html`<span>${t("history.byOther")}</span>`}<${ChangeCounts}
                          change=${version.change} /></span></span
                  ></a>
                </li>`,
            )}
          </ol>
        </li>`,
    )}
  </ol>`;
}

function VerifyButton() {
  const [busy, setBusy] = useState(false);
  const verify = async () => {
    setBusy(true);
    try {
      const answer = /** @type {{valid: boolean, versions: number, error: string | null}} */ (
        await read("history/verify")
      );
      if (answer.valid) notify(t("history.valid", { n: answer.versions }));
      else notifyFailure(new Error(answer.error ?? t("history.invalid")));
    } catch (error) {
      notifyFailure(error);
    }
    setBusy(false);
  };
  return html`<button type="button" aria-busy=${busy} disabled=${busy} onClick=${verify}>
    <${Icon} name="shield" /><span class="wide">${t("history.verify")}</span
    ><span class="narrow unseen">${t("history.verify")}</span>
  </button>`;
}

export function HistoryPage() {
  const { path, parameters } = route.value;
  const [wanted, setWanted] = useState(PAGE);
  const history = useResource((signal) => load(path, wanted, signal), [path], `${filesTurn.value} ${wanted}`);
  const versions = history.data?.versions ?? [];
  const at = parameters.get("at") ?? "";
  const index = Math.max(
    0,
    versions.findIndex((version) => version.version === at),
  );
  const to = versions[index];
  const chosen = parameters.get("with");
  const from = chosen === "none" ? "" : (chosen ?? versions[index + 1]?.version ?? to?.parents[0] ?? "");
  const title = path === "/" ? t("nav.history") : t("history.of", { name: lastName(path) });

  return html`<${PageHead}
      title=${title}
      answer=${history.data ? answerOf(path, versions, history.data.next !== null) : history.failure ? "" : null}
      ><${VerifyButton}
    /><//>
    ${path !== "/" && html`<div class="row wrap scope"><${Breadcrumbs} path=${path} page="history" /></div>`}
    ${
      history.failure
        ? html`<section class="card"><${FailureCard} failure=${history.failure} retry=${history.reload} /></section>`
        : !history.data
          ? html`<section class="card"><${Skeleton} rows=${6} /></section>`
          : versions.length === 0
            ? html`<section class="card">
                <${EmptyState} title=${t("history.empty")} text=${t("history.emptyText")}
                  ><a class="button first" href=${href("files")}>${t("home.openFiles")}</a><//
                >
              </section>`
            : html`<div class=${at ? "history-columns chosen" : "history-columns"}>
                <section class="card timeline-card" aria-label=${t("history.timeline")}>
                  <${Timeline} versions=${versions} current=${to.version} path=${path} />
                  ${
                    history.data.next &&
                    html`<footer>
                      <button type="button" class="small" onClick=${() => setWanted(wanted + 200)}>
                        ${t("history.older")}
                      </button>
                    </footer>`
                  }
                </section>
                <div class="compared">
                  <a class="narrow back" href=${href("history", path)}
                    ><${Icon} name="left" />${t("history.allVersions")}</a
                  >
                  <${Comparison}
                    path=${path}
                    versions=${versions}
                    from=${from}
                    to=${to}
                    newest=${index === 0}
                    turn=${filesTurn.value}
                    choose=${(/** @type {string} */ before, /** @type {string} */ after) => replace(href("history", path, { at: after, with: before || "none" }))}
                  />
                </div>
              </div>`
    }`;
}
