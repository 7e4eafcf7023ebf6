/** What the keys do. */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";
import { PAGES } from "../pages.js";
import { Dialog } from "./dialog.js";

/** @param {{title: string, keys: [string, string][]}} props */
function Group({ title, keys }) {
  return html`<section>
    <h3>${title}</h3>
    <dl>
      ${keys.map(
        ([name, what]) =>
          html`<dt>${what}</dt>
            <dd>${name.split(" ").map((key) => html`<kbd>${key}</kbd>${" "}`)}</dd>`,
      )}
    </dl>
  </section>`;
}

/** @param {{close: () => void}} props */
export function KeysDialog({ close }) {
  return html`<${Dialog} title=${t("keys.title")} close=${close} kind="broad"
    ><div class="keys">
      <${Group}
        title=${t("keys.everywhere")}
        keys=${[["Ctrl K", t("palette.title")], ["?", t("keys.title")], ["Ctrl Z", t("keys.undo")], ...PAGES.map((page) => [page.key.toUpperCase(), t("keys.go", { page: t(page.label) })])]}
      />
      <${Group}
        title=${t("nav.files")}
        keys=${[
          ["↑ ↓", t("keys.walk")],
          ["Enter", t("keys.open")],
          ["Space", t("keys.select")],
          ["Ctrl A", t("keys.selectAll")],
          ["/", t("keys.search")],
          ["N", t("files.newFolder")],
          ["U", t("files.addFiles")],
          ["Shift U", t("files.addFolder")],
          ["F2", t("action.rename")],
          ["M", t("action.move")],
          ["S", t("action.share")],
          ["Delete", t("action.delete")],
          ["Backspace", t("keys.up")],
          ["V", t("keys.view")],
        ]}
      /></div
  ><//>`;
}
