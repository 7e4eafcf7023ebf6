/** What was fetched: how far it is, a look at it, and a way to keep it. The bytes are those this tab verified. */
import { html, useEffect, useState } from "../vendor/preact.js";
import { kindOf } from "../content.js";
import { count, duration, percent, rate, shortHash, size } from "../format.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { href } from "../route.js";
import { began, children, got, MOST_ENTRIES, state, stop, took, total, whole } from "./fetching.js";

const SHOWN_TEXT = 65_536; // bytes
/** What the first bytes of a file say it is. @type {[string, number[]][]} */
const SIGNATURES = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
  ["image/webp", [0x52, 0x49, 0x46, 0x46]],
  ["video/webm", [0x1a, 0x45, 0xdf, 0xa3]],
  ["audio/ogg", [0x4f, 0x67, 0x67, 0x53]],
  ["audio/mpeg", [0x49, 0x44, 0x33]],
  ["audio/flac", [0x66, 0x4c, 0x61, 0x43]],
];

/** The type of bytes, by what they begin with: never one that could run. @param {Uint8Array} head */
export function typeOf(head) {
  const known = SIGNATURES.find(([, bytes]) => bytes.every((byte, index) => head[index] === byte));
  if (known) return known[0];
  if (String.fromCharCode(...head.slice(4, 8)) === "ftyp") return "video/mp4";
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(head.slice(0, Math.max(0, head.length - 4)));
    return /[\0-\x08\x0e-\x1a]/.test(text) ? "application/octet-stream" : "text/plain";
  } catch {
    return "application/octet-stream";
  }
}

/** @typedef {{type: string, address: string, text: string}} Shown */

/** What is shown of a blob; its address is let go of with the part. @param {Blob} blob */
function useShown(blob) {
  const [shown, setShown] = useState(/** @type {Shown | null} */ (null));
  useEffect(() => {
    let address = "";
    let gone = false;
    void blob
      .slice(0, SHOWN_TEXT)
      .arrayBuffer()
      .then((bytes) => {
        if (gone) return;
        const head = new Uint8Array(bytes);
        const type = typeOf(head);
        address = URL.createObjectURL(new Blob([blob], { type }));
        setShown({ type, address, text: type === "text/plain" ? new TextDecoder().decode(head) : "" });
      });
    return () => {
      gone = true;
      setShown(null);
      if (address) URL.revokeObjectURL(address);
    };
  }, [blob]);
  return shown;
}

/** @param {{blob: Blob, name: string}} props */
function Look({ blob, name }) {
  const shown = useShown(blob);
  if (!shown) return null;
  const kind = kindOf({ name: "", kind: "file", type: shown.type });
  return html`<div class="body fetched">
      ${kind === "picture" && html`<div class="stage"><img src=${shown.address} alt=${name} /></div>`}
      ${kind === "video" && html`<div class="stage"><video src=${shown.address} controls aria-label=${name} /></div>`}
      ${kind === "audio" && html`<audio src=${shown.address} controls aria-label=${name} />`}
      ${kind === "text" && html`<pre tabindex="0">${shown.text}</pre>`}
      ${kind === "text" && blob.size > SHOWN_TEXT && html`<p class="quiet">${t("fetch.beginning")}</p>`}
      ${kind === "file" && html`<p class="quiet">${t("fetch.noPreview")}</p>`}
    </div>
    <footer class="row">
      <a class="button first" href=${shown.address} download=${name}
        ><${Icon} name="download" />${t("action.download")}</a
      >
    </footer>`;
}

function Progress() {
  const seconds = (performance.now() - began.value) / 1000;
  const speed = seconds > 0.5 ? got.value / seconds : 0;
  const words = [t("fetch.moved", { done: size(got.value), total: size(total.value) })];
  if (speed) words.push(rate(speed), t("transfer.left", { time: duration((total.value - got.value) / speed) }));
  const part = total.value ? got.value / total.value : 0;
  return html`<div class="body">
    <progress max="1" value=${part} aria-label=${t("fetch.progress")} />
    <p class="quiet">${words.join(" · ")}</p>
    <div class="unseen" aria-live="polite">${percent(Math.floor(4 * part) / 4)}</div>
  </div>`;
}

/** @param {{cid: string, path: string}} props */
function Entries({ cid, path }) {
  const list = children.value ?? [];
  if (!list.length) return html`<p class="body quiet">${t("fetch.folder.empty")}</p>`;
  return html`<ul class="entries">
      ${list.map(
        (child) =>
          html`<li key=${child.name}>
            <a href=${href("fetch", `${cid}/${path}/${child.name}`)}
              ><${Icon} name=${child.kind === "directory" ? "folder" : "file"} /><span class="ellipsis"
                >${child.name}</span
              ></a
            ><small class="quiet">${child.size ? size(child.size) : ""}</small>
          </li>`,
      )}
    </ul>
    ${list.length === MOST_ENTRIES && html`<p class="body quiet">${t("fetch.folder.more", { n: count(MOST_ENTRIES) })}</p>`}`;
}

/** @param {number} bytes */
function tookWords(bytes) {
  const seconds = took.value;
  if (seconds < 1) return t("fetch.took.quick", { size: size(bytes) });
  return t("fetch.took", { size: size(bytes), time: duration(seconds), rate: rate(bytes / seconds) });
}

/** @param {{cid: string, path: string}} props */
export function ContentCard({ cid, path }) {
  const now = state.value;
  const name = path.split("/").filter(Boolean).pop() ?? shortHash(cid);
  const busy = ["starting", "connecting", "looking", "fetching"].includes(now);
  return html`<section class="card" aria-busy=${busy}>
    <header>
      <h2 class="ellipsis">${name}</h2>
      ${
        whole.value &&
        html`<span class="state good" role="status"><${Icon} name="check" />${t("fetch.verified")}</span>`
      }
      ${busy && html`<button type="button" onClick=${stop}>${t("action.stop")}</button>`}
    </header>
    ${
      busy &&
      now !== "fetching" &&
      html`<p class="body quiet" role="status">
        ${t(now === "starting" ? "fetch.starting" : now === "connecting" ? "fetch.connecting" : "fetch.looking")}
      </p>`
    }
    ${now === "fetching" && html`<${Progress} />`}
    ${now === "stopped" && html`<p class="body">${t("fetch.stopped")}</p>`}
    ${
      whole.value &&
      html`<p class="body quiet">${tookWords(whole.value.size)}</p>
        <${Look} blob=${whole.value} name=${name} />`
    }
    ${children.value && html`<${Entries} cid=${cid} path=${path} />`}
  </section>`;
}
