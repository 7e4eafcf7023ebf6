/** Who is here, how well they come through, and what a host may ask of them. */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";

/** @import {Meeting} from "./meeting.js" */
/** @import {Person} from "./person.js" */

/** @param {{meeting: Meeting, more?: (person: Person) => any}} props `more`: what else can be done with somebody */
export function PeoplePanel({ meeting, more }) {
  const { people, mesh, devices } = meeting;
  return html`<ul class="panel-people">
    <li>
      <b class="ellipsis">${t("stage.you")}</b>
      <small class="quiet">${t(devices.microphone.value ? "stage.verified.self" : "stage.noMicrophone")}</small>
    </li>
    ${people.value.map(
      (person) =>
        html`<li key=${person.endpoint}>
          <b class="ellipsis">${person.label.value}</b>
          ${
            person.peer.verified.value === "verified" &&
            html`<small class="state good"><${Icon} name="shield" />${t("stage.verified")}</small>`
          }
          ${more?.(person)}
        </li>`,
    )}
    ${mesh.beyond.value.map(
      (member) =>
        html`<li key=${member.endpoint}>
          <b class="ellipsis">${member.label}</b><small class="quiet">${t("stage.beyond")}</small>
        </li>`,
    )}
  </ul>`;
}
