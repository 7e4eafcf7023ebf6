/** A modal dialog on the browser's own `<dialog>`: focus stays inside, Escape closes, focus returns to where it was. */
import { html, useId, useLayoutEffect, useRef } from "../vendor/preact.js";
import { t } from "../language.js";
import { Icon } from "./icon.js";

/**
 * @param {{title: string, close: () => void, children?: any, footer?: any, kind?: string, bare?: boolean}} props
 * `bare`: the title is for screen readers only
 */
export function Dialog({ title, close, children, footer, kind = "", bare = false }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useLayoutEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    /** @type {HTMLElement | null | undefined} */ (element?.querySelector("[data-first]"))?.focus();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      else document.querySelector("main")?.focus();
    };
  }, []);
  /** @param {MouseEvent} event */
  const outside = (event) => {
    if (event.target === dialog.current) close();
  };
  return html`<dialog
    ref=${dialog}
    class=${kind}
    aria-labelledby=${bare ? null : id}
    aria-label=${bare ? title : null}
    onMouseDown=${outside}
    onCancel=${(/** @type {Event} */ event) => {
      event.preventDefault();
      close();
    }}
  >
    ${
      !bare &&
      html`<header>
        <h2 id=${id}>${title}</h2>
        <button class="plain square small" type="button" aria-label=${t("action.close")} onClick=${close}>
          <${Icon} name="close" />
        </button>
      </header>`
    }
    ${bare ? children : html`<div class="body">${children}</div>`} ${footer && html`<footer>${footer}</footer>`}
  </dialog>`;
}
