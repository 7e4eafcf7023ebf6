/** Settings: what is different here from how it comes, and how do I change it? */
import { html, useEffect, useState } from "../vendor/preact.js";
import { put, read } from "../api.js";
import { node, refreshNode } from "../events.js";
import { LANGUAGES, chooseLanguage, languageChoice, t } from "../language.js";
import { FailureCard } from "../parts/failure-card.js";
import { Icon } from "../parts/icon.js";
import { notify } from "../parts/notices.js";
import { PageHead } from "../parts/page-head.js";
import { Skeleton } from "../parts/skeleton.js";
import { theme } from "../preferences.js";
import { asFailure, useResource } from "../resource.js";
import { route } from "../route.js";
import { RelayCard } from "../settings/relay-card.js";
import { SettingRow, asText } from "../settings/setting-row.js";
import { GROUPS } from "../settings/words.js";

/** @import {Failure} from "../api.js" */
/** @import {Setting, Settings} from "../types.d.ts" */
/** @import {Key} from "../language.js" */

/** @param {{label: string, choices: [string, string][], value: string, choose: (value: any) => void}} props */
function Segments({ label, choices, value, choose }) {
  return html`<div class="setting">
    <div class="about"><b>${label}</b></div>
    <div class="value">
      <div class="segments" role="group" aria-label=${label}>
        ${choices.map(
          ([name, words]) =>
            html`<button type="button" aria-pressed=${name === value} onClick=${() => choose(name)}>${words}</button>`,
        )}
      </div>
    </div>
  </div>`;
}

function Appearance() {
  return html`<section class="card settings">
    <header>
      <h2>${t("settings.appearance")}</h2>
      <span class="small quiet">${t("settings.appearanceText")}</span>
    </header>
    <${Segments}
      label=${t("settings.theme")}
      value=${theme.value}
      choose=${(/** @type {any} */ value) => {
        theme.value = value;
      }}
      choices=${[
        ["system", t("settings.system")],
        ["light", t("settings.light")],
        ["dark", t("settings.dark")],
      ]}
    />
    <${Segments}
      label=${t("settings.language")}
      value=${languageChoice.value}
      choose=${chooseLanguage}
      choices=${[["system", t("settings.system")], ...Object.entries(LANGUAGES)]}
    />
  </section>`;
}

/** @param {Settings} settings */
function answerOf({ settings }) {
  const set = settings.filter((setting) => setting.set).length;
  return set === 0 ? t("settings.answer.asCome") : t("settings.answer", { n: set });
}

/** Keys that the words do not know, in a group of their own. @param {Setting[]} settings */
function groupsOf(settings) {
  const known = new Set(GROUPS.flatMap(({ keys }) => Object.keys(keys)));
  const others = settings.filter(({ key }) => !known.has(key)).map(({ key }) => [key, undefined]);
  /** @type {{title: Key, keys: Record<string, [Key, Key] | undefined>}[]} */
  const groups = [...GROUPS];
  if (others.length) groups.push({ title: "settings.others", keys: Object.fromEntries(others) });
  return groups;
}

export function SettingsPage() {
  const settings = useResource((signal) => /** @type {Promise<Settings>} */ (read("settings", {}, signal)), []);
  const [edits, setEdits] = useState(/** @type {Record<string, any>} */ ({}));
  const [faults, setFaults] = useState(/** @type {Record<string, string>} */ ({}));
  const [failure, setFailure] = useState(/** @type {Failure | null} */ (null));
  const [busy, setBusy] = useState(false);
  const wanted = route.value.parameters.get("find");
  const count = Object.keys(edits).length;

  useEffect(() => {
    if (!wanted || !settings.data) return;
    document.getElementById(`row-${wanted}`)?.scrollIntoView({ block: "center" });
    document.getElementById(`set-${wanted}`)?.focus({ preventScroll: true });
  }, [wanted, settings.data === null]);

  /** @param {Setting} setting @param {any} value null: the default */
  const change = (setting, value) => {
    const { [setting.key]: _, ...others } = edits;
    const same = value === null ? !setting.set : asText(value) === asText(setting.value);
    setEdits(same ? others : { ...others, [setting.key]: value });
    const { [setting.key]: __, ...fine } = faults;
    setFaults(fine);
  };
  /** @param {Event} event */
  const save = async (event) => {
    event.preventDefault();
    if (!count || busy) return;
    setBusy(true);
    setFailure(null);
    try {
      const body = Object.fromEntries(
        Object.entries(edits).map(([key, value]) => [
          key,
          Array.isArray(value) ? value.map((line) => line.trim()).filter(Boolean) : value,
        ]),
      );
      const answer = /** @type {Settings} */ (await put("settings", body));
      settings.change(() => answer);
      setEdits({});
      setFaults({});
      notify(t("settings.saved", { n: count }));
      void refreshNode();
    } catch (error) {
      const failed = asFailure(error);
      if (failed.code === "invalid-settings" && failed.details && typeof failed.details === "object") {
        setFaults(failed.details);
        document.getElementById(`set-${Object.keys(failed.details)[0]}`)?.focus();
      }
      setFailure(failed);
    }
    setBusy(false);
  };

  return html`<${PageHead}
      title=${t("nav.settings")}
      answer=${settings.data ? answerOf(settings.data) : settings.failure ? "" : null}
    />
    ${
      settings.data?.restart_needed &&
      html`<div class="banner" role="status"><${Icon} name="warning" />${t("settings.restartNeeded")}</div>`
    }
    <${Appearance} />
    ${
      settings.failure
        ? html`<section class="card"><${FailureCard} failure=${settings.failure} retry=${settings.reload} /></section>`
        : !settings.data
          ? html`<section class="card"><${Skeleton} rows=${8} /></section>`
          : html`<form onSubmit=${save} novalidate>
                ${groupsOf(settings.data.settings).map(
                  ({ title, keys }) =>
                    html`<section class="card settings" key=${title}>
                      <header><h2>${t(title)}</h2></header>
                      ${title === "settings.relay" && html`<${RelayCard} />`}
                      ${Object.entries(keys).map(([key, words]) => {
                        const setting = settings.data?.settings.find((candidate) => candidate.key === key);
                        if (!setting) return null;
                        const edited = key in edits;
                        const value = !edited ? setting.value : edits[key] === null ? setting.default : edits[key];
                        return html`<${SettingRow}
                          key=${key}
                          setting=${setting}
                          words=${words}
                          value=${value}
                          changed=${edited}
                          fault=${faults[key]}
                          change=${(/** @type {any} */ value) => change(setting, value)}
                          reset=${() => change(setting, edited && !setting.set ? setting.value : null)}
                        />`;
                      })}
                    </section>`,
                )}
                ${
                  count > 0 &&
                  html`<div class="save-bar" role="region" aria-label=${t("settings.unsavedBar")}>
                    ${failure && html`<${FailureCard} failure=${failure} />`}
                    <div class="row spread wrap">
                      <b aria-live="polite">${t("settings.count", { n: count })}</b
                      ><span class="row"
                        ><button
                          type="button"
                          onClick=${() => {
                            setEdits({});
                            setFaults({});
                            setFailure(null);
                          }}
                        >
                          ${t("settings.discard")}
                        </button>
                        <button type="submit" class="first" aria-busy=${busy}>${t("settings.save")}</button></span
                      >
                    </div>
                  </div>`
                }
              </form>
              <p class="small quiet after">
                ${t("settings.file", { path: `${node.value?.repository ?? ""}/config.toml` })}
              </p>`
    }`;
}
