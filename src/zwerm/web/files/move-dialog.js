/** Chooses a folder to move or copy to, walking from where the files are. */
import { html, useState } from "../vendor/preact.js";
import { read } from "../api.js";
import { filesTurn } from "../events.js";
import { lastName, parentOf } from "../format.js";
import { t } from "../language.js";
import { Dialog } from "../parts/dialog.js";
import { FailureCard } from "../parts/failure-card.js";
import { Icon } from "../parts/icon.js";
import { Skeleton } from "../parts/skeleton.js";
import { useResource } from "../resource.js";
import { copyPaths, folderName, movePaths } from "./actions.js";

/** @import {Listing} from "../types.d.ts" */

/** @param {{paths: string[], close: () => void, done: () => void}} props */
export function MoveDialog({ paths, close, done }) {
  const from = parentOf(paths[0]);
  const [folder, setFolder] = useState(from);
  const listing = useResource(
    (signal) => /** @type {Promise<Listing>} */ (read("files", { path: folder, limit: 1000 }, signal)),
    [folder],
    filesTurn.value,
  );
  const folders =
    listing.data?.entries.filter((entry) => entry.kind === "directory" && !paths.includes(entry.path)) ?? [];
  const inside = paths.some((path) => folder === path || folder.startsWith(`${path}/`));

  /** @param {typeof movePaths} act */
  const run = async (act) => {
    if (await act(paths, folder)) done();
    close();
  };
  return html`<${Dialog}
    title=${t("move.title", { n: paths.length, name: lastName(paths[0]) })}
    close=${close}
    footer=${html`<button type="button" disabled=${inside} onClick=${() => run(copyPaths)}>
        ${t("move.copyHere")}
      </button>
      <button type="button" class="first" disabled=${inside || folder === from} onClick=${() => run(movePaths)}>
        ${t("move.here")}
      </button>`}
  >
    <p class="quiet">${t("move.to", { folder: folderName(folder) })}</p>
    <ul class="folders">
      ${
        folder !== "/" &&
        html`<li>
          <button type="button" class="plain" onClick=${() => setFolder(parentOf(folder))}>
            <${Icon} name="up" />${t("move.up", { folder: folderName(parentOf(folder)) })}
          </button>
        </li>`
      }
      ${folders.map(
        (entry) =>
          html`<li key=${entry.path}>
            <button type="button" class="plain" onClick=${() => setFolder(entry.path)}>
              <${Icon} name="folder" /><span class="ellipsis">${entry.name}</span><${Icon} name="right" />
            </button>
          </li>`,
      )}
      ${listing.data && folders.length === 0 && html`<li class="quiet none">${t("move.none")}</li>`}
      ${listing.loading && !listing.data && html`<${Skeleton} rows=${3} />`}
    </ul>
    ${listing.failure && html`<${FailureCard} failure=${listing.failure} retry=${listing.reload} />`}
  <//>`;
}
