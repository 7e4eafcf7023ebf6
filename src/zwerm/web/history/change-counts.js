/** How much a version changed: added, changed, removed, each with its sign and colour. */
import { html } from "../vendor/preact.js";
import { count } from "../format.js";
import { t } from "../language.js";

/** @import {Version} from "../types.d.ts" */

/** @param {{change: Version["change"]}} props */
export function ChangeCounts({ change }) {
  const { added, removed, renamed } = change;
  const changed = change.changed + change.more;
  const words = [
    added && t("change.added", { n: added }),
    changed && t("change.changed", { n: changed }),
    renamed && t("change.renamed", { n: renamed }),
    removed && t("change.removed", { n: removed }),
  ].filter(Boolean);
  return html`<span class="counts" title=${words.join(", ")}
    ><span class="unseen">${words.join(", ")}</span
    ><span aria-hidden="true">
      ${added > 0 && html`<span class="good">+${count(added)}</span>`}${
        changed > 0 && html`<span class="warn">~${count(changed)}</span>`
      }${renamed > 0 && html`<span class="dusk">→${count(renamed)}</span>`}${
        removed > 0 && html`<span class="bad">−${count(removed)}</span>`
      }</span
    ></span
  >`;
}
