/** What the keys do on the stage. */
import { html, useEffect } from "../vendor/preact.js";
import { t } from "../language.js";
import { Dialog } from "../parts/dialog.js";

/** @import {Meeting} from "./meeting.js" */

/** @param {{close: () => void}} props */
export function StageKeys({ close }) {
  /** @type {[string, string][]} */
  const keys = [
    ["M", t("stage.keys.mute")],
    ["Space", t("stage.keys.talk")],
    ["V", t("stage.keys.camera")],
    ["S", t("stage.keys.share")],
    ["H", t("stage.keys.hand")],
    ["1 … 5", t("stage.react")],
    ["C", t("stage.chat")],
    ["P", t("stage.people")],
    ["U", t("stage.files")],
    ["L", t("stage.keys.view")],
    ["F", t("stage.full")],
    ["I", t("stage.float")],
    ["D", t("board.draw")],
    ["O", t("board.point")],
    ["?", t("keys.title")],
  ];
  return html`<${Dialog} title=${t("keys.title")} close=${close}>
    <div class="keys">
      <section>
        <dl>
          ${keys.map(
            ([name, what]) =>
              html`<dt>${what}</dt>
                <dd><kbd>${name}</kbd></dd>`,
          )}
        </dl>
      </section>
    </div>
  <//>`;
}

/** While the space bar is held, one is heard. @param {Meeting} meeting */
export function useTalkKey(meeting) {
  useEffect(() => {
    const release = () => {
      meeting.isTalking.value = false;
    };
    /** @param {KeyboardEvent} event */
    const press = (event) => {
      const isElsewhere =
        event.target instanceof Element &&
        event.target.closest("input, textarea, select, button, a, [tabindex='0'], dialog, .menu");
      if (event.code !== "Space" || isElsewhere || event.repeat || event.defaultPrevented) return;
      event.preventDefault();
      meeting.isTalking.value = true;
    };
    /** @param {KeyboardEvent} event */
    const lift = (event) => event.code === "Space" && release();
    addEventListener("keydown", press);
    addEventListener("keyup", lift);
    addEventListener("blur", release);
    return () => {
      release();
      removeEventListener("keydown", press);
      removeEventListener("keyup", lift);
      removeEventListener("blur", release);
    };
  }, [meeting]);
}
