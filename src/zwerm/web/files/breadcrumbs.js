/** The way from the top to this folder; each step is a link, and files may be dropped on it. */
import { html } from "../vendor/preact.js";
import { legible, t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { href } from "../route.js";
import { draggedPaths, dragsPaths } from "./file-list.js";

/** @param {{path: string, move?: (paths: string[], folder: string) => void, page?: string}} props */
export function Breadcrumbs({ path, move, page = "files" }) {
  const names = path.split("/").filter(Boolean);
  const steps = [
    { name: t("nav.files"), path: "/" },
    ...names.map((name, index) => ({ name, path: `/${names.slice(0, index + 1).join("/")}` })),
  ];
  return html`<nav class="crumbs" aria-label=${t("files.place")}>
    <ol>
      ${steps.map(
        (step, index) =>
          html`<li key=${step.path}>
            ${index > 0 && html`<${Icon} name="right" />`}
            <a
              href=${href(page, step.path)}
              aria-current=${index === steps.length - 1 ? "page" : null}
              onDragOver=${(/** @type {DragEvent} */ event) => {
                if (move && dragsPaths(event)) event.preventDefault();
              }}
              onDrop=${(/** @type {DragEvent} */ event) => {
                const paths = draggedPaths(event);
                if (move && paths.length) {
                  event.preventDefault();
                  event.stopPropagation();
                  move(paths, step.path);
                }
              }}
              >${legible(step.name)}</a
            >
          </li>`,
      )}
    </ol>
  </nav>`;
}
