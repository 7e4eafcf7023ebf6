/** The account: who may ring, the devices that belong to it, and what is kept. */
import { html, useEffect, useState } from "../vendor/preact.js";
import { moment, when } from "../format.js";
import { t } from "../language.js";
import { showCode } from "../parts/code-dialog.js";
import { Dialog } from "../parts/dialog.js";
import { Icon } from "../parts/icon.js";
import { notify } from "../parts/notices.js";
import { account, ask, askAndLoad, change } from "./account.js";
import { AskForm } from "./form.js";
import { allow, permission } from "./notifications.js";
import { device, deviceLabel, hasPasskeys, leave, session, signOut } from "./session.js";
import { look, pushState } from "../push.js";
import { refusedWords } from "./words.js";

/** @import {Account} from "./account.js" */

/** @param {() => Promise<unknown>} work @param {string} [done] */
async function tried(work, done) {
  try {
    await work();
    if (done) notify(done);
  } catch (error) {
    notify(refusedWords(error));
  }
}

/** @param {number} seconds */
const iso = (seconds) => new Date(seconds * 1000).toISOString();

/** @param {{mine: Account}} props */
function Reach({ mine }) {
  const [email, setEmail] = useState("");
  const welcome = session.value?.welcome.value;
  return html`<section class="card" aria-labelledby="calls-reach">
    <header><h2 id="calls-reach">${t("calls.reach")}</h2></header>
    <div class="body stack">
      <label class="row spread"
        ><span><b>${t("calls.disturb")}</b><small class="quiet block">${t("calls.disturb.why")}</small></span
        ><input
          type="checkbox"
          class="switch"
          role="switch"
          checked=${!mine.disturb}
          onChange=${(/** @type {any} */ event) => {
            const isQuiet = event.currentTarget.checked;
            void tried(() => change({ disturb: !isQuiet }));
          }}
      /></label>
      <label class="row spread"
        ><span><b>${t("calls.strangers")}</b><small class="quiet block">${t("calls.strangers.why")}</small></span
        ><input
          type="checkbox"
          class="switch"
          role="switch"
          checked=${mine.callers === "contacts"}
          onChange=${(/** @type {any} */ event) => {
            const callers = event.currentTarget.checked ? "contacts" : "anyone";
            void tried(() => change({ callers }));
          }}
      /></label>
      ${
        permission.value !== "unsupported" &&
        html`<div class="row spread">
          <span
            ><b>${t("calls.notify")}</b
            ><small class="quiet block"
              >${t(
                permission.value === "denied"
                  ? "calls.notify.denied"
                  : pushState.value === "on"
                    ? "calls.notify.push"
                    : pushState.value === "failed"
                      ? "calls.notify.failed"
                      : "calls.notify.why",
              )}</small
            ></span
          >${
            permission.value === "granted"
              ? html`<span class="state good"><${Icon} name="check" />${t("calls.notify.on")}</span>`
              : permission.value === "default" &&
                html`<button type="button" onClick=${() => void allow()}>${t("calls.notify.act")}</button>`
          }
        </div>`
      }
      ${
        welcome?.mail &&
        html`<${AskForm}
          submit=${async () => {
            await ask("settings", { email: email.trim() });
            notify(t("calls.mailed.text", { email: email.trim() }));
            setEmail("");
          }}
          label=${t("calls.email.change")}
          isReady=${email.includes("@")}
        >
          <label class="labelled"
            ><span>${t("calls.email.now", { email: mine.email ?? "–" })}</span
            ><input
              class="field"
              type="email"
              autocomplete="email"
              value=${email}
              onInput=${(/** @type {any} */ event) => setEmail(event.currentTarget.value)}
          /></label>
        <//>`
      }
    </div>
  </section>`;
}

async function addPasskey() {
  const { options } = await ask("passkey-new");
  const made = await navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
  });
  const credential = JSON.stringify(/** @type {any} */ (made).toJSON());
  await askAndLoad("passkey-add", { credential, label: deviceLabel() });
}

/** @param {{mine: Account}} props */
function Devices({ mine }) {
  const own = device.value?.device;
  const link = async () => {
    const { url } = await ask("device-link");
    showCode(url, t("calls.devices.code"));
  };
  return html`<section class="card" aria-labelledby="calls-devices">
    <header>
      <h2 id="calls-devices">${t("calls.devices")}</h2>
      <button type="button" class="small" onClick=${() => void tried(link)}>
        <${Icon} name="qr" />${t("calls.devices.add")}
      </button>
    </header>
    <ul class="people-rows">
      ${mine.devices.map(
        (each) =>
          html`<li class="person-row" key=${each.id}>
            <div class="grow">
              <b class="ellipsis">${each.label}</b>
              <span class="quiet small" title=${moment(iso(each.seen))}
                >${each.id === own ? t("calls.devices.this") : t("calls.devices.seen", { when: when(iso(each.seen)) })}</span
              >
            </div>
            ${
              each.id !== own &&
              html`<button
                type="button"
                class="small"
                aria-label=${t("calls.devices.remove.name", { name: each.label })}
                onClick=${() =>
                  void tried(() => askAndLoad("device-remove", { device: each.id }), t("calls.devices.removed"))}
              >
                ${t("calls.devices.remove")}
              </button>`
            }
          </li>`,
      )}
      ${mine.passkeys.map(
        (each) =>
          html`<li class="person-row" key=${each.id}>
            <${Icon} name="shield" />
            <div class="grow">
              <b class="ellipsis">${t("calls.passkey", { label: each.label })}</b>
              <span class="quiet small">${t("calls.passkey.made", { when: when(iso(each.created)) })}</span>
            </div>
            <button
              type="button"
              class="small"
              aria-label=${t("calls.devices.remove.name", { name: each.label })}
              onClick=${() =>
                void tried(() => askAndLoad("passkey-remove", { passkey: each.id }), t("calls.passkey.removed"))}
            >
              ${t("calls.devices.remove")}
            </button>
          </li>`,
      )}
    </ul>
    ${
      hasPasskeys() &&
      session.value?.welcome.value?.passkeys &&
      html`<footer>
        <button type="button" onClick=${() => void tried(addPasskey, t("calls.passkey.added"))}>
          <${Icon} name="shield" />${t("calls.passkey.add")}
        </button>
        <p class="quiet small">${t("calls.passkey.why")}</p>
      </footer>`
    }
  </section>`;
}

async function saveExport() {
  const all = await ask("export");
  const url = URL.createObjectURL(new Blob([JSON.stringify(all, null, 2)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `zwerm-calls-${all.account.name}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** @param {{name: string, close: () => void}} props */
