/** What one can do here, each a click away. */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { href } from "../route.js";

/** @import {Key} from "../language.js" */
/** @import {IconName} from "../parts/icon.js" */

/** @type {{page: string, icon: IconName, name: Key, why: Key}[]} */
const DOINGS = [
  { page: "files", icon: "files", name: "home.do.files", why: "home.do.files.why" },
  { page: "names", icon: "link", name: "home.do.publish", why: "home.do.publish.why" },
  { page: "calls", icon: "phone", name: "home.do.call", why: "home.do.call.why" },
  { page: "rooms", icon: "room", name: "home.do.room", why: "home.do.room.why" },
  { page: "connect", icon: "people", name: "home.do.connect", why: "home.do.connect.why" },
  { page: "fetch", icon: "download", name: "home.do.fetch", why: "home.do.fetch.why" },
  { page: "peers", icon: "swarm", name: "home.do.peers", why: "home.do.peers.why" },
];

export function Doings() {
  return html`<nav class="doings" aria-label=${t("home.do")}>
    ${DOINGS.map(
      ({ page, icon, name, why }) =>
        html`<a class="card" href=${href(page)}
          ><${Icon} name=${icon} /><span><b>${t(name)}</b><span class="quiet small">${t(why)}</span></span></a
        >`,
    )}
  </nav>`;
}
