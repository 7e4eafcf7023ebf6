/** Whom to ring: a name is enough. */
import { html, useState } from "../vendor/preact.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { account } from "./account.js";
import { ring } from "./phone.js";

export function RingCard() {
  const [name, setName] = useState("");
  const contacts = Object.entries(account.value?.contacts ?? {}).filter(([, kind]) => kind === "contact");
  const wanted = name.trim().toLowerCase();
  /** @param {boolean} isPicture */
  const begin = (isPicture) => {
    if (!wanted) return;
    setName("");
    void ring(wanted, isPicture);
  };
  return html`<form
    class="card ring-card"
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      begin(true);
    }}
  >
    <label for="calls-ring">${t("calls.ring")}</label>
    <input
      id="calls-ring"
      class="field"
      list="calls-names"
      maxlength="32"
      autocomplete="off"
      autocapitalize="none"
      spellcheck=${false}
      placeholder=${t("calls.ring.example")}
      value=${name}
      onInput=${(/** @type {any} */ event) => setName(event.currentTarget.value)}
    />
    <datalist id="calls-names">${contacts.map(([each]) => html`<option value=${each} />`)}</datalist>
    <button type="button" disabled=${!wanted} onClick=${() => begin(false)}>
      <${Icon} name="phone" />${t("calls.ring.sound")}
    </button>
    <button type="submit" class="first" disabled=${!wanted}><${Icon} name="camera" />${t("calls.ring.picture")}</button>
  </form>`;
}
