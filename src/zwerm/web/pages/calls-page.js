/** Calls: whom can one ring, and who rang? While one talks, the call itself. */
import { html, useEffect } from "../vendor/preact.js";
import { Failure } from "../api.js";
import { account, past, presence, trouble } from "../calls/account.js";
import { AccountView } from "../calls/account-view.js";
import "../calls/bell.js";
import { CallView } from "../calls/call-view.js";
import { ContactList } from "../calls/contact-list.js";
import { obstacle } from "../calls/obstacle.js";
import { LinkCard, fetched, opened } from "../calls/link-card.js";
import { InsecureCard, OffCard, UnsupportedNote } from "../calls/off-card.js";
import { NotifyCard } from "../calls/notify-card.js";
import { PastList } from "../calls/past-list.js";
import { PresenceButton } from "../calls/presence-button.js";
import { current, incoming, ring } from "../calls/phone.js";
import { RingCard } from "../calls/ring-card.js";
import { ask, service } from "../calls/service.js";
import { session } from "../calls/session.js";
import { WelcomeCard } from "../calls/welcome-card.js";
import { t } from "../language.js";
import { FailureCard } from "../parts/failure-card.js";
import { Icon } from "../parts/icon.js";
import { PageHead } from "../parts/page-head.js";
import { Skeleton } from "../parts/skeleton.js";
import { href, replace, route } from "../route.js";

const LINK = /^\/link\/([\w-]{22,64})$/;

/** @returns {string | null} null while it is not known */
function answerOf() {
  const mine = account.value;
  if (!mine || past.value === null) return trouble.value ? "" : null;
  const states = Object.values(presence.value);
  const n = states.filter((state) => state !== "offline" && state !== "quiet").length;
  const sentences = [t("calls.answer", { name: mine.name })];
  if (!mine.disturb) sentences.push(t("calls.answer.quiet"));
  if (states.length > 0) sentences.push(t("calls.answer.reach", { n }));
  if (mine.missed > 0) sentences.push(t("calls.answer.missed", { n: mine.missed }));
  return sentences.join(" ");
}

/** The link of a mail led here, and what it was about no longer rings. */
function FetchedCard() {
  const about = fetched.value;
  if (!about || !account.value || incoming.value.some(({ call }) => call === about.call) || current.value) return null;
  return html`<section class="card calls-fetched" role="status">
    <p>${t("calls.fetched", { name: about.caller })}</p>
    <button
      type="button"
      class="first"
      onClick=${() => {
        fetched.value = null;
        void ring(about.caller, true);
      }}
    >
      <${Icon} name="phone" />${t("calls.fetched.act")}
    </button>
    <button
      type="button"
      onClick=${() => {
        fetched.value = null;
      }}
    >
      ${t("action.dismiss")}
    </button>
  </section>`;
}

function SignedIn() {
  const isAccount = route.value.path === "/account";
  const state = session.value?.state.value;
  return html`<${PageHead} title=${t("nav.calls")} answer=${answerOf()} long>
      ${state === "lost" && html`<span class="state warn" role="status">${t("calls.reconnecting")}</span>`}
      ${account.value && html`<${PresenceButton} />`}
      <a class="button" href=${href("calls", isAccount ? "/" : "/account")}
        aria-label=${t(isAccount ? "calls.toCalls" : "calls.toAccount")}
        title=${t(isAccount ? "calls.toCalls" : "calls.toAccount")}
        ><${Icon} name=${isAccount ? "left" : "settings"} /><span class="wide"
          >${t(isAccount ? "calls.toCalls" : "calls.toAccount")}</span
        ></a
      >
    <//>
    ${
      trouble.value
        ? html`<section class="card"><${FailureCard} failure=${trouble.value} /></section>`
        : !account.value
          ? html`<section class="card"><${Skeleton} rows=${6} /></section>`
          : isAccount
            ? html`<${AccountView} />`
            : html`${obstacle() && html`<${UnsupportedNote} />`}<${FetchedCard} />
                ${!obstacle() && html`<${RingCard} />`}
                <${NotifyCard} />
                <div class="columns calls-columns"><${ContactList} /><${PastList} /></div>`
    }`;
}

function SignedOut() {
  const found = service.value;
  useEffect(() => {
    void ask();
  }, []);
  const answer =
    found === null ? null : found === "off" ? t("calls.off") : found instanceof Failure ? "" : t("calls.answer.none");
  return html`<${PageHead} title=${t("nav.calls")} answer=${answer} long /> ${
      found === null
        ? html`<section class="card"><${Skeleton} rows=${6} /></section>`
        : found === "off"
          ? html`<${OffCard} />`
          : found instanceof Failure
            ? html`<section class="card"><${FailureCard} failure=${found} retry=${() => void ask()} /></section>`
            : html`${obstacle() && html`<${UnsupportedNote} />`}<${WelcomeCard} welcome=${found} />`
    }`;
}

export function CallsPage() {
  const link = LINK.exec(route.value.path)?.[1] ?? "";
  useEffect(() => {
    if (!link) return;
    opened.value = link;
    replace(href("calls")); // the secret stays in no list of pages
  }, [link]);
  if (obstacle() === "insecure")
    return html`<${PageHead} title=${t("nav.calls")} answer=${t("calls.insecure")} long /><${InsecureCard} />`;
  if (current.value)
    return html`<div class="in-call">
      <h1 class="unseen" tabindex="-1">${t("calls.ongoing", { name: current.value.name })}</h1>
      <p class="answer unseen">${t("nav.calls")}</p>
      <${CallView} talk=${current.value} />
    </div>`;
  if (opened.value)
    return html`<${PageHead} title=${t("nav.calls")} answer=${t("calls.link.answer")} /><${LinkCard} />`;
  if (session.value === undefined)
    return html`<${PageHead} title=${t("nav.calls")} answer=${null} long />
      <section class="card"><${Skeleton} rows=${6} /></section>`;
  return session.value ? html`<${SignedIn} />` : html`<${SignedOut} />`;
}
