/** For somebody without an account here: what this is for, a name of one's own, or the way back into one that one has. */
import { html, useState } from "../vendor/preact.js";
import { language, t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { Mark } from "../parts/mark.js";
import { AskForm } from "./form.js";
import { isName } from "./names.js";
import { ended, hasPasskeys, mailLink, redeem, register, signInByPasskey } from "./session.js";
import { refusedWords } from "./words.js";

/** @import {Welcome} from "./signaling.js" */

const EMAIL = /^[^\s@]{1,64}@[A-Za-z0-9.-]{1,190}$/;

/** What somebody types as a name, as names are. @param {string} text */
const asName = (text) =>
  text
    .toLowerCase()
    .replaceAll(" ", ".")
    .replace(/[^a-z0-9._-]/g, "")
    .slice(0, 32);

/** The secret of a link, or what was pasted as it is. @param {string} text */
const tokenOf = (text) => /\/link\/([\w-]{22,64})/.exec(text)?.[1] ?? text.trim();

/** @param {{welcome: Welcome, mailed: (email: string) => void}} props */
function Register({ welcome, mailed }) {
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const submit = async () => {
    if ((await register(name, welcome.mail ? email.trim() : "", language.value)) === "mailed") mailed(email.trim());
  };
  return html`<${AskForm}
    submit=${submit}
    label=${t("calls.register.act")}
    icon="phone"
    isReady=${isName(name) && (!welcome.mail || EMAIL.test(email.trim()))}
  >
    <h2>${t("calls.register")}</h2>
    <label class="labelled"
      ><span>${t("calls.register.name")}</span
      ><input
        class="field"
        name="name"
        autocomplete="username"
        autocapitalize="none"
        spellcheck=${false}
        value=${name}
        aria-describedby="calls-name-why"
        onInput=${(/** @type {any} */ event) => setName(asName(event.currentTarget.value))}
      /><small id="calls-name-why" class="quiet">${t("calls.register.name.why")}</small></label
    >
    ${
      welcome.mail &&
      html`<label class="labelled"
        ><span>${t("calls.email")}</span
        ><input
          class="field"
          name="email"
          type="email"
          autocomplete="email"
          value=${email}
          aria-describedby="calls-email-why"
          onInput=${(/** @type {any} */ event) => setEmail(event.currentTarget.value)}
        /><small id="calls-email-why" class="quiet">${t("calls.register.email.why")}</small></label
      >`
    }
  <//>`;
}

/** @param {{welcome: Welcome, mailed: (email: string) => void}} props */
function SignIn({ welcome, mailed }) {
  const [email, setEmail] = useState("");
  const [link, setLink] = useState("");
  const [refused, setRefused] = useState("");
  const passkey = async () => {
    setRefused("");
    try {
      await signInByPasskey();
    } catch (error) {
      setRefused(refusedWords(error));
    }
  };
  return html`<div class="stack">
    <h2>${t("calls.signIn")}</h2>
    ${
      welcome.passkeys &&
      hasPasskeys() &&
      html`<div>
        <button type="button" onClick=${() => void passkey()}>
          <${Icon} name="shield" />${t("calls.signIn.passkey")}
        </button>
        ${refused && html`<p class="fault" role="alert">${refused}</p>`}
      </div>`
    }
    ${
      welcome.mail &&
      html`<${AskForm}
        submit=${async () => {
          await mailLink(email.trim());
          mailed(email.trim());
        }}
        label=${t("calls.signIn.mail")}
        isReady=${EMAIL.test(email.trim())}
      >
        <label class="labelled"
          ><span>${t("calls.email")}</span
          ><input
            class="field"
            type="email"
            autocomplete="email"
            value=${email}
            onInput=${(/** @type {any} */ event) => setEmail(event.currentTarget.value)}
        /></label>
      <//>`
    }
    <${AskForm}
      submit=${() => redeem(tokenOf(link))}
      label=${t("calls.signIn.link")}
      isReady=${tokenOf(link).length >= 22}
    >
      <label class="labelled"
        ><span>${t("calls.signIn.device")}</span
        ><input
          class="field mono"
          spellcheck=${false}
          autocomplete="off"
          value=${link}
          aria-describedby="calls-device-why"
          onInput=${(/** @type {any} */ event) => setLink(event.currentTarget.value)}
        /><small id="calls-device-why" class="quiet">${t("calls.signIn.device.why")}</small></label
      >
    <//>
  </div>`;
}

/** @param {{email: string, again: () => void}} props */
const Mailed = ({ email, again }) =>
  html`<section class="card calls-mailed">
    <div class="empty">
      <${Mark} /><b>${t("calls.mailed")}</b>
      <p>${t("calls.mailed.text", { email })}</p>
      <div class="row"><button type="button" onClick=${again}>${t("calls.mailed.again")}</button></div>
    </div>
  </section>`;

/** @param {{welcome: Welcome}} props */
export function WelcomeCard({ welcome }) {
  const [email, setEmail] = useState("");
  const [isKnown, setKnown] = useState(false);
  if (email) return html`<${Mailed} email=${email} again=${() => setEmail("")} />`;
  return html`${
      ended.value && html`<div class="banner" role="status"><${Icon} name="warning" />${t("calls.signedOut")}</div>`
    }
    <section class="card calls-welcome">
      <div class="calls-why">
        <h2>${t("calls.empty")}</h2>
        <p>${t("calls.empty.text")}</p>
        <ul>
          <li><${Icon} name="phone" />${t("calls.empty.name")}</li>
          <li><${Icon} name="shield" />${t("calls.empty.straight")}</li>
          <li><${Icon} name="share" />${t("calls.empty.away")}</li>
        </ul>
      </div>
      <div class="calls-enter">
        ${
          isKnown
            ? html`<${SignIn} welcome=${welcome} mailed=${setEmail} />`
            : html`<${Register} welcome=${welcome} mailed=${setEmail} />`
        }
        <button type="button" class="plain small" onClick=${() => setKnown(!isKnown)}>
          ${t(isKnown ? "calls.toRegister" : "calls.toSignIn")}
        </button>
      </div>
    </section>`;
}
