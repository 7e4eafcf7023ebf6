/** The one menu of the page, opened at a button or under the pointer. Arrow keys walk it, Escape closes it. */
import { html, signal, useLayoutEffect, useRef } from "../vendor/preact.js";
import { t } from "../language.js";
import { Icon } from "./icon.js";

/**
 * @typedef {{label: string, icon: import("./icon.js").IconName, run: () => void, danger?: boolean, key?: string} |
 * "line"} Item
 */
/** @typedef {{items: Item[], label: string, x: number, y: number, right: boolean}} Opened */

/** @type {import("../vendor/preact.js").Signal<Opened | null>} */
const opened = signal(null);

/**
 * @param {MouseEvent} event a click on a button opens below it, a context menu at the pointer
 * @param {string} label
 * @param {Item[]} items
 */
export function openMenu(event, label, items) {
  event.preventDefault();
  event.stopPropagation();
  const button = /** @type {HTMLElement} */ (event.currentTarget);
  if (event.type === "contextmenu") opened.value = { items, label, x: event.clientX, y: event.clientY, right: false };
  else {
    const box = button.getBoundingClientRect();
    opened.value = { items, label, x: box.right, y: box.bottom + 4, right: true };
  }
}

/** @param {{label: string, name: string, items: () => Item[], words?: string}} props `words` stand beside the dots */
export function MenuButton({ label, name, items, words = "" }) {
  return html`<button
    type="button"
    class=${words ? "" : "plain square small"}
    aria-label=${words ? null : label}
    aria-haspopup="menu"
    title=${words ? null : t("action.more")}
    onClick=${(/** @type {MouseEvent} */ event) => openMenu(event, name, items())}
  >
    <${Icon} name="more" />${words}
  </button>`;
}

export function Menu() {
  return opened.value && html`<${OpenMenu} key=${`${opened.value.x},${opened.value.y}`} menu=${opened.value} />`;
}

/** @param {{menu: Opened}} props */
function OpenMenu({ menu }) {
  const element = useRef(/** @type {HTMLDivElement | null} */ (null));
  useLayoutEffect(() => {
    const list = element.current;
    if (!list) return undefined;
    const before = document.activeElement;
    list.showPopover();
    const { offsetWidth: width, offsetHeight: height } = list;
    const left = Math.min(Math.max(8, menu.right ? menu.x - width : menu.x), innerWidth - width - 8);
    const top = menu.y + height > innerHeight - 8 ? Math.max(8, menu.y - height - (menu.right ? 48 : 0)) : menu.y;
    list.style.left = `${left}px`;
    list.style.top = `${top}px`;
    list.querySelector("button")?.focus();
    return () => {
      if (list.contains(document.activeElement) || document.activeElement === document.body) {
        if (before instanceof HTMLElement && before.isConnected) before.focus();
      }
    };
  }, []);
  const close = () => {
    opened.value = null;
  };
  /** @param {KeyboardEvent} event */
  const walk = (event) => {
    const buttons = [...(element.current?.querySelectorAll("button") ?? [])];
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
    const to = steps[/** @type {keyof steps} */ (event.key)];
    if (to !== undefined) {
      event.preventDefault();
      buttons.at(to % buttons.length)?.focus();
    } else if (event.key === "Tab") close();
  };
  return html`<div
    ref=${element}
    class="menu"
    popover="auto"
    role="menu"
    aria-label=${menu.label}
    onKeyDown=${walk}
    onToggle=${(/** @type {any} */ event) => {
      if (event.newState === "closed") close();
    }}
  >
    ${menu.items.map((item) =>
      item === "line"
        ? html`<hr role="separator" />`
        : html`<button
            type="button"
            role="menuitem"
            class=${item.danger ? "danger" : ""}
            onClick=${() => {
              element.current?.hidePopover();
              close();
              item.run();
            }}
          >
            <${Icon} name=${item.icon} />${item.label}${item.key && html`<kbd aria-hidden="true">${item.key}</kbd>`}
          </button>`,
    )}
  </div>`;
}
