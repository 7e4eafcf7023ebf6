/**
 * A call of two: the other one fills the stage, and one's own picture lies small in a corner. It can be dragged to another
 * one, moved there by a button or the arrow keys, and put away. The corner is remembered.
 */
import { html, signal, useRef } from "../vendor/preact.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";


const KEPT = "zwerm.corner";
const ROUND = ["top left", "top right", "bottom right", "bottom left"];
const SLIP = 4; // pixels that a pointer may move before it is a drag

const remembered = localStorage.getItem(KEPT) ?? "";
const corner = signal(ROUND.includes(remembered) ? remembered : "bottom right");
const isHidden = signal(false);

/** @param {string} to */
function settle(to) {
  corner.value = to;
  localStorage.setItem(KEPT, to);
}

/** @type {Record<string, (now: string) => string>} */
const MOVES = {
  ArrowLeft: (now) => now.replace("right", "left"),
  ArrowRight: (now) => now.replace("left", "right"),
  ArrowUp: (now) => now.replace("bottom", "top"),
  ArrowDown: (now) => now.replace("top", "bottom"),
};

/** The corner of the box that is nearest to the middle of what was let go. @param {DOMRect} own @param {DOMRect} box */
const nearest = (own, box) =>
  [
    own.top + own.height / 2 < box.top + box.height / 2 ? "top" : "bottom",
    own.left + own.width / 2 < box.left + box.width / 2 ? "left" : "right",
  ].join(" ");

/** @param {{children: any}} props one's own picture */
export function OwnCorner({ children }) {
  const from = useRef(/** @type {{x: number, y: number, isDrag: boolean} | null} */ (null));
  /** @param {PointerEvent} event */
  const down = (event) => {
    if (event.button !== 0 || /** @type {Element} */ (event.target).closest("button")) return;
    from.current = { x: event.clientX, y: event.clientY, isDrag: false };
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
  };
  /** @param {PointerEvent} event */
  const move = (event) => {
    const begun = from.current;
    if (!begun) return;
    const [x, y] = [event.clientX - begun.x, event.clientY - begun.y];
    begun.isDrag ||= Math.hypot(x, y) > SLIP;
    const own = /** @type {HTMLElement} */ (event.currentTarget);
    if (begun.isDrag) own.style.translate = `${x}px ${y}px`;
  };
  /** @param {PointerEvent} event */
  const up = (event) => {
    const own = /** @type {HTMLElement} */ (event.currentTarget);
    const box = own.parentElement;
    if (from.current?.isDrag && box && event.type === "pointerup")
      settle(nearest(own.getBoundingClientRect(), box.getBoundingClientRect()));
    own.style.translate = "";
    from.current = null;
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const to = MOVES[event.key]?.(corner.value);
    if (!to) return;
    event.preventDefault();
    settle(to);
  };
  if (isHidden.value)
    return html`<div class=${`own-corner hidden ${corner.value}`}>
      <button
        type="button"
        class="round"
        aria-label=${t("stage.own.show")}
        title=${t("stage.own.show")}
        onClick=${() => {
          isHidden.value = false;
        }}
      >
        <${Icon} name="pip" />
      </button>
    </div>`;
  return html`<div
    class=${`own-corner ${corner.value}`}
    onPointerDown=${down}
    onPointerMove=${move}
    onPointerUp=${up}
    onPointerCancel=${up}
    onKeyDown=${key}
  >
    ${children}
    <div class="own-acts">
      <button
        type="button"
        class="square small"
        aria-label=${t("stage.own.move")}
        title=${t("stage.own.move")}
        onClick=${() => settle(ROUND[(ROUND.indexOf(corner.value) + 1) % ROUND.length])}
      >
        <${Icon} name="arrows" />
      </button>
      <button
        type="button"
        class="square small"
        aria-label=${t("stage.own.hide")}
        title=${t("stage.own.hide")}
        onClick=${() => {
          isHidden.value = true;
        }}
      >
        <${Icon} name="close" />
      </button>
    </div>
  </div>`;
}
