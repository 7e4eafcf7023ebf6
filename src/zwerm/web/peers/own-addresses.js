/** How others reach this node: each address, and whether it is known to lead here. */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";
import { CopyField } from "../parts/copy-field.js";
import { transportName } from "./peer-list.js";

/** @import {Network, OwnAddress} from "../types.d.ts" */

/** Whether an address is known to lead here. @param {OwnAddress} address */
export function addressWords(address) {
  if (address.relayed) return t("peers.relayed");
  if (address.near) return t("peers.reach.near");
  if (address.reachable === null) return t("peers.reach.unknown");
  return t(address.reachable ? "peers.reach.yes" : "peers.reach.no");
}

/** @param {{network: Network}} props */
export function OwnAddresses({ network }) {
  return html`<section class="card">
    <header><h2>${t("peers.own")}</h2></header>
    ${
      network.addresses.length
        ? html`<ul class="own-addresses">
            ${network.addresses.map(
              (own) =>
                html`<li key=${own.address}>
                  <p class="of">
                    <b>${transportName(own.transport)}</b>
                    <small class="quiet">${addressWords(own)}</small>
                  </p>
                  <${CopyField} text=${own.address} label=${transportName(own.transport)} />
                </li>`,
            )}
          </ul>`
        : html`<p class="body quiet">${t("peers.own.none")}</p>`
    }
  </section>`;
}
