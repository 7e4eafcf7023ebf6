/** The chat: what was said, and a field for more. */
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { when } from "../format.js";
import { t } from "../language.js";
import { lines, say, state, tellWriting, theirProgram, theyWrite } from "./conversation.js";

/** @import {Line} from "./conversation.js" */

/** @param {{line: Line}} props */
function Said({ line }) {
  return html`<li class=${line.own ? "said own" : "said"}>
    <span class="unseen">${t(line.own ? "chat.you" : "chat.they")}: </span>
    <p>${line.text}</p>
    <small class="quiet">${when(new Date(line.time).toISOString())}</small>
  </li>`;
}

export function ChatCard() {
  const [text, setText] = useState("");
  const [unsent, setUnsent] = useState(false);
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const open = state.value === "connected";
  useEffect(() => {
    const element = list.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, [lines.value.length, theyWrite.value]);
  useEffect(() => {
    if (!text) return tellWriting(false);
    tellWriting(true);
    const timer = setTimeout(() => tellWriting(false), 4000);
    return () => clearTimeout(timer);
  }, [text]);
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (!text.trim()) return;
    const sent = say(text);
    setUnsent(!sent);
    if (sent) setText("");
  };
  return html`<section class="card chat">
    <header>
      <h2>${t("chat.title")}</h2>
      <small class="quiet">${theirProgram.value ? t("chat.program", { program: theirProgram.value }) : ""}</small>
    </header>
    <div class="log" ref=${list} role="log" aria-label=${t("chat.title")} tabindex="0">
      ${lines.value.length === 0 && html`<p class="quiet">${t("chat.empty")}</p>`}
      <ul>
        ${lines.value.map((line) => html`<${Said} key=${line.id} line=${line} />`)}
      </ul>
    </div>
    <div class="writing small" role="status">${theyWrite.value ? t("chat.writing") : ""}</div>
    <form onSubmit=${submit}>
      <input
        class="field"
        aria-label=${t("chat.label")}
        placeholder=${t("chat.label")}
        autocomplete="off"
        maxlength="16384"
        value=${text}
        onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="first" disabled=${!open || !text.trim()}>${t("chat.send")}</button>
    </form>
    ${unsent && html`<p class="fault" role="alert">${t("chat.unsent")}</p>`}
  </section>`;
}
