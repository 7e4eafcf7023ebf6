/** Peers: with whom is this node connected, and can others reach it? */
import { html, useEffect, useState } from "../vendor/preact.js";
import { post, read } from "../api.js";
import { rate, shortHash, size } from "../format.js";
import { t } from "../language.js";
import { AddressBar } from "../parts/address-bar.js";
import { EmptyState } from "../parts/empty-state.js";
import { FailureCard } from "../parts/failure-card.js";
import { notify } from "../parts/notices.js";
import { PageHead } from "../parts/page-head.js";
import { Skeleton } from "../parts/skeleton.js";
import { OwnAddresses } from "../peers/own-addresses.js";
import { PeerList } from "../peers/peer-list.js";
import { TrafficPlot } from "../peers/traffic-plot.js";
import { asFailure, useResource } from "../resource.js";

/** @import {Failure} from "../api.js" */
/** @import {Network, Peer} from "../types.d.ts" */

const EVERY = 2000; // ms between two looks, while the page is seen

/** @param {Network} network */
function answerOf(network) {
  if (!network.online) return t("peers.off");
  const connected = network.total ? t("peers.answer", { n: network.total }) : t("peers.answer.none");
  if (network.reachable === null && !network.relayed) return `${connected} ${t("peers.answer.unknown")}`;
  if (network.reachable) return `${connected} ${t("peers.answer.public")}`;
  return `${connected} ${t(network.relayed ? "peers.answer.relayed" : "peers.answer.private")}`;
}

/** A number that grows every two seconds while the page is seen. */
function useTurn() {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setTurn((value) => value + 1);
    }, EVERY);
    return () => clearInterval(timer);
  }, []);
  return turn;
}

/** @param {{reload: () => void}} props */
function ConnectBar({ reload }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState(/** @type {Failure | null} */ (null));
  const submit = async () => {
    if (!text.trim() || busy) return;
    setBusy(true);
    setFailure(null);
    try {
      const { peer } = /** @type {{peer: Peer}} */ (await post("peers/connect", { address: text.trim() }));
      notify(t("peers.connected", { who: peer.agent || shortHash(peer.peer) }));
      setText("");
    } catch (error) {
      setFailure(asFailure(error));
    }
    setBusy(false);
    reload();
  };
  return html`<${AddressBar}
      text=${text}
      change=${setText}
      submit=${submit}
      label=${t("peers.address")}
      placeholder=${t("peers.placeholder")}
      act=${t("peers.connect")}
      busy=${busy}
      icon="plus"
    />
    ${failure && html`<section class="card"><${FailureCard} failure=${failure} /></section>`}`;
}

export function PeersPage() {
  const turn = useTurn();
  const found = useResource((signal) => /** @type {Promise<Network>} */ (read("peers", {}, signal)), [], turn);
  const network = found.data;
  return html`<${PageHead}
      title=${t("nav.peers")}
      answer=${network ? answerOf(network) : found.failure ? "" : null}
      long
    />
    ${
      found.failure
        ? html`<section class="card"><${FailureCard} failure=${found.failure} retry=${found.reload} /></section>`
        : !network
          ? html`<section class="card"><${Skeleton} rows=${8} /></section>`
          : !network.online
            ? html`<section class="card">
                <${EmptyState} title=${t("peers.off")} text=${t("peers.off.text")} />
              </section>`
            : html`<${ConnectBar} reload=${found.reload} />
                <section class="card">
                  <header>
                    <h2>${t("peers.traffic")}</h2>
                    <span class="small quiet"
                      >${t("peers.traffic.now", { down: rate(network.receive_rate), up: rate(network.send_rate) })}</span
                    >
                  </header>
                  <div class="body">
                    <${TrafficPlot} network=${network} />
                    <p class="small quiet">
                      ${t("peers.traffic.total", { down: size(network.received), up: size(network.sent) })}
                    </p>
                  </div>
                </section>
                <${PeerList} network=${network} reload=${found.reload} />
                <${OwnAddresses} network=${network} />`
    }`;
}
