/** Connect: is somebody there, and what do we say, send and play? */
import { html } from "../vendor/preact.js";
import { ChatCard } from "../connect/chat-card.js";
import { CodeCards } from "../connect/code-cards.js";
import { begin, broken, code, leave, lines, play, playing, state, theirProgram } from "../connect/conversation.js";
import { files } from "../connect/desk.js";
import { TransferCard } from "../connect/transfer-card.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";
import { Icon } from "../parts/icon.js";
import { PageHead } from "../parts/page-head.js";
import { PlayCard } from "../play/play-card.js";

function answer() {
  switch (state.value) {
    case "new":
      return code.value ? t("connect.answer.new") : t("connect.answer.making");
    case "connecting":
      return t("connect.answer.connecting");
    case "connected":
      return t("connect.answer.connected");
    case "interrupted":
      return t("connect.answer.interrupted");
    case "left":
      return t("connect.answer.left");
    default:
      return t("connect.answer.off");
  }
}

function Start() {
  return html`<section class="card">
    <${EmptyState} title=${t("connect.start.title")} text=${t("connect.start.text")}>
      <button type="button" class="first" onClick=${() => void begin()}>
        ${t(state.value === "left" ? "connect.again" : "connect.start")}
      </button>
    <//>
    <footer><small class="quiet">${t("connect.stun")}</small></footer>
  </section>`;
}

export function ConnectPage() {
  const now = state.value;
  const there = now === "connected" || now === "interrupted";
  const coding = now === "new" || now === "connecting" || now === "lost";
  const talked = there || lines.value.length > 0 || files.value.length > 0;
  return html`<${PageHead} title=${t("nav.connect")} answer=${answer()} long>
      ${
        there &&
        html`<span class=${now === "connected" ? "state live" : "state warn"} role="status">${answerShort()}</span>`
      }
      ${
        now === "interrupted" &&
        html`<button type="button" onClick=${() => void begin()}>${t("connect.again")}</button>`
      }
      ${
        now === "connected" &&
        theirProgram.value.startsWith("zwerm web") &&
        !playing.value.we &&
        !playing.value.they &&
        html`<button type="button" onClick=${() => play(true)}>${t("play.open")}</button>`
      }
      ${(there || coding) && html`<button type="button" onClick=${leave}>${t("connect.leave")}</button>`}
    <//>
    ${
      broken.value &&
      coding &&
      html`<div class="banner lost" role="status"><${Icon} name="warning" />${t("connect.broken")}</div>`
    }
    ${coding && html`<${CodeCards} />`} ${!there && !coding && html`<${Start} />`} ${there && html`<${PlayCard} />`}
    ${talked && html`<div class="columns wide-left"><${ChatCard} /><${TransferCard} /></div>`}`;
}

function answerShort() {
  return t(state.value === "connected" ? "connect.live" : "connect.paused");
}
