/**
 * A long hash: first six and last four characters; a click copies the whole, the other button shows it as a QR code.
 */
import { html, useEffect, useState } from "../vendor/preact.js";
import { t } from "../language.js";
import { shortHash } from "../format.js";
import { copy } from "../clipboard.js";
import { Icon } from "./icon.js";
import { showCode } from "./code-dialog.js";

/**
 * @param {{hash: string, name?: string, whole?: boolean, code?: boolean}} props `name` is what the hash is of, for
 * screen readers
 */
export function HashChip({ hash, name = "", whole = false, code = true }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [copied]);
  const label = t(copied ? "chip.copied" : "chip.copy", {
    hash: whole ? hash : shortHash(hash),
    what: name || shortHash(hash),
  });
  return html`<span class="chip">
    <button
      type="button"
      class=${copied ? "copied" : ""}
      title=${hash}
      aria-label=${label}
      onClick=${async (/** @type {Event} */ event) => {
        event.stopPropagation();
        setCopied(await copy(hash));
      }}
    >
      <span class=${whole ? "whole" : ""}>${whole ? hash : shortHash(hash)}</span
      >${copied && html`<${Icon} name="check" />`}
    </button>
    ${
      code &&
      html`<button
        type="button"
        class="code"
        title=${t("chip.code")}
        aria-label=${t("chip.codeOf", { what: name || shortHash(hash) })}
        onClick=${(/** @type {Event} */ event) => {
          event.stopPropagation();
          showCode(hash, name);
        }}
      >
        <${Icon} name="qr" />
      </button>`
    }
  </span>`;
}
