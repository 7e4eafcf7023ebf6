/** The way into a room, to give away: a code for who stands beside one, a link to copy, and sharing as telephones do. */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";
import { Code } from "../parts/code-dialog.js";
import { CopyField } from "../parts/copy-field.js";
import { Dialog } from "../parts/dialog.js";
import { Icon } from "../parts/icon.js";
import { addressOf } from "./known-rooms.js";

/** @param {{link: string, title: string, waits?: boolean, close: () => void}} props `waits`: people wait at the door */
export function Invitation({ link, title, waits = false, close }) {
  const address = addressOf(link);
  const share = () =>
    void navigator.share({ title, text: t("rooms.share.text", { name: title }), url: address }).catch(() => undefined); // thought better of it
  return html`<${Dialog} title=${t("rooms.inviteTo", { name: title })} close=${close}>
    <p class="quiet">${t(waits ? "rooms.invite.waits" : "rooms.invite.text")}</p>
    <div class="row code-plate"><${Code} text=${address} /></div>
    <${CopyField} text=${address} label=${t("rooms.link")} />
    ${
      typeof navigator.share === "function" &&
      html`<button type="button" class="share-link" onClick=${share}>
        <${Icon} name="share" />${t("rooms.share")}
      </button>`
    }
  <//>`;
}
