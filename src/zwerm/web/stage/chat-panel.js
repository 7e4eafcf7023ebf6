/** What was said beside the voices, and a field for more. */
import { html, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { when } from "../format.js";
import { t } from "../language.js";

/** @import {Chat, Line} from "./meeting.js" */

/** @param {{line: Line}} props */
function Said({ line }) {
  return html`<li class=${line.own ? "said own" : "said"}>
    <small class="quiet">${line.own ? t("stage.you") : line.label} · ${when(new Date(line.at).toISOString())}</small>
    <p>${line.text}</p>
  </li>`;
}

/** @param {{chat: Chat, note: string}} props `note`: how long it is kept */
export function ChatPanel({ chat, note }) {
  const [text, setText] = useState("");
  const [unsent, setUnsent] = useState(false);
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const lines = chat.lines.value;
  useLayoutEffect(() => {
    if (list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [lines.length]);
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    const said = text.trim();
    if (!said) return;
    setText("");
    const went = await chat.say(said);
    setUnsent(!went);
    if (!went) setText(said);
  };
  return html`<div class="panel-chat">
    <div class="log" ref=${list} role="log" aria-label=${t("stage.chat")} tabindex="0">
      <p class="quiet small">${note}</p>
      <ul>
        ${lines.map((line) => html`<${Said} key=${line.id} line=${line} />`)}
      </ul>
    </div>
    ${unsent && html`<p class="fault" role="alert">${t("chat.unsent")}</p>`}
    <form onSubmit=${submit}>
      <input
        class="field"
        aria-label=${t("chat.label")}
        placeholder=${t("chat.label")}
        autocomplete="off"
        maxlength="4096"
        data-first
        value=${text}
        onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="first" disabled=${!text.trim()}>${t("chat.send")}</button>
    </form>
  </div>`;
}
