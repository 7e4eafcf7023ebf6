/**
 * Text of any length, escaped, in pieces of 64 KiB, fetched from the gateway's origin. Markdown is shown as written or
 * as meant.
 */
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { Failure } from "../api.js";
import { contentAddress } from "../content.js";
import { nodeKnown } from "../events.js";
import { size } from "../format.js";
import { t } from "../language.js";
import { FailureCard } from "../parts/failure-card.js";
import { Skeleton } from "../parts/skeleton.js";
import { asFailure } from "../resource.js";
import { Markdown } from "./markdown.js";

const PIECE = 65_536;

/**
 * A piece of content as bytes.
 * @param {string} cid @param {number} from @param {number} length @param {number} total @param {AbortSignal} [signal]
 */
export async function fetchPiece(cid, from, length, total, signal) {
  const whole = from === 0 && length >= total; // a range of nothing cannot be asked for
  await nodeKnown();
  let response;
  try {
    response = await fetch(contentAddress(cid), {
      signal,
      headers: whole ? {} : { Range: `bytes=${from}-${Math.min(from + length, total) - 1}` },
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failure({ code: "offline", what: String(error), why: null, do: null, details: contentAddress(cid) }, 0);
  }
  if (!response.ok) {
    const code = response.status === 404 ? "block-missing" : "internal";
    throw new Failure(
      {
        code,
        what: t(response.status === 404 ? "failure.blockMissing" : "failure.internal"),
        why: null,
        do: null,
        details: (await response.text()).slice(0, 500),
      },
      response.status,
    );
  }
  return new Uint8Array(await response.arrayBuffer());
}

/** @param {{cid: string, size: number, markdown?: boolean, base?: string}} props */
export function TextView({ cid, size: total, markdown = false, base = "" }) {
  const [text, setText] = useState(/** @type {string | null} */ (null));
  const [read, setRead] = useState(0);
  const [wanted, setWanted] = useState(PIECE);
  const [failure, setFailure] = useState(/** @type {Failure | null} */ (null));
  const [source, setSource] = useState(!markdown);
  const decoder = useRef(new TextDecoder());

  useEffect(() => {
    const abort = new AbortController();
    fetchPiece(cid, read, wanted - read, total, abort.signal)
      .then((bytes) => {
        const end = read + bytes.length;
        setText((before) => (before ?? "") + decoder.current.decode(bytes, { stream: end < total }));
        setRead(end);
      })
      .catch((error) => {
        if (!abort.signal.aborted) setFailure(asFailure(error));
      });
    return () => abort.abort();
  }, [cid, wanted]);

  if (failure) return html`<${FailureCard} failure=${failure} />`;
  if (text === null) return html`<${Skeleton} rows=${6} />`;
  const lines = text.split("\n");
  return html`<div class="text-view">
    ${
      markdown &&
      html`<div class="segments" role="group" aria-label=${t("preview.as")}>
        <button type="button" aria-pressed=${!source} onClick=${() => setSource(false)}>
          ${t("preview.rendered")}
        </button>
        <button type="button" aria-pressed=${source} onClick=${() => setSource(true)}>${t("preview.source")}</button>
      </div>`
    }
    ${
      markdown && !source
        ? html`<${Markdown} text=${text} base=${base} />`
        : html`<div class="lines" tabindex="0" role="region" aria-label=${t("preview.text")}>
            <pre class="numbers" aria-hidden="true">${lines.map((_, index) => index + 1).join("\n")}</pre>
            <pre class="content">${text}</pre>
          </div>`
    }
    ${
      read < total &&
      html`<p class="row spread small quiet">
        <span>${t("preview.part", { read: size(read), total: size(total) })}</span>
        <button type="button" class="small" onClick=${() => setWanted(read + 4 * PIECE)}>${t("action.more")}</button>
      </p>`
    }
  </div>`;
}
