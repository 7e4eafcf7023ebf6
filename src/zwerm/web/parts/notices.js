/** Short words about what was just done, with the way back; they stay while the pointer or the focus is on them. */
import { html, signal, useEffect, useRef } from "../vendor/preact.js";
import { t } from "../language.js";
import { asFailure } from "../resource.js";
import { sentences, withCode } from "./failure-card.js";
import { Icon } from "./icon.js";

/** @typedef {{id: number, text: string, bad: boolean, action?: {label: string, run: () => void}}} Notice */

/** @type {import("../vendor/preact.js").Signal<Notice[]>} */
const notices = signal([]);
let lastId = 0;

/** @param {number} id */
const dismiss = (id) => {
  notices.value = notices.value.filter((notice) => notice.id !== id);
};

/** @param {string} text @param {{label: string, run: () => void}} [action] */
export function notify(text, action) {
  lastId += 1;
  notices.value = [...notices.value.slice(-1), { id: lastId, text, bad: false, action }];
}

/** Say that something failed that has no place of its own on the page. @param {unknown} error */
export function notifyFailure(error) {
  const { what, advice } = sentences(asFailure(error));
  lastId += 1;
  notices.value = [...notices.value.slice(-1), { id: lastId, text: `${what} ${advice}`, bad: true }];
}

/** Run the action of the last notice that has one (Ctrl Z). */
export function undoLast() {
  const notice = notices.value.findLast((candidate) => candidate.action);
  if (!notice) return;
  dismiss(notice.id);
  notice.action?.run();
}

/** @param {{notice: Notice}} props */
function NoticeLine({ notice }) {
  const held = useRef(false);
  useEffect(() => {
    let left = notice.action || notice.bad ? 12 : 5;
    const timer = setInterval(() => {
      if (!held.current) left -= 1;
      if (left <= 0) dismiss(notice.id);
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  const hold = () => {
    held.current = true;
  };
  const release = () => {
    held.current = false;
  };
  return html`<div
    class=${notice.bad ? "notice bad" : "notice"}
    onMouseEnter=${hold}
    onMouseLeave=${release}
    onFocusIn=${hold}
    onFocusOut=${release}
  >
    <${Icon} name=${notice.bad ? "warning" : "check"} /><span>${notice.bad ? withCode(notice.text) : notice.text}</span>
    ${
      notice.action &&
      html`<button
        type="button"
        onClick=${() => {
          dismiss(notice.id);
          notice.action?.run();
        }}
      >
        ${notice.action.label}
      </button>`
    }
    <button type="button" class="square small" aria-label=${t("action.dismiss")} onClick=${() => dismiss(notice.id)}>
      <${Icon} name="close" />
    </button>
  </div>`;
}

export function Notices() {
  return html`<div class="notices" role="status" aria-live="polite">
    ${notices.value.map((notice) => html`<${NoticeLine} key=${notice.id} notice=${notice} />`)}
  </div>`;
}
