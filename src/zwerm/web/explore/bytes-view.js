/** The bytes of a block: place, hexadecimal, text. */
import { html, useEffect, useState } from "../vendor/preact.js";
import { request } from "../api.js";
import { size } from "../format.js";
import { t } from "../language.js";
import { FailureCard } from "../parts/failure-card.js";
import { Skeleton } from "../parts/skeleton.js";
import { asFailure } from "../resource.js";

/** @import {Failure} from "../api.js" */

const FIRST = 256;
const MORE = 2048;

/** @param {number} value */
const hex = (value) => value.toString(16).padStart(2, "0");

/** @param {Uint8Array} bytes @param {number} perLine */
export function dump(bytes, perLine) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += perLine) {
    const part = [...bytes.subarray(at, at + perLine)];
    const pairs = part.map(hex);
    const half = perLine / 2;
    lines.push({
      place: at.toString(16).padStart(5, "0"),
      hex: [pairs.slice(0, half).join(" "), pairs.slice(half).join(" ")].filter(Boolean).join("  "),
      text: part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join(""),
    });
  }
  return lines;
}

/** @param {{cid: string, size: number, narrow: boolean}} props */
export function BytesView({ cid, size: total, narrow }) {
  const [bytes, setBytes] = useState(new Uint8Array());
  const [wanted, setWanted] = useState(FIRST);
  const [failure, setFailure] = useState(/** @type {Failure | null} */ (null));
  useEffect(() => {
    const abort = new AbortController();
    request("GET", "explore/bytes", {
      query: { cid, offset: bytes.length, length: wanted - bytes.length },
      signal: abort.signal,
    })
      .then((response) => response.arrayBuffer())
      .then((buffer) => setBytes((before) => new Uint8Array([...before, ...new Uint8Array(buffer)])))
      .catch((error) => {
        if (!abort.signal.aborted) setFailure(asFailure(error));
      });
    return () => abort.abort();
  }, [wanted]);
  if (failure) return html`<${FailureCard} failure=${failure} />`;
  if (bytes.length === 0 && total > 0) return html`<${Skeleton} rows=${4} />`;
  return html`<div class="bytes" tabindex="0" role="region" aria-label=${t("explore.bytes")}>
      <table aria-hidden="true">
        <tbody>
          ${dump(bytes, narrow ? 8 : 16).map(
            (line) =>
              html`<tr>
                <td class="place">${line.place}</td>
                <td>${line.hex}</td>
                <td class="text">${line.text}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${
      bytes.length < total &&
      html`<p class="row spread small quiet">
        <span>${t("preview.part", { read: size(bytes.length), total: size(total) })}</span
        ><button type="button" class="small" onClick=${() => setWanted(Math.min(total, wanted + MORE))}>
          ${t("action.more")}
        </button>
      </p>`
    }`;
}
