/**
 * The head of a page: its name, its actions, and the sentence that answers its question. The window's title follows.
 */
import { html, useEffect, useRef } from "../vendor/preact.js";
import { UploadTray } from "./upload-tray.js";

/**
 * @param {{title: string, answer: string | null, children?: any, long?: boolean}} props
 * `answer` is null while it is not known yet; a `long` one takes two lines on a phone, which are kept free for it
 */
export function PageHead({ title, answer, children, long = false }) {
  const heading = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useEffect(() => {
    document.title = `${title} · zwerm`;
  }, [title]);
  return html`<div class="head">
      <h1 ref=${heading} tabindex="-1">${title}</h1>
      <div class="actions">${children}</div>
      <p class=${long ? "answer long" : "answer"}>${answer ?? html`<span class="skeleton line" />`}</p>
    </div>
    <${UploadTray} />`;
}
