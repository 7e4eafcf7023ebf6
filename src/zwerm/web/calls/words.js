/** What the service and its calls say, in the words of a person: one place for reasons, codes, states. */
import { t } from "../language.js";
import { duration } from "../format.js";
import { CallFailure } from "./signaling.js";
import { Failure } from "../api.js";

/** @import {Key} from "../language.js" */
/** @import {Presence} from "./account.js" */
/** @import {Verdict} from "./known-keys.js" */

/** @type {Record<Presence, Key>} */
export const PRESENCE = {
  available: "calls.presence.available",
  away: "calls.presence.away",
  busy: "calls.presence.busy",
  quiet: "calls.presence.quiet",
  offline: "calls.presence.offline",
};

/** How far the ringing is, for whoever rings. @type {Record<string, Key>} */
const PROGRESS = {
  "": "calls.progress.reaching",
  ringing: "calls.progress.ringing",
  waiting: "calls.progress.waiting",
  pushed: "calls.progress.pushed",
  mailed: "calls.progress.mailed",
  retrying: "calls.progress.retrying",
  limited: "calls.progress.limited",
  failed: "calls.progress.failed",
};

/** @param {string} progress @param {string} name */
export const progressWords = (progress, name) => t(PROGRESS[progress] ?? PROGRESS[""], { name });

/** Why a call is over: reasons of the service, and codes of what it refused. @type {Record<string, Key>} */
const OVER = {
  "answered-elsewhere": "calls.over.elsewhere",
  declined: "calls.over.declined",
  busy: "calls.over.busy",
  "no-answer": "calls.over.noAnswer",
  cancelled: "calls.over.cancelled",
  "hung-up": "calls.over.hungUp",
  lost: "calls.over.lost",
  unavailable: "calls.over.unavailable",
  "no-such-name": "calls.over.noName",
  "no-such-call": "calls.over.gone",
  gone: "calls.over.gone",
  yourself: "calls.over.yourself",
  "ringing-already": "calls.over.ringingAlready",
  "too-fast": "calls.over.tooFast",
  "too-many-calls": "calls.over.tooFast",
};

/** @param {string} reason @param {string} name */
export const overWords = (reason, name) => t(OVER[reason] ?? "calls.over.failed", { name });

/** The same for somebody at whom it rang. @type {Record<string, Key>} */
const ASIDE = {
  "answered-elsewhere": "calls.aside.elsewhere",
  declined: "calls.aside.declined",
};

/** @param {string} reason @param {string} name */
export const asideWords = (reason, name) => t(ASIDE[reason] ?? "calls.aside.missed", { name });

/** @type {Record<Verdict, {key: Key, tone: string}>} */
export const VERDICTS = {
  first: { key: "calls.verdict.first", tone: "" },
  known: { key: "calls.verdict.known", tone: "good" },
  other: { key: "calls.verdict.other", tone: "warn" },
  changed: { key: "calls.verdict.changed", tone: "bad" },
};

/** What to say of a refusal. @type {Record<string, Key>} */
const REFUSED = {
  "name-taken": "calls.refused.nameTaken",
  closed: "calls.refused.closed",
  "email-missing": "calls.refused.emailMissing",
  "no-mail": "calls.refused.noMail",
  "bad-link": "calls.refused.badLink",
  "bad-passkey": "calls.refused.badPasskey",
  "no-such-passkey": "calls.refused.badPasskey",
  "wrong-name": "calls.refused.wrongName",
  "no-such-name": "calls.refused.noName",
  yourself: "calls.refused.yourself",
  "too-fast": "calls.refused.tooFast",
  "too-many-guesses": "calls.refused.tooFast",
  "too-many-mails": "calls.refused.tooManyMails",
  full: "calls.refused.full",
  offline: "calls.refused.offline",
  lost: "calls.refused.offline",
  stopped: "calls.refused.offline",
  "try-again": "calls.refused.tryAgain",
};

/** What a browser says of passkeys; anything else is a dialog that was closed, or timed out. @type {Record<string, Key>} */
const PASSKEYS = {
  SecurityError: "calls.refused.elsewhere", // the page has another name than the service
  InvalidStateError: "calls.refused.hasPasskey",
};

/** A sentence for what went wrong. @param {unknown} error */
export function refusedWords(error) {
  if (error instanceof DOMException) return t(PASSKEYS[error.name] ?? "calls.refused.thought");
  if (!(error instanceof Failure)) throw error;
  const key = REFUSED[error.code];
  if (!key) return t("calls.refused.other", { what: error.what });
  const wait =
    error instanceof CallFailure && error.wait ? ` ${t("calls.refused.wait", { time: duration(error.wait) })}` : "";
  return t(key) + wait;
}
