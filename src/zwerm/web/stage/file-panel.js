/** The files of a meeting: offered, on their way, here. */
import { html, useRef } from "../vendor/preact.js";
import { duration, percent, rate, size } from "../format.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { REASONS } from "../connect/transfer-card.js";
import { save } from "./save.js";
import { isOver } from "./shelf.js";

/** @import {FileEntry, Shelf} from "./shelf.js" */

/** @param {FileEntry} entry */
const part = (entry) => (entry.size ? entry.moved / entry.size : 0);

/** @param {FileEntry} entry */
function words(entry) {
  const amounts = { done: size(entry.moved), total: size(entry.size) };
  switch (entry.state) {
    case "preparing":
      return t("transfer.preparing", { part: percent(part(entry)) });
    case "offered":
      return t(entry.way === "in" ? "transfer.offered.in" : "transfer.offered.out", { size: size(entry.size) });
    case "waiting":
      return t("transfer.waiting", amounts);
    case "done":
      return t(entry.way === "in" ? "transfer.done.in" : "transfer.done.out", { size: size(entry.size) });
    case "ended":
      return t(REASONS[entry.reason]);
    default: {
      const seconds = (performance.now() - entry.began) / 1000;
      const speed = seconds > 1 ? (entry.moved - entry.from) / seconds : 0;
      const moving = t("transfer.moving", amounts);
      if (speed <= 0) return moving;
      return `${moving} · ${rate(speed)} · ${t("transfer.left", { time: duration((entry.size - entry.moved) / speed) })}`;
    }
  }
}

/** @param {{shelf: Shelf, entry: FileEntry}} props */
function Line({ shelf, entry }) {
  const { name, number, whole } = entry;
  /** @param {import("../language.js").Key} key */
  const named = (key) => t(key, { name });
  return html`<li class="transfer" data-state=${entry.state}>
    <div>
      <${Icon} name=${entry.state === "ended" ? "warning" : entry.way === "in" ? "download" : "upload"} />
      <b class="ellipsis">${name}</b>
      <small class="quiet">${entry.label} · ${words(entry)}</small>
    </div>
    <div class="row">
      ${
        entry.state === "offered" &&
        entry.way === "in" &&
        html`<button
          type="button"
          class="first small"
          aria-label=${named("transfer.receive.label")}
          onClick=${() => void shelf.accept(number)}
        >
          ${t("transfer.receive")}
        </button>`
      }
      ${
        whole &&
        html`<button
          type="button"
          class="first small"
          aria-label=${named("transfer.save.label")}
          onClick=${() => save(whole, name)}
        >
          ${t("transfer.save")}
        </button>`
      }
      <button
        type="button"
        class="plain square small"
        aria-label=${named(
          isOver(entry)
            ? "transfer.forget.label"
            : entry.state === "offered" && entry.way === "in"
              ? "transfer.decline.label"
              : "transfer.stop.label",
        )}
        onClick=${() => (isOver(entry) ? shelf.forget(number) : shelf.stop(number))}
      >
        <${Icon} name="close" />
      </button>
    </div>
    ${
      ["preparing", "moving", "waiting"].includes(entry.state) &&
      html`<progress max="1" value=${part(entry)} aria-label=${named("transfer.progress")} />`
    }
  </li>`;
}

/** @param {{shelf: Shelf, isAlone: boolean}} props */
export function FilePanel({ shelf, isAlone }) {
  const chooser = useRef(/** @type {HTMLInputElement | null} */ (null));
  const entries = shelf.entries.value;
  return html`<div class="panel-files">
    <p class="quiet small">${t("stage.files.text")}</p>
    <button type="button" class="first" disabled=${isAlone} onClick=${() => chooser.current?.click()}>
      <${Icon} name="upload" />${t("stage.files.send")}
    </button>
    <input
      ref=${chooser}
      type="file"
      multiple
      hidden
      aria-label=${t("stage.files.send")}
      onChange=${(/** @type {any} */ event) => {
        void shelf.send([...event.currentTarget.files]);
        event.currentTarget.value = "";
      }}
    />
    <ul>
      ${entries.map((entry) => html`<${Line} key=${entry.number} shelf=${shelf} entry=${entry} />`)}
    </ul>
  </div>`;
}
