/**
 * A link from a mail or from another device: used by a press of a button, so that nothing that only looks at mails uses
 * it up, and nobody is signed in somewhere by having followed a link.
 */
import { html, signal } from "../vendor/preact.js";
import { t } from "../language.js";
import { Mark } from "../parts/mark.js";
import { AskForm } from "./form.js";
import { device, redeem } from "./session.js";

/** A link that was opened and is not used yet. */
export const opened = signal("");
/** What the last link of a call led to: who rang. @type {import("../vendor/preact.js").Signal<{call: string, caller: string} | null>} */
export const fetched = signal(null);

export function LinkCard() {
  const name = device.value?.name;
  const submit = async () => {
    const made = await redeem(opened.value);
    if (made.kind === "call" && made.call && made.caller) fetched.value = { call: made.call, caller: made.caller };
    opened.value = "";
  };
  return html`<section class="card calls-link">
    <div class="empty">
      <${Mark} /><b>${t("calls.link")}</b>
      <p>${name ? t("calls.link.other", { name }) : t("calls.link.text")}</p>
      <${AskForm}
        submit=${submit}
        label=${t("calls.link.act")}
        icon="phone"
        kind="stack tight"
        also=${html`<button
          type="button"
          onClick=${() => {
            opened.value = "";
          }}
        >
          ${t("action.cancel")}
        </button>`}
      />
    </div>
  </section>`;
}
