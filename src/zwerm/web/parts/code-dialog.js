/** Any text as a QR code, drawn from the daemon's answer: only its path is taken over, never its markup. */
import { html, signal, useEffect, useState } from "../vendor/preact.js";
import { failureFrom, request } from "../api.js";
import { t } from "../language.js";
import { asFailure } from "../resource.js";
import { Dialog } from "./dialog.js";
import { FailureCard } from "./failure-card.js";
import { CopyField } from "./copy-field.js";

/** @import {Failure} from "../api.js" */

const shown = signal(/** @type {{text: string, name: string} | null} */ (null));

/** @param {string} text @param {string} [name] */
export function showCode(text, name = "") {
  shown.value = { text, name };
}

/** What the calls service draws for everybody: a link of a room, or of another device. */
const CALLS_LINK = /^https?:\/\/[^/]+\/#\/(rooms|calls\/link)\/[\w-]{22,64}$/;

/** @param {string} text @param {AbortSignal} signal @returns {Promise<string>} */
async function drawn(text, signal) {
  if (!CALLS_LINK.test(text)) return (await request("GET", "qr", { query: { text }, signal })).text();
  const response = await fetch("/api/calls/v1/code", { method: "POST", body: text, signal });
  const answer = await response.text();
  if (!response.ok) throw failureFrom(response.status, answer);
  return answer;
}

/** @param {{text: string}} props */
export function Code({ text }) {
  const [drawing, setDrawing] = useState(/** @type {{box: string, paths: string[]} | null} */ (null));
  const [failure, setFailure] = useState(/** @type {Failure | null} */ (null));
  useEffect(() => {
    const abort = new AbortController();
    setDrawing(null);
    drawn(text, abort.signal)
      .then((svg) => {
        const root = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
        const [width, height] = ["width", "height"].map((side) => parseFloat(root.getAttribute(side) ?? "0"));
        const box = root.getAttribute("viewBox") ?? `0 0 ${width} ${height}`;
        setDrawing({
          box,
          paths: [...root.querySelectorAll("path")].map(
            (path) => `${path.getAttribute("transform") ?? ""}|${path.getAttribute("d") ?? ""}`,
          ),
        });
      })
      .catch((error) => {
        if (!abort.signal.aborted) setFailure(asFailure(error));
      });
    return () => abort.abort();
  }, [text]);
  if (failure) return html`<${FailureCard} failure=${failure} />`;
  return html`<div class="qr" role="img" aria-label=${t("code.label")}>
    <svg viewBox=${drawing?.box ?? "0 0 1 1"} aria-hidden="true">
      ${drawing?.paths.map((path) => {
        const [transform, d] = path.split("|", 2);
        return html`<path transform=${transform || null} d=${d} fill="none" stroke="currentColor" />`;
      })}
    </svg>
  </div>`;
}

/** The one such dialog, in the shell. */
export function CodeDialog() {
  if (!shown.value) return null;
  const { text, name } = shown.value;
  return html`<${Dialog}
    title=${name || t("code.title")}
    close=${() => {
      shown.value = null;
    }}
  >
    <div class="row code-plate"><${Code} text=${text} /></div>
    <${CopyField} text=${text} label=${t("code.text")} />
  <//>`;
}
