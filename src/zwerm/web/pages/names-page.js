/** Names: which addresses stay the same while what is behind them changes, and where do they point now? */
import { html, useState } from "../vendor/preact.js";
import { post, read } from "../api.js";
import { namesTurn } from "../events.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";
import { FailureCard } from "../parts/failure-card.js";
import { Icon } from "../parts/icon.js";
import { notify } from "../parts/notices.js";
import { PageHead } from "../parts/page-head.js";
import { Skeleton } from "../parts/skeleton.js";
import { NameCard } from "../names/name-card.js";
import { asFailure, useResource } from "../resource.js";

/** @import {Failure} from "../api.js" */
/** @import {Names} from "../types.d.ts" */

/** @param {Names} names */
function answerOf({ names, online }) {
  const n = names.filter(({ published }) => published).length;
  if (n === 0) return t("names.answer.none");
  return `${t("names.answer", { n })} ${t(online ? "names.answer.online" : "names.answer.offline")}`;
}

/** @param {{names: Names, reload: () => void}} props */
function PublishBar({ names, reload }) {
  const [key, setKey] = useState("");
  const [path, setPath] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState(/** @type {Failure | null} */ (null));
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    if (!key.trim() || !path.trim() || busy) return;
    setBusy(true);
    setFailure(null);
    try {
      await post("names/publish", { key: key.trim(), path: path.trim() });
      notify(t("names.done", { key: key.trim() }));
      setPath("");
    } catch (error) {
      setFailure(asFailure(error));
    }
    setBusy(false);
    reload();
  };
  return html`<form class="card names-publish" onSubmit=${submit}>
      <label
        ><span>${t("names.key")}</span
        ><input
          class="field"
          list="names-keys"
          maxlength="64"
          autocomplete="off"
          value=${key}
          placeholder=${t("names.key.example")}
          onInput=${(/** @type {any} */ event) => setKey(event.currentTarget.value)}
      /></label>
      <datalist id="names-keys">${names.names.map((name) => html`<option value=${name.key} />`)}</datalist>
      <label
        ><span>${t("names.path")}</span
        ><input
          class="field mono"
          spellcheck=${false}
          autocomplete="off"
          value=${path}
          placeholder="/site"
          onInput=${(/** @type {any} */ event) => setPath(event.currentTarget.value)}
      /></label>
      <button type="submit" class="first" disabled=${busy}><${Icon} name="link" />${t("names.publish")}</button>
    </form>
    ${failure && html`<section class="card"><${FailureCard} failure=${failure} /></section>`}`;
}

export function NamesPage() {
  const found = useResource((signal) => /** @type {Promise<Names>} */ (read("names", {}, signal)), [], namesTurn.value);
  const names = found.data;
  const shown = names?.names.filter(({ published }) => published) ?? [];
  return html`<${PageHead} title=${t("nav.names")} answer=${names ? answerOf(names) : found.failure ? "" : null} long />
    ${
      found.failure
        ? html`<section class="card"><${FailureCard} failure=${found.failure} retry=${found.reload} /></section>`
        : !names
          ? html`<section class="card"><${Skeleton} rows=${6} /></section>`
          : html`<${PublishBar} names=${names} reload=${found.reload} /> ${
                shown.length === 0
                  ? html`<section class="card">
                      <${EmptyState} title=${t("names.empty")} text=${t("names.empty.text")} />
                    </section>`
                  : shown.map((name) => html`<${NameCard} key=${name.key} name=${name} reload=${found.reload} />`)
              }`
    }`;
}
