/** Asks for the owner's key, when the page was opened from another machine. */
import { html, useState } from "../vendor/preact.js";
import { giveKey, keyGiven, keyWanted } from "../api.js";
import { t } from "../language.js";
import { route } from "../route.js";
import { Dialog } from "./dialog.js";

/** What the node offers to others than its owner: people come here by a link, with accounts of their own or none. */
const OPEN = new Set(["calls", "rooms"]);

export function KeyDialog() {
  const [key, setKey] = useState("");
  if (!keyWanted.value || OPEN.has(route.value.page)) return null;
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (!key.trim()) return;
    giveKey(key.trim());
  };
  return html`<${Dialog}
    title=${t("key.title")}
    close=${() => undefined}
    footer=${html`<button type="submit" form="key-form" class="first">${t("key.act")}</button>`}
  >
    <form id="key-form" class="stack tight" onSubmit=${submit}>
      <p class="quiet">${t("key.text")}</p>
      ${keyGiven() && html`<p class="fault" role="alert">${t("failure.key")}</p>`}
      <label for="key-key">${t("key.label")}</label
      ><input
        id="key-key"
        class="field mono"
        data-first
        type="password"
        autocomplete="current-password"
        value=${key}
        onInput=${(/** @type {any} */ event) => setKey(event.currentTarget.value)}
      />
    </form>
  <//>`;
}
