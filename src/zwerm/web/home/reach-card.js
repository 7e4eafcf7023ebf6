/** From where this node is reached: this machine, the house, everywhere else. */
import { html } from "../vendor/preact.js";
import { read } from "../api.js";
import { t } from "../language.js";
import { showCode } from "../parts/code-dialog.js";
import { FailureCard } from "../parts/failure-card.js";
import { Icon } from "../parts/icon.js";
import { Skeleton } from "../parts/skeleton.js";
import { useResource } from "../resource.js";
import { href } from "../route.js";

/** @import {Network} from "../types.d.ts" */
/**
 * @typedef {{way: "cert" | "domain" | "lan" | "proxy" | null, origin: string | null, trust: string | null,
 * fingerprint: string | null, ready: boolean, failure: string | null, owner: string | null}} Https
 */

/** @param {{good: boolean | null, name: string, children?: any}} props null: nobody knows yet */
function Row({ good, name, children }) {
  return html`<li>
    <span class=${good ? "dot" : good === null ? "dot wait" : "dot off"} />
    <div class="grow"><b>${name}</b>${children}</div>
  </li>`;
}

/** @param {Https} https */
function others(https) {
  const { way, origin, failure, ready } = https;
  if (way === null) return html`<span class="quiet small">${t("home.reach.house.off")}</span>`;
  if (!ready) return html`<span class="quiet small">${failure ?? t("home.reach.house.waiting")}</span>`;
  return html`<span class="quiet small mono">${origin}</span>`;
}

/** @param {Network} network */
function outside(network) {
  if (!network.online) return t("home.reach.outside.off");
  if (network.reachable) return t("home.reach.outside.yes");
  if (network.relayed) return t("home.reach.outside.relayed");
  return t(network.reachable === null ? "home.reach.outside.unknown" : "home.reach.outside.no");
}

export function ReachCard() {
  const found = useResource(async (signal) => {
    const [https, network] = await Promise.all([read("https", {}, signal), read("peers", { limit: 1 }, signal)]);
    return { https: /** @type {Https} */ (https), network: /** @type {Network} */ (network) };
  }, []);
  const { data, failure, reload } = found;
  const trust = data?.https.trust;
  return html`<section class="card">
    <header>
      <h2>${t("home.reach")}</h2>
      <a href=${href("peers")}>${t("nav.peers")}</a>
    </header>
    ${
      failure
        ? html`<${FailureCard} failure=${failure} retry=${reload} />`
        : !data
          ? html`<${Skeleton} rows=${3} />`
          : html`<ul class="reached">
              <${Row} good name=${t("home.reach.here")}><span class="quiet small mono">${location.host}</span><//>
              <${Row} good=${data.https.way !== null && data.https.ready} name=${t("home.reach.house")}>
                ${others(data.https)}
                ${
                  trust &&
                  html`<button type="button" onClick=${() => showCode(trust, t("home.reach.phone"))}>
                      <${Icon} name="qr" />${t("home.reach.phone")}
                    </button>
                    <span class="quiet small"
                      >${t("home.reach.compare", {
                        number: data.https.fingerprint?.split(":").slice(0, 8).join(" ") ?? "",
                      })}</span
                    >`
                }
              <//>
              <${Row}
                good=${data.network.relayed || (data.network.online ? data.network.reachable : false)}
                name=${t("home.reach.outside")}
              >
                <span class="quiet small">${outside(data.network)}</span>
              <//>
            </ul>`
    }
  </section>`;
}
