/** A text to take along: shown whole, selected on focus, with a button that copies it. */
import { html, useEffect, useState } from "../vendor/preact.js";
import { copy } from "../clipboard.js";
import { t } from "../language.js";
import { Icon } from "./icon.js";

/** @param {{text: string, label: string}} props */
export function CopyField({ text, label }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => setCopied(false), [text]);
  return html`<div class="copy-field">
    <input
      class="field mono"
      readonly
      value=${text}
      aria-label=${label}
      onFocus=${(/** @type {any} */ event) => event.currentTarget.select()}
    />
    <button type="button" class="first" onClick=${async () => setCopied(await copy(text))}>
      <${Icon} name=${copied ? "check" : "copy"} />${t(copied ? "action.copied" : "action.copy")}
    </button>
  </div>`;
}
