/**
 * Shows what is in a file, each kind its own way. All bytes come from the gateway's origin; what could run gets an
 * origin and a sandbox of its own.
 */
import { html, useState } from "../vendor/preact.js";
import { contentAddress, kindOf, originAddress } from "../content.js";
import { node } from "../events.js";
import { size } from "../format.js";
import { t } from "../language.js";
import { FileIcon } from "../files/file-list.js";
import { Icon } from "../parts/icon.js";
import { Skeleton } from "../parts/skeleton.js";
import { TextView } from "./text-view.js";

/** @import {Entry} from "../types.d.ts" */

/**
 * What cannot be shown here, and what can be done with it.
 * @param {{entry: Pick<Entry, "name" | "cid" | "size" | "kind" | "type">, text?: string}} props
 */
export function NoPreview({ entry, text = t("preview.none") }) {
  return html`<div class="no-preview">
    <${FileIcon} entry=${entry} />
    <p class="quiet">${text} ${size(entry.size)}.</p>
    <a class="button" href=${contentAddress(entry.cid, { filename: entry.name, download: true })}
      ><${Icon} name="download" />${t("action.download")}</a
    >
  </div>`;
}

/**
 * @param {{entry: Pick<Entry, "name" | "cid" | "size" | "kind" | "type" | "target">, base?: string}} props `base`: the
 * gateway's address of the folder, for links in Markdown
 */
export function Preview({ entry, base = "" }) {
  const [broken, setBroken] = useState(false);
  if (!node.value) return html`<${Skeleton} rows=${6} />`;
  const kind = kindOf(entry);
  const source = contentAddress(entry.cid, { filename: entry.name });
  const fail = () => setBroken(true);
  if (broken) return html`<${NoPreview} entry=${entry} text=${t("preview.broken")} />`;
  if (entry.size === 0 && kind !== "link")
    return html`<div class="no-preview">
      <${FileIcon} entry=${entry} />
      <p class="quiet">${t("preview.empty")}</p>
    </div>`;
  switch (kind) {
    case "picture":
      return html`<div class="stage"><img src=${source} alt=${entry.name} onError=${fail} /></div>`;
    case "video":
      return html`<div class="stage">
        <video src=${source} controls preload="metadata" aria-label=${entry.name} onError=${fail} />
      </div>`;
    case "audio":
      return html`<div class="stage sound">
        <${FileIcon} entry=${entry} /><audio
          src=${source}
          controls
          preload="metadata"
          aria-label=${entry.name}
          onError=${fail}
        />
      </div>`;
    case "pdf":
      // No sandbox attribute: browsers refuse to show a PDF in one. Its origin is the content's own, so it reaches nothing of ours.
      return html`<iframe
        class="frame"
        src=${originAddress(entry.cid, { filename: entry.name })}
        title=${entry.name}
        referrerpolicy="no-referrer"
      />`;
    case "page":
      return html`<iframe
        class="frame page"
        sandbox=""
        src=${originAddress(entry.cid, { filename: entry.name })}
        title=${entry.name}
        referrerpolicy="no-referrer"
      />`;
    case "markdown":
    case "text":
      return html`<${TextView}
        key=${entry.cid}
        cid=${entry.cid}
        size=${entry.size}
        markdown=${kind === "markdown"}
        base=${base}
      />`;
    case "link":
      return html`<div class="no-preview">
        <${FileIcon} entry=${entry} />
        <p>${t("preview.link", { target: entry.target ?? "" })}</p>
      </div>`;
    default:
      return html`<${NoPreview} entry=${entry} />`;
  }
}
