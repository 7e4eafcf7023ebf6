/** Whether the one at the other end is who they say: by the signatures of this call, and by what was before. */
import { html, useEffect, useState } from "../vendor/preact.js";
import { t } from "../language.js";
import { Dialog } from "../parts/dialog.js";
import { Icon } from "../parts/icon.js";
import { digits } from "./known-keys.js";
import { VERDICTS } from "./words.js";

/** @import {Talk} from "./phone.js" */

/** @param {{talk: Talk, close: () => void}} props */
function IdentityDialog({ talk, close }) {
  const [shown, setShown] = useState("");
  const party = talk.party.value;
  useEffect(() => {
    if (party) void digits(talk.mine.key, party.key).then(setShown);
  }, [party]);
  const verdict = VERDICTS[talk.verdict.value ?? "first"];
  return html`<${Dialog} title=${t("calls.identity", { name: talk.name })} close=${close}>
    <div class="stack">
      <p>${t("calls.identity.text")}</p>
      <p class=${`verdict ${verdict.tone}`}>
        <${Icon} name=${verdict.tone === "warn" || verdict.tone === "bad" ? "warning" : "shield"} />${t(verdict.key, {
          name: talk.name,
          device: party?.label ?? "",
        })}
      </p>
      <p class="call-digits" aria-label=${t("calls.identity.digits")}>${shown || "…"}</p>
      <p class="quiet">${t("calls.identity.compare")}</p>
    </div>
  <//>`;
}

/** @param {{talk: Talk}} props */
export function IdentityChip({ talk }) {
  const [isOpen, setOpen] = useState(false);
  const peer = talk.meeting.value?.peers.value[0];
  const state = peer?.verified.value ?? "checking";
  const verdict = talk.verdict.value ?? "first";
  const isOdd = state === "forged" || verdict === "changed";
  const isNew = verdict === "other";
  const key =
    state === "forged"
      ? "calls.identity.forged"
      : state === "checking"
        ? "calls.identity.checking"
        : verdict === "changed"
          ? "calls.identity.changed"
          : isNew
            ? "calls.identity.other"
            : "calls.identity.verified";
  const tone = isOdd ? "bad" : state === "checking" ? "" : isNew ? "warn" : "good";
  return html`<button
      type="button"
      class=${`state verified ${tone}`}
      data-verified=${state}
      data-verdict=${verdict}
      onClick=${() => setOpen(true)}
    >
      <${Icon} name=${isOdd || isNew ? "warning" : "shield"} />${t(key)}
    </button>
    ${isOpen && html`<${IdentityDialog} talk=${talk} close=${() => setOpen(false)} />`}`;
}
