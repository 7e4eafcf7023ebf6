/** Two codes: our own to give away, and the other person's to paste. */
import { html, useState } from "../vendor/preact.js";
import { copy } from "../clipboard.js";
import { t } from "../language.js";
import { Code } from "../parts/code-dialog.js";
import { Icon } from "../parts/icon.js";
import { Skeleton } from "../parts/skeleton.js";
import { CodeError, read } from "./code.js";
import { begin, code, connect, state } from "./conversation.js";

/** @typedef {import("../language.js").Key} Key */

/** @type {Record<string, Key>} */
const FAULTS = {
  none: "connect.fault.none",
  incomplete: "connect.fault.incomplete",
  damaged: "connect.fault.damaged",
  newer: "connect.fault.newer",
  older: "connect.fault.older",
  own: "connect.fault.own",
};

function OwnCode() {
  const [copied, setCopied] = useState("");
  const text = code.value;
  return html`<section class="card own-code">
    <header>
      <h2>${t("connect.own")}</h2>
      <button type="button" class="small" disabled=${!text} onClick=${() => void begin()}>${t("connect.again")}</button>
    </header>
    ${
      !text
        ? html`<div role="status"><span class="unseen">${t("connect.making")}</span><${Skeleton} rows=${5} /></div>`
        : html`<div class="body">
            <div class="grow stack tight">
              <textarea
                class="field mono"
                readonly
                rows="5"
                aria-label=${t("connect.own.label")}
                value=${text}
                onFocus=${(/** @type {any} */ event) => event.currentTarget.select()}
              />
              <div class="row wrap">
                <button type="button" class="first" onClick=${async () => setCopied((await copy(text)) ? text : "")}>
                  <${Icon} name=${copied === text ? "check" : "copy"} />${t(
                    copied === text ? "action.copied" : "action.copy",
                  )}
                </button>
                <small class="quiet">${t("connect.own.text")}</small>
              </div>
            </div>
            <${Code} text=${text} />
          </div>`
    }
  </section>`;
}

function TheirCode() {
  const [text, setText] = useState("");
  const [fault, setFault] = useState(/** @type {{key: Key, missing: number} | null} */ (null));
  const waiting = state.value === "connecting";
  /** @param {string} pasted */
  const use = async (pasted) => {
    setFault(null);
    try {
      await connect(pasted);
    } catch (error) {
      const known = error instanceof CodeError;
      setFault({ key: known ? FAULTS[error.fault] : "connect.fault.machine", missing: known ? error.missing : 0 });
    }
  };
  /** A whole code needs no button. @param {string} typed */
  const typed = (typed) => {
    setText(typed);
    setFault(null);
    try {
      read(typed);
    } catch {
      return; // said when the button is pressed: it may still be on its way in
    }
    if (code.value) void use(typed);
  };
  const paste = async () => {
    const pasted = await navigator.clipboard.readText().catch(() => "");
    setText(pasted);
    await use(pasted);
  };
  return html`<section class="card">
    <header>
      <h2>${t("connect.theirs")}</h2>
      <small class="quiet">${t("connect.theirs.text")}</small>
    </header>
    <form
      class="body stack tight"
      onSubmit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        void use(text);
      }}
    >
      <textarea
        class="field mono"
        rows="5"
        spellcheck="false"
        autocomplete="off"
        autocapitalize="off"
        disabled=${waiting}
        aria-label=${t("connect.theirs.label")}
        aria-invalid=${fault ? "true" : null}
        aria-describedby=${fault ? "code-fault" : null}
        placeholder=${t("connect.theirs.place")}
        value=${text}
        onInput=${(/** @type {any} */ event) => typed(event.currentTarget.value)}
      />
      ${
        fault &&
        html`<p class="fault" id="code-fault" role="alert">
          <${Icon} name="warning" /><span>${t(fault.key, { n: fault.missing })}</span>
        </p>`
      }
      ${
        waiting
          ? html`<div class="waiting" role="status">
              <progress aria-label=${t("connect.answer.connecting")} />
              <span class="small">${t("connect.waiting")}</span>
            </div>`
          : html`<div class="row wrap">
              <button type="submit" class=${text ? "first" : ""} disabled=${!text || !code.value}>
                ${t("connect.use")}
              </button>
              ${
                "clipboard" in navigator &&
                html`<button type="button" disabled=${!code.value} onClick=${paste}>${t("connect.paste")}</button>`
              }
            </div>`
      }
    </form>
  </section>`;
}

export function CodeCards() {
  return html`<div class="columns">
    <${OwnCode} /><${TheirCode} key=${state.value === "new" ? code.value : "used"} />
  </div>`;
}