function DeleteDialog({ name, close }) {
  const [typed, setTyped] = useState("");
  return html`<${Dialog} title=${t("calls.delete.title", { name })} close=${close}>
    <${AskForm}
      submit=${async () => {
        await ask("delete-account", { name: typed });
        await leave();
        notify(t("calls.delete.done"));
      }}
      label=${t("calls.delete.act")}
      icon="trash"
      isReady=${typed === name}
    >
      <p>${t("calls.delete.text")}</p>
      <label class="labelled"
        ><span>${t("calls.delete.type", { name })}</span
        ><input
          class="field"
          data-first
          autocomplete="off"
          autocapitalize="none"
          value=${typed}
          onInput=${(/** @type {any} */ event) => setTyped(event.currentTarget.value)}
      /></label>
    <//>
  <//>`;
}

/** @param {{mine: Account}} props */
function Data({ mine }) {
  const [isDeleting, setDeleting] = useState(false);
  return html`<section class="card" aria-labelledby="calls-data">
    <header><h2 id="calls-data">${t("calls.data")}</h2></header>
    <div class="body stack">
      <p class="quiet">${t("calls.data.text")}</p>
      <div class="row wrap">
        <button type="button" onClick=${() => void tried(saveExport)}>
          <${Icon} name="download" />${t("calls.export")}
        </button>
        <button type="button" onClick=${() => void signOut()}>${t("calls.signOut")}</button>
        <button type="button" class="danger" onClick=${() => setDeleting(true)}>
          <${Icon} name="trash" />${t("calls.delete")}
        </button>
      </div>
    </div>
    ${isDeleting && html`<${DeleteDialog} name=${mine.name} close=${() => setDeleting(false)} />`}
  </section>`;
}

export function AccountView() {
  const mine = account.value;
  useEffect(() => {
    void look();
  }, []);
  if (!mine) return null;
  return html`<div class="columns">
    <div><${Reach} mine=${mine} /><${Data} mine=${mine} /></div>
    <div><${Devices} mine=${mine} /></div>
  </div>`;
}
