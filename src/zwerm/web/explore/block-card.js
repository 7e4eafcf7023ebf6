/** One block: what its address says, its place, what it holds, and its links with their sizes. */
import { html, useState } from "../vendor/preact.js";
import { post, read, remove } from "../api.js";
import { contentAddress } from "../content.js";
import { share } from "../files/share-dialog.js";
import { shortHash, size } from "../format.js";
import { pinsTurn } from "../events.js";
import { t } from "../language.js";
import { FailureCard } from "../parts/failure-card.js";
import { HashChip } from "../parts/hash-chip.js";
import { Icon } from "../parts/icon.js";
import { notify, notifyFailure } from "../parts/notices.js";
import { Skeleton } from "../parts/skeleton.js";
import { useResource } from "../resource.js";
import { href } from "../route.js";
import { BytesView } from "./bytes-view.js";

/** @import {Node} from "../types.d.ts" */

/** The address taken apart: each part of a CID and what it says. @param {{node: Node}} props */
function Anatomy({ node }) {
  const parts = [
    [t("cid.version"), `CIDv${node.version}`],
    [t("cid.codec"), node.codec],
    [t("cid.hash"), node.hash],
    [t("cid.digest"), shortHash(node.digest)],
  ];
  return html`<ol class="anatomy">
    ${parts.map(
      ([name, value]) => html`<li><span class="small quiet">${name}</span><span class="mono">${value}</span></li>`,
    )}
  </ol>`;
}

/** @param {{node: Node, more: () => void}} props */
function Links({ node, more }) {
  if (node.links_total === 0) return null;
  const largest = Math.max(1, ...node.links.map((link) => link.size ?? 0));
  return html`<section class="card">
    <header>
      <h2>${t("explore.links")}</h2>
      <span class="quiet small">${t("explore.linksCount", { n: node.links_total })}</span>
    </header>
    <div class="scroll">
      <table class="links">
        <thead>
          <tr>
            <th scope="col">${t("files.name")}</th>
            <th scope="col">${t("files.address")}</th>
            <th class="num" scope="col">${t("files.size")}</th>
          </tr>
        </thead>
        <tbody>
          ${node.links.map(
            (link, index) =>
              html`<tr>
                <td>
                  <a href=${href("explore", link.cid)}>${link.name || t("explore.piece", { n: index + 1 })}</a>${" "}${
                    !link.here && html`<span class="state warn"><${Icon} name="warning" />${t("kind.away")}</span>`
                  }
                </td>
                <td><${HashChip} hash=${link.cid} name=${link.name} /></td>
                <td class="num">
                  <span class="sized"
                    >${link.size === null ? "" : size(link.size)}<span class="size-bar" aria-hidden="true"
                      ><span style=${{ width: `${(100 * (link.size ?? 0)) / largest}%` }} /></span
                  ></span>
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${
      node.next &&
      html`<footer class="row spread">
        <span class="small quiet">${t("files.shown", { shown: node.links.length, total: node.links_total })}</span
        ><button type="button" class="small" onClick=${more}>${t("action.more")}</button>
      </footer>`
    }
  </section>`;
}

/** @param {{node: Node, reload: () => void}} props */
function PinButton({ node, reload }) {
  const pinned = node.pinned === "direct" || node.pinned === "recursive";
  const turn = async () => {
    try {
      if (pinned) await remove("pins", { cid: node.cid });
      else await post("pins", { cid: node.cid, recursive: true });
      pinsTurn.value += 1;
      notify(t(pinned ? "pins.removed" : "pins.added", { what: shortHash(node.cid) }));
      reload();
    } catch (error) {
      notifyFailure(error);
    }
  };
  return html`<button type="button" class="small" aria-pressed=${pinned} onClick=${turn}>
    <${Icon} name="pin" />${t(pinned ? "pins.remove" : "pins.add")}
  </button>`;
}

/** @param {{cid: string, narrow: boolean}} props */
export function BlockCard({ cid, narrow }) {
  const [wanted, setWanted] = useState(50);
  const block = useResource(
    (signal) => /** @type {Promise<Node>} */ (read("explore", { path: cid, limit: wanted }, signal)),
    [cid],
    `${wanted} ${pinsTurn.value}`,
  );
  if (block.failure)
    return html`<section class="card"><${FailureCard} failure=${block.failure} retry=${block.reload} /></section>`;
  if (!block.data)
    return html`<div class="columns" key="waiting">
      <section class="card"><${Skeleton} rows=${7} /></section>
      <section class="card"><${Skeleton} rows=${4} /></section>
    </div>`;
  const node = block.data;
  const pins = { direct: t("pins.direct"), recursive: t("pins.recursive"), indirect: t("pins.indirect") };
  return html`<div class="columns">
      <section class="card">
        <header>
          <h2>${t("explore.block")}</h2>
          <${PinButton} node=${node} reload=${block.reload} /><button
            type="button"
            class="small"
            onClick=${() => share({ cid: node.cid, name: shortHash(node.cid) })}
          >
            <${Icon} name="share" />${t("action.share")}
          </button>
        </header>
        <div class="body stack">
          <${Anatomy} node=${node} />
          <dl class="facts">
            <dt>${t("files.address")}</dt>
            <dd><${HashChip} hash=${node.cid} name=${t("explore.block")} whole=${!narrow} /></dd>
            ${
              node.cid_v0 &&
              node.version === 1 &&
              html`<dt>${t("cid.asV0")}</dt>
                <dd><${HashChip} hash=${node.cid_v0} /></dd>`
            }
            ${
              node.version === 0 &&
              html`<dt>${t("cid.asV1")}</dt>
                <dd><${HashChip} hash=${node.cid_v1} /></dd>`
            }
            <dt>${t("explore.blockSize")}</dt>
            <dd>
              ${size(node.size)}${" "}<span class="quiet small">(${t("explore.bytesCount", { n: node.size })})</span>
            </dd>
            ${
              node.content_size !== null &&
              node.kind !== "directory" &&
              node.kind !== "hamt" &&
              html`<dt>${t("explore.contentSize")}</dt>
                <dd>${size(node.content_size)}</dd>`
            }
            ${
              node.total_size !== null &&
              html`<dt>${t("explore.totalSize")}</dt>
                <dd>${size(node.total_size)}</dd>`
            }
            <dt>${t("pins.title")}</dt>
            <dd>${node.pinned ? pins[node.pinned] : t("explore.notPinned")}</dd>
          </dl>
          <p class="row wrap small">
            <a href=${`${contentAddress(node.cid)}?format=raw&download=true`}>${t("explore.rawBlock")}</a
            ><a href=${`${contentAddress(node.cid)}?format=car&download=true`}>${t("explore.car")}</a>
          </p>
        </div>
      </section>
      <div>
        <${Links} node=${node} more=${() => setWanted(wanted + 200)} /> ${
          node.value !== null &&
          html`<section class="card">
            <header><h2>${t("explore.value")}</h2></header>
            <div class="body"><pre class="document" tabindex="0">${JSON.stringify(node.value, null, 2)}</pre></div>
          </section>`
        }
      </div>
    </div>
    <section class="card">
      <header>
        <h2>${t("explore.bytes")}</h2>
        <span class="small quiet">${t("explore.bytesCount", { n: node.size })}</span>
      </header>
      <div class="body stack"><${BytesView} key=${node.cid} cid=${node.cid} size=${node.size} narrow=${narrow} /></div>
    </section>`;
}
