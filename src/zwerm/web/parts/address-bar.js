/** One field for an address, and the button that does something with it. */
import { html } from "../vendor/preact.js";
import { Icon } from "./icon.js";

/**
 * @param {{text: string, change: (text: string) => void, submit: () => void, label: string, placeholder: string,
 * act: string, busy?: boolean, icon?: import("./icon.js").IconName, role?: string}} props `act` is the button's name
 */
export function AddressBar({ text, change, submit, label, placeholder, act, busy = false, icon = "search", role }) {
  /** @param {Event} event */
  const begin = (event) => {
    event.preventDefault();
    submit();
  };
  return html`<form class="address-bar" role=${role} onSubmit=${begin}>
    <label class="searcher"
      ><${Icon} name=${icon} /><input
        class="bare mono"
        type="text"
        spellcheck=${false}
        autocomplete="off"
        autocapitalize="off"
        aria-label=${label}
        placeholder=${placeholder}
        value=${text}
        onInput=${(/** @type {any} */ event) => change(event.currentTarget.value)} /></label
    ><button type="submit" class="first" disabled=${busy}>${act}</button>
  </form>`;
}
