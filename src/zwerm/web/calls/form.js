/** A form that asks the service for something: it waits, and says what was refused. */
import { html, useState } from "../vendor/preact.js";
import { Icon } from "../parts/icon.js";
import { refusedWords } from "./words.js";

/**
 * @param {{submit: () => Promise<unknown>, label: string, icon?: import("../parts/icon.js").IconName, children?: any,
 * isReady?: boolean, kind?: string, also?: any}} props
 */
export function AskForm({ submit, label, icon, children, isReady = true, kind = "stack", also }) {
  const [isBusy, setBusy] = useState(false);
  const [refused, setRefused] = useState("");
  /** @param {Event} event */
  const send = async (event) => {
    event.preventDefault();
    if (isBusy || !isReady) return;
    setBusy(true);
    setRefused("");
    try {
      await submit();
    } catch (error) {
      setRefused(refusedWords(error));
    }
    setBusy(false);
  };
  return html`<form class=${kind} onSubmit=${send}>
    ${children} ${refused && html`<p class="fault" role="alert">${refused}</p>`}
    <div class="row wrap">
      <button type="submit" class="first" disabled=${isBusy || !isReady}>
        ${icon && html`<${Icon} name=${icon} />`}${label}
      </button>
      ${also}
    </div>
  </form>`;
}
