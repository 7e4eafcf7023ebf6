/** A link to a thing that never changes: which kind, the link, its QR code. It says plainly who can open it. */
import { html, signal, useState } from "../vendor/preact.js";
import { read } from "../api.js";
import { t } from "../language.js";
import { Code } from "../parts/code-dialog.js";
import { CopyField } from "../parts/copy-field.js";
import { Dialog } from "../parts/dialog.js";
import { FailureCard } from "../parts/failure-card.js";
import { Icon } from "../parts/icon.js";
import { Skeleton } from "../parts/skeleton.js";
import { useResource } from "../resource.js";
import { ReachView } from "./reach-view.js";

/** @import {Share} from "../types.d.ts" */

/** @typedef {{path: string} | {cid: string, name: string}} Shared */

/** @type {import("../vendor/preact.js").Signal<Shared | null>} */
const shared = signal(null);

/** @param {Shared} what */
export function share(what) {
  shared.value = what;
}

/** @param {{what: Shared}} props */
function ShareBody({ what }) {
  const answer = useResource((signal) => /** @type {Promise<Share>} */ (read("share", what, signal)), [what]);
  const [chosen, setChosen] = useState(/** @type {"web" | "ipfs"} */ ("web"));
  if (answer.failure) return html`<${FailureCard} failure=${answer.failure} retry=${answer.reload} />`;
  if (!answer.data) return html`<${Skeleton} rows=${4} />`;
  const { links } = answer.data;
  const web = links.public ?? links.subdomain;
  const link = chosen === "web" ? web : links.ipfs;
  const reach =
    chosen === "ipfs" ? t("share.reach.ipfs") : t(links.public ? "share.reach.public" : "share.reach.local");
  return html`<div class="segments" role="group" aria-label=${t("share.kind")}>
      <button type="button" aria-pressed=${chosen === "web"} onClick=${() => setChosen("web")}>
        ${t("share.web")}
      </button>
      <button type="button" aria-pressed=${chosen === "ipfs"} onClick=${() => setChosen("ipfs")}>
        ${t("share.ipfs")}
      </button>
    </div>
    <div class="share-body">
      <${Code} text=${link} />
      <div class="stack">
        <p>${t("share.promise")}</p>
        <p class="quiet">${reach}</p>
        ${
          "share" in navigator &&
          html`<button
            type="button"
            onClick=${() => navigator.share({ title: answer.data?.name, url: link }).catch(() => undefined)}
          >
            <${Icon} name="share" />${t("share.send")}
          </button>`
        }
        <a class="button" href=${web} target="_blank" rel="noreferrer"><${Icon} name="open" />${t("action.open")}</a>
      </div>
    </div>
    <${CopyField} text=${link} label=${t("share.link")} />
    <${ReachView} what=${"path" in what ? { path: what.path } : { cid: what.cid }} />`;
}

/** The one such dialog, in the shell. */
export function ShareDialog() {
  if (!shared.value) return null;
  const what = shared.value;
  const name = "path" in what ? what.path.slice(what.path.lastIndexOf("/") + 1) || t("nav.files") : what.name;
  return html`<${Dialog}
    title=${t("share.title", { name })}
    close=${() => {
      shared.value = null;
    }}
    ><${ShareBody} what=${what}
  /><//>`;
}
