/** Those one talks with, and whether they can be reached. */
import { html, useState } from "../vendor/preact.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";
import { Icon } from "../parts/icon.js";
import { MenuButton } from "../parts/menu.js";
import { notify } from "../parts/notices.js";
import { account, presence, setContact } from "./account.js";
import { Avatar } from "./avatar.js";
import { isName } from "./names.js";
import { ring } from "./phone.js";
import { PRESENCE, refusedWords } from "./words.js";

/** @import {Item} from "../parts/menu.js" */

const ORDER = ["available", "busy", "away", "quiet", "offline"];

/** @param {string} name @param {"contact" | "blocked" | "none"} kind @param {string} done @param {() => void} [undo] */
export async function put(name, kind, done, undo) {
  if (!isName(name)) {
    notify(t("calls.refused.noName"));
    return;
  }
  try {
    await setContact(name, kind);
    notify(done, undo && { label: t("action.undo"), run: undo });
  } catch (error) {
    notify(refusedWords(error));
  }
}

/** @param {string} name @param {"contact" | "blocked" | undefined} kind @returns {Item[]} */
export function contactItems(name, kind) {
  /** @type {Item[]} */
  const items = [];
  if (kind !== "contact")
    items.push({
      label: t("calls.contact.keep"),
      icon: "plus",
      run: () => void put(name, "contact", t("calls.contact.kept", { name })),
    });
  else
    items.push({
      label: t("calls.contact.remove"),
      icon: "close",
      run: () =>
        void put(
          name,
          "none",
          t("calls.contact.removed", { name }),
          () => void put(name, "contact", t("calls.contact.kept", { name })),
        ),
    });
  if (kind !== "blocked")
    items.push({
      label: t("calls.contact.block"),
      icon: "lock",
      danger: true,
      run: () =>
        void put(
          name,
          "blocked",
          t("calls.contact.blocked", { name }),
          () => void put(name, kind ?? "none", t("calls.contact.unblocked", { name })),
        ),
    });
  else
    items.push({
      label: t("calls.contact.unblock"),
      icon: "unlock",
      run: () => void put(name, "none", t("calls.contact.unblocked", { name })),
    });
  return items;
}

/** @param {{name: string}} props */
function ContactRow({ name }) {
  const state = presence.value[name] ?? "offline";
  return html`<li class="person-row">
    <${Avatar} name=${name} />
    <div class="grow">
      <b class="ellipsis">${name}</b>
      <span class=${`presence ${state}`}><span class="dot" />${t(PRESENCE[state])}</span>
    </div>
    <button
      type="button"
      class="plain square"
      aria-label=${t("calls.ring.name.sound", { name })}
      onClick=${() => void ring(name, false)}
    >
      <${Icon} name="phone" />
    </button>
    <button
      type="button"
      class="plain square"
      aria-label=${t("calls.ring.name.picture", { name })}
      onClick=${() => void ring(name, true)}
    >
      <${Icon} name="camera" />
    </button>
    <${MenuButton}
      label=${t("calls.contact.more", { name })}
      name=${name}
      items=${() => contactItems(name, "contact")}
    />
  </li>`;
}

function AddContact() {
  const [name, setName] = useState("");
  const wanted = name.trim().toLowerCase();
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (!wanted) return;
    setName("");
    void put(wanted, "contact", t("calls.contact.kept", { name: wanted }));
  };
  return html`<form class="contact-add" onSubmit=${submit}>
    <input
      class="field"
      maxlength="32"
      autocomplete="off"
      autocapitalize="none"
      spellcheck=${false}
      aria-label=${t("calls.contact.name")}
      placeholder=${t("calls.contact.name")}
      value=${name}
      onInput=${(/** @type {any} */ event) => setName(event.currentTarget.value)}
    />
    <button type="submit" disabled=${!wanted}><${Icon} name="plus" />${t("calls.contact.add")}</button>
  </form>`;
}

export function ContactList() {
  const all = Object.entries(account.value?.contacts ?? {});
  const names = all
    .filter(([, kind]) => kind === "contact")
    .map(([name]) => name)
    .sort(
      (a, b) =>
        ORDER.indexOf(presence.value[a] ?? "offline") - ORDER.indexOf(presence.value[b] ?? "offline") ||
        a.localeCompare(b),
    );
  const blocked = all.filter(([, kind]) => kind === "blocked").map(([name]) => name);
  return html`<section class="card" aria-labelledby="calls-contacts">
    <header><h2 id="calls-contacts">${t("calls.contacts")}</h2></header>
    ${
      names.length === 0
        ? html`<${EmptyState} title=${t("calls.contacts.empty")} text=${t("calls.contacts.empty.text")} />`
        : html`<ul class="people-rows">
            ${names.map((name) => html`<${ContactRow} key=${name} name=${name} />`)}
          </ul>`
    }
    <footer>
      <${AddContact} />
      ${
        blocked.length > 0 &&
        html`<details class="blocked">
          <summary>${t("calls.blocked", { n: blocked.length })}</summary>
          <ul>
            ${blocked.map(
              (name) =>
                html`<li class="row spread" key=${name}>
                  <span class="ellipsis">${name}</span
                  ><button
                    type="button"
                    class="small"
                    onClick=${() => void put(name, "none", t("calls.contact.unblocked", { name }))}
                  >
                    ${t("calls.contact.unblock")}
                  </button>
                </li>`,
            )}
          </ul>
        </details>`
      }
    </footer>
  </section>`;
}
