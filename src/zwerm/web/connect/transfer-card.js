/** The files of a conversation: offered, on their way, here. Files can be dropped anywhere on the page. */
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { duration, percent, rate, size } from "../format.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { accept, files, forget, send, stop, whole } from "./desk.js";

/** @import {FileEntry} from "./desk.js" */
/** @import {Key} from "../language.js" */

/** @type {Record<import("./transfer.js").Reason, Key>} */
export const REASONS = {
  unknown: "transfer.reason.unknown",
  declined: "transfer.reason.declined",
  stopped: "transfer.reason.stopped",
  diskFull: "transfer.reason.diskFull",
  cannotWrite: "transfer.reason.cannotWrite",
  cannotRead: "transfer.reason.cannotRead",
  changed: "transfer.reason.changed",
  damaged: "transfer.reason.damaged",
  tooMany: "transfer.reason.tooMany",
  tooLarge: "transfer.reason.tooLarge",
};

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

/** @param {FileEntry} entry */
function save(entry) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(whole(entry.number));
  link.download = entry.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @param {{entry: FileEntry}} props */
function Actions({ entry }) {
  const { name, number } = entry;
  if (entry.state === "offered" && entry.way === "in")
    return html`<div class="row">
      <button
        type="button"
        class="first small"
        aria-label=${t("transfer.receive.label", { name })}
        onClick=${() => accept(number)}
      >
        ${t("transfer.receive")}
      </button>
      <button
        type="button"
        class="small"
        aria-label=${t("transfer.decline.label", { name })}
        onClick=${() => stop(number)}
      >
        ${t("transfer.decline")}
      </button>
    </div>`;
  if (entry.state !== "done" && entry.state !== "ended")
    return html`<button
      type="button"
      class="small"
      aria-label=${t("transfer.stop.label", { name })}
      onClick=${() => stop(number)}
    >
      ${t("action.stop")}
    </button>`;
  return html`<div class="row">
    ${
      entry.state === "done" &&
      entry.way === "in" &&
      html`<button
        type="button"
        class="first small"
        aria-label=${t("transfer.save.label", { name })}
        onClick=${() => save(entry)}
      >
        <${Icon} name="download" />${t("transfer.save")}
      </button>`
    }
    <button
      type="button"
      class="plain square small"
      aria-label=${t("transfer.forget.label", { name })}
      onClick=${() => forget(number)}
    >
      <${Icon} name="close" />
    </button>
  </div>`;
}

/** @param {{entry: FileEntry}} props */
function Line({ entry }) {
  const shown = ["preparing", "moving", "waiting"].includes(entry.state);
  return html`<li class="transfer" data-state=${entry.state}>
    <div>
      <${Icon} name=${entry.state === "ended" ? "warning" : entry.way === "in" ? "download" : "upload"} />
      <b class="ellipsis">${entry.name}</b><small class="quiet">${words(entry)}</small>
    </div>
    <${Actions} entry=${entry} />
    ${
      shown &&
      html`<progress max="1" value=${part(entry)} aria-label=${t("transfer.progress", { name: entry.name })} />`
    }
  </li>`;
}

/** Said aloud at each quarter, not at each byte. */
function Aloud() {
  const said = files.value
    .filter(({ state }) => state === "moving")
    .map((entry) => t("transfer.said", { name: entry.name, part: percent(Math.floor(4 * part(entry)) / 4) }));
  return html`<div class="unseen" aria-live="polite">${said.join(". ")}</div>`;
}

/** Whether files are held over the page; what is dropped is sent. */
function useDrop() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    let inside = 0;
    /** @param {DragEvent} event */
    const listen = (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      if (event.type === "dragenter") inside += 1;
      if (event.type === "dragleave") inside = Math.max(0, inside - 1);
      if (event.type === "drop") {
        inside = 0;
        void send(event.dataTransfer.files);
      }
      setOver(inside > 0);
    };
    const names = /** @type {const} */ (["dragenter", "dragover", "dragleave", "drop"]);
    for (const name of names) addEventListener(name, listen);
    return () => {
      for (const name of names) removeEventListener(name, listen);
    };
  }, []);
  return over;
}

export function TransferCard() {
  const over = useDrop();
  const chooser = useRef(/** @type {HTMLInputElement | null} */ (null));
  return html`<section class=${over ? "card transfers over" : "card transfers"}>
    <header>
      <h2>${t("transfer.title")}</h2>
      <button type="button" class="small" onClick=${() => chooser.current?.click()}>
        <${Icon} name="upload" />${t("transfer.choose")}
      </button>
      <input
        ref=${chooser}
        type="file"
        multiple
        hidden
        onChange=${(/** @type {any} */ event) => {
          void send([...event.currentTarget.files]);
          event.currentTarget.value = "";
        }}
      />
    </header>
    <${Aloud} />
    ${
      over
        ? html`<p class="body quiet">${t("transfer.drop")}</p>`
        : files.value.length === 0
          ? html`<p class="body quiet">${t("transfer.empty")}</p>`
          : html`<ul>
              ${files.value.map((entry) => html`<${Line} key=${entry.number} entry=${entry} />`)}
            </ul>`
    }
  </section>`;
}
