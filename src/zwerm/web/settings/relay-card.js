/** The relay of this node: whether it runs, what it does, and iceServers to take along. */
import { html, useState } from "../vendor/preact.js";
import { post, read } from "../api.js";
import { moment, size } from "../format.js";
import { t } from "../language.js";
import { CopyField } from "../parts/copy-field.js";
import { FailureCard } from "../parts/failure-card.js";
import { asFailure, useResource } from "../resource.js";

/** @import {Failure} from "../api.js" */
/** @import {Key} from "../language.js" */
/** @import {Relay, RelayCredential, RelayFinding} from "../types.d.ts" */

/** Words for what the relay finds about itself. @type {Record<string, Key>} */
const FOUND = {
  met: "relay.found.met",
  nothing_came: "relay.found.nothingCame",
  failed: "relay.found.failed",
  wrong_data: "relay.found.wrongData",
  answers: "relay.found.answers",
  deaf: "relay.found.deaf",
  deaf_by_udp: "relay.found.deafByUdp",
  deaf_in_part: "relay.found.deafInPart",
  cannot_ask: "relay.found.cannotAsk",
  seen: "relay.found.seen",
  dropped: "relay.found.dropped",
  port_changed: "relay.found.portChanged",
  address_wrong: "relay.found.addressWrong",
};

/** What was found, in the page's language. @param {RelayFinding} finding */
const inWords = ({ verdict, values, words }) => (FOUND[verdict] ? t(FOUND[verdict], values) : words);

export function RelayCard() {
  const relay = useResource((signal) => /** @type {Promise<Relay>} */ (read("turn", {}, signal)), []);
  const [made, setMade] = useState(/** @type {RelayCredential | null} */ (null));
  const [findings, setFindings] = useState(/** @type {RelayFinding[] | null} */ (null));
  const [failure, setFailure] = useState(/** @type {Failure | null} */ (null));
  const [busy, setBusy] = useState("");
  const shown = relay.data;
  if (!shown) return null;

  /** @param {string} what @param {() => Promise<void>} act */
  const during = async (what, act) => {
    setBusy(what);
    setFailure(null);
    try {
      await act();
    } catch (error) {
      setFailure(asFailure(error));
    }
    setBusy("");
  };
  const make = () =>
    during("make", async () => setMade(/** @type {RelayCredential} */ (await post("turn/credentials", {}))));
  const check = () =>
    during("check", async () => {
      const answer = /** @type {{findings: RelayFinding[]}} */ (await post("turn/check", {}));
      setFindings(answer.findings);
      relay.reload();
    });

  if (!shown.running)
    return html`<div class="setting relay">
      <div class="about">
        <b>${t("relay.off")}</b>
        <p class="small quiet">${t("relay.offWhy")}</p>
      </div>
    </div>`;
  const { allocations = 0, bytes_to_peers_total: out = 0, bytes_to_clients_total: back = 0 } = shown.numbers;
  return html`<div class="setting relay">
    <div class="about">
      <b>${t("relay.running")}</b>
      <p class="small quiet">
        ${t("relay.allocations", { n: allocations })} ${t("relay.carried", { size: size(out + back) })}
      </p>
      ${shown.urls.map((url) => html`<p class="small"><code>${url}</code></p>`)}
      ${
        made &&
        html`<p class="small quiet">${t("relay.until", { time: moment(made.ends) })}</p>
          <${CopyField} text=${JSON.stringify({ iceServers: made.iceServers })} label=${t("relay.paste")} />`
      }
      <div role="status">
        ${findings?.map((one) => html`<p class="small ${one.good ? "" : "fault"}">${inWords(one)}</p>`)}
      </div>
      ${failure && html`<${FailureCard} failure=${failure} />`}
    </div>
    <div class="value">
      <button type="button" disabled=${busy !== ""} onClick=${make}>${t("relay.make")}</button>
      <button type="button" disabled=${busy !== ""} onClick=${check}>
        ${t(busy === "check" ? "relay.checking" : "relay.check")}
      </button>
    </div>
  </div>`;
}
