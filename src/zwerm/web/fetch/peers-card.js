/** With whom this tab speaks, who sent what, and what it gives on. */
import { html } from "../vendor/preact.js";
import { size } from "../format.js";
import { t } from "../language.js";
import { node } from "../events.js";
import { HashChip } from "../parts/hash-chip.js";
import { kept, ownId, parties } from "./fetching.js";

/** @import {Party} from "./peer.js" */

/** The host and the port of an address, as a person reads them. @param {string} address */
function whereOf(address) {
  const [, , host, , port] = address.split("/");
  return host ? `${host.includes(":") ? `[${host}]` : host}:${port}` : "";
}

/** @param {{party: Party}} props */
function Line({ party }) {
  const own = party.peer === node.value?.peer_id;
  return html`<tr data-open=${party.open}>
    <th scope="row">
      <b>${own ? t("fetch.peers.own") : t("fetch.peers.other")}</b>
      <${HashChip} hash=${party.peer} code=${false} />
      <small class="quiet">${whereOf(party.address)}${!party.open && ` · ${t("fetch.peers.left")}`}</small>
    </th>
    <td class="number">${size(party.received)}</td>
    <td class="number">${size(party.sent)}</td>
  </tr>`;
}

export function PeersCard() {
  return html`<section class="card">
    <header><h2>${t("fetch.peers")}</h2></header>
    ${
      parties.value.length
        ? html`<table class="parties">
            <thead>
              <tr>
                <th scope="col">${t("fetch.peers.who")}</th>
                <th scope="col" class="number">${t("fetch.peers.received")}</th>
                <th scope="col" class="number">${t("fetch.peers.sent")}</th>
              </tr>
            </thead>
            <tbody>
              ${parties.value.map((party) => html`<${Line} key=${party.peer} party=${party} />`)}
            </tbody>
          </table>`
        : html`<p class="body quiet">${t("fetch.peers.none")}</p>`
    }
    <footer>
      <p class="quiet">${kept.value ? t("fetch.seeding", { size: size(kept.value) }) : t("fetch.seeding.none")}</p>
      ${ownId.value && html`<p class="quiet tab-id">${t("fetch.tab")} <${HashChip} hash=${ownId.value} code=${false} /></p>`}
    </footer>
  </section>`;
}
