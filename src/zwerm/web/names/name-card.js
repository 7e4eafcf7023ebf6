/** One name: its address, where it points, until when, and where it pointed before. */
import { html } from "../vendor/preact.js";
import { post } from "../api.js";
import { duration, moment, when } from "../format.js";
import { t } from "../language.js";
import { showCode } from "../parts/code-dialog.js";
import { HashChip } from "../parts/hash-chip.js";
import { Icon } from "../parts/icon.js";
import { notify, notifyFailure } from "../parts/notices.js";

/** @import {PublishedName} from "../types.d.ts" */

/** @param {{name: PublishedName, reload: () => void}} props */
export function NameCard({ name, reload }) {
  const published = name.published;
  if (!published) return null;
  const withdraw = async () => {
    try {
      await post("names/withdraw", { key: name.key });
      notify(t("names.withdrawn", { key: name.key }));
    } catch (error) {
      notifyFailure(error);
    }
    reload();
  };
  const again = async (/** @type {string} */ path) => {
    try {
      await post("names/publish", { key: name.key, path });
      notify(t("names.done", { key: name.key }));
    } catch (error) {
      notifyFailure(error);
    }
    reload();
  };
  return html`<section class="card name-card" aria-label=${name.key}>
    <header>
      <h2 class="ellipsis">${name.key === "self" ? t("names.self") : name.key}</h2>
      ${
        name.link &&
        html`<a class="button small" href=${name.link} target="_blank" rel="noreferrer"
            ><${Icon} name="open" />${t("names.open")}</a
          ><button type="button" class="small" onClick=${() => showCode(String(name.link), name.key)}>
            <${Icon} name="qr" />${t("names.code")}
          </button>`
      }
      <button type="button" class="small" onClick=${withdraw}>${t("names.withdraw")}</button>
    </header>
    <div class="body">
      <dl class="facts">
        <dt>${t("names.address")}</dt>
        <dd><${HashChip} hash=${`/ipns/${name.name}`} name=${t("names.address")} whole code=${false} /></dd>
        <dt>${t("names.points")}</dt>
        <dd class="mono break">${published.path}</dd>
        <dt>${t("names.signed")}</dt>
        <dd title=${moment(published.signed)}>${when(published.signed)}</dd>
        <dt>${t("names.ends")}</dt>
        <dd title=${moment(published.ends)}>
          ${moment(published.ends)} <small class="quiet">${t("names.renewed", { ttl: duration(published.ttl) })}</small>
        </dd>
      </dl>
      ${
        name.history.length > 1 &&
        html`<h3>${t("names.before")}</h3>
          <ol class="name-history">
            ${name.history.slice(1).map(
              (line) =>
                html`<li>
                  <time datetime=${line.time} title=${moment(line.time)}>${when(line.time)}</time>
                  <span class="mono ellipsis" title=${line.path}>${line.path}</span>
                  <button type="button" class="small" onClick=${() => again(line.path)}>
                    <${Icon} name="restore" />${t("names.again")}
                  </button>
                </li>`,
            )}
          </ol>`
      }
    </div>
  </section>`;
}
