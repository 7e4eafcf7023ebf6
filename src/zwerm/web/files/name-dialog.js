/**
 * Asks for one name: a new folder, another name, content known by its address. Wrong names are said before they are
 * sent.
 */
import { html, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { t } from "../language.js";
import { Dialog } from "../parts/dialog.js";
import { FailureCard } from "../parts/failure-card.js";
import { asFailure } from "../resource.js";

/** @import {Failure} from "../api.js" */

/** Why this cannot be a name, or null. @param {string} name */
export function nameFault(name) {
  if (name.trim() === "") return t("name.empty");
  if (name.includes("/")) return t("name.slash");
  if (name === "." || name === "..") return t("name.dots");
  if (new TextEncoder().encode(name).length > 255) return t("name.long");
  return null;
}

/**
 * @param {{title: string, label: string, value?: string, act: string, close: () => void, run: (name: string, cid:
 * string) => Promise<void>, withAddress?: boolean}} props
 */
export function NameDialog({ title, label, value = "", act, close, run, withAddress = false }) {
  const [name, setName] = useState(value);
  const [cid, setCid] = useState("");
  const [fault, setFault] = useState(/** @type {string | null} */ (null));
  const [failure, setFailure] = useState(/** @type {Failure | null} */ (null));
  const [busy, setBusy] = useState(false);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));

  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    const wrong = nameFault(name);
    setFault(wrong);
    if (wrong || busy) return;
    if (name === value) {
      close();
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      await run(name, cid.trim());
      close();
    } catch (error) {
      setFailure(asFailure(error));
      setBusy(false);
    }
  };

  useLayoutEffect(() => {
    const dot = value.lastIndexOf("."); // the name without its ending, as file managers do
    field.current?.setSelectionRange(0, dot > 0 ? dot : value.length);
  }, []);

  return html`<${Dialog}
    title=${title}
    close=${close}
    footer=${html`<button type="button" onClick=${close}>${t("action.cancel")}</button>
      <button type="submit" form="name-form" class="first" aria-busy=${busy}>${act}</button>`}
  >
    <form id="name-form" class="stack" onSubmit=${submit}>
      ${
        withAddress &&
        html`<div class="stack tight">
          <label for="name-cid">${t("keep.address")}</label>
          <input
            id="name-cid"
            data-first
            class="field mono"
            required
            autocomplete="off"
            spellcheck=${false}
            placeholder="bafy…"
            value=${cid}
            onInput=${(/** @type {any} */ event) => setCid(event.currentTarget.value)}
          />
        </div>`
      }
      <div class="stack tight">
        <label for="name-name">${label}</label>
        <input
          id="name-name"
          data-first=${!withAddress}
          class="field"
          autocomplete="off"
          spellcheck=${false}
          value=${name}
          aria-invalid=${fault !== null}
          aria-describedby=${fault ? "name-fault" : null}
          ref=${field}
          onInput=${(/** @type {any} */ event) => {
            setName(event.currentTarget.value);
            setFault(null);
          }}
        />
        ${fault && html`<p id="name-fault" class="fault" role="alert">${fault}</p>`}
      </div>
      ${failure && html`<${FailureCard} failure=${failure} />`}
    </form>
  <//>`;
}
