/** With whom the node is connected: who, by which way, how far, how much. */
import { html } from "../vendor/preact.js";
import { post } from "../api.js";
import { duration, shortHash, size } from "../format.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";
import { HashChip } from "../parts/hash-chip.js";
import { Icon } from "../parts/icon.js";
import { notify, notifyFailure } from "../parts/notices.js";

/** @import {Network, Peer} from "../types.d.ts" */

/** @type {Record<string, import("../language.js").Key>} */
const TRANSPORTS = {
  tcp: "transport.tcp",
  ws: "transport.ws",
  wss: "transport.wss",
  "quic-v1": "transport.quic",
  "webrtc-direct": "transport.webrtc",
};

/** @param {string} transport */
export const transportName = (transport) => (TRANSPORTS[transport] ? t(TRANSPORTS[transport]) : transport);

/** @param {Peer} peer */
const nameOf = (peer) => peer.agent || t("peers.unnamed");

/** @param {Peer} peer */
const wayOf = (peer) => t(peer.relayed ? "peers.relayed" : peer.near ? "peers.near" : "peers.direct");

/** @param {{peer: Peer, reload: () => void}} props */
function Line({ peer, reload }) {
  const who = shortHash(peer.peer);
  const close = async () => {
    try {
      await post("peers/disconnect", { peer: peer.peer });
      notify(t("peers.closed", { who }));
    } catch (error) {
      notifyFailure(error);
    }
    reload();
  };
  const since = { time: duration(peer.age) };
  return html`<tr>
    <th scope="row">
      <b class="ellipsis" title=${nameOf(peer)}>${nameOf(peer)}</b>
      <${HashChip} hash=${peer.peer} code=${false} />
      <small class="quiet">${t(peer.direction === "inbound" ? "peers.inbound" : "peers.outbound", since)}</small>
    </th>
    <td data-label=${t("peers.way")} title=${peer.address}>
      <span class="way" data-relayed=${peer.relayed}>${transportName(peer.transport)}</span>
      <small class="quiet">${wayOf(peer)}</small>
    </td>
    <td class="number" data-label=${t("peers.latency")}>
      ${peer.latency === null ? "–" : `${(peer.latency * 1000).toFixed(peer.latency < 0.01 ? 1 : 0)} ms`}
    </td>
    <td class="number" data-label=${t("peers.received")}>${size(peer.received)}</td>
    <td class="number" data-label=${t("peers.sent")}>${size(peer.sent)}</td>
    <td class="act">
      <button type="button" class="bare" aria-label=${t("peers.close", { who })} onClick=${close}>
        <${Icon} name="close" />
      </button>
    </td>
  </tr>`;
}

/** @param {{network: Network, reload: () => void}} props */
export function PeerList({ network, reload }) {
  return html`<section class="card">
    <header><h2>${t("peers.list")}</h2></header>
    ${
      network.peers.length
        ? html`<table class="peers">
              <thead>
                <tr>
                  <th scope="col">${t("peers.who")}</th>
                  <th scope="col">${t("peers.way")}</th>
                  <th scope="col" class="number">${t("peers.latency")}</th>
                  <th scope="col" class="number">${t("peers.received")}</th>
                  <th scope="col" class="number">${t("peers.sent")}</th>
                  <td></td>
                </tr>
              </thead>
              <tbody>
                ${network.peers.map((peer) => html`<${Line} key=${peer.peer} peer=${peer} reload=${reload} />`)}
              </tbody>
            </table>
            ${
              network.total > network.peers.length &&
              html`<p class="body quiet">${t("peers.more", { n: network.peers.length })}</p>`
            }`
        : html`<${EmptyState}
            title=${t("peers.empty.title")}
            text=${t(network.looking ? "peers.empty.text" : "peers.empty.alone")}
          />`
    }
  </section>`;
}
