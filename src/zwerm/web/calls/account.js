/** What is known of the account and of those it talks with, kept up to date while the session lives. */
import { effect, signal } from "../vendor/preact.js";
import { Failure } from "../api.js";
import { session } from "./session.js";

/** @import {Signaling} from "./signaling.js" */
/** @template T @typedef {import("../vendor/preact.js").Signal<T>} Signal */
/**
 * @typedef {{id: string, label: string, created: number, seen: number}} AccountDevice seconds since 1970
 * @typedef {{id: string, label: string, created: number}} Passkey
 * @typedef {{name: string, email: string | null, language: "en" | "nl", callers: "anyone" | "contacts", disturb: boolean,
 * devices: AccountDevice[], passkeys: Passkey[], contacts: Record<string, "contact" | "blocked">, missed: number}} Account
 * @typedef {{call: string, with: string, out: boolean, media: string[], began: number, answered: number | null,
 * ended: number | null, reason: string | null, missed: boolean, seen: boolean}} PastCall
 * @typedef {"available" | "busy" | "quiet" | "away" | "offline"} Presence
 */

const LISTED = 50; // calls that are shown
const WATCHED = 256; // the service follows no more for one session

/** @type {Signal<Account | null>} */
export const account = signal(null);
/** @type {Signal<PastCall[] | null>} */
export const past = signal(null);
/** @type {Signal<Record<string, Presence>>} */
export const presence = signal({});
/** Why the account could not be loaded. @type {Signal<Failure | null>} */
export const trouble = signal(null);

/** @param {Signaling} mine @param {() => Promise<void>} work */
async function load(mine, work) {
  try {
    await work();
    trouble.value = null;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code !== "lost" && session.peek() === mine && !mine.ending.peek()) trouble.value = error;
  }
}

/** @param {Signaling} mine */
const loadAccount = (mine) =>
  load(mine, async () => {
    account.value = await mine.ask("me");
    await watch(mine);
  });

/** @param {Signaling} mine */
const loadPast = (mine) =>
  load(mine, async () => {
    past.value = (await mine.ask("history", { limit: LISTED })).calls;
  });

/** @param {Signaling} mine */
async function watch(mine) {
  const contacts = Object.entries(account.value?.contacts ?? {});
  const names = contacts.filter(([, kind]) => kind === "contact").map(([name]) => name);
  presence.value = (await mine.ask("watch", { names: names.slice(0, WATCHED) })).states;
}

/** Load the list of calls anew: one began or ended here. */
export function pastChanged() {
  const mine = session.peek();
  if (mine) void loadPast(mine).then(() => loadAccount(mine));
}

/** @param {Signaling} mine @returns {() => void} */
function follow(mine) {
  const stops = [
    mine.turn.subscribe((turn) => {
      if (turn === 0) return;
      void loadAccount(mine);
      void loadPast(mine);
    }),
    mine.on("account", () => pastChanged()),
    mine.on("presence", ({ name, state }) => {
      presence.value = { ...presence.peek(), [name]: state };
    }),
  ];
  return () => stops.forEach((stop) => stop());
}

let stop = () => {};
let followed = /** @type {Signaling | null | undefined} */ (undefined);
effect(() => {
  const mine = session.value;
  if (mine === followed) return;
  followed = mine;
  stop();
  stop = mine ? follow(mine) : () => {};
  account.value = null;
  past.value = null;
  presence.value = {};
  trouble.value = null;
});

/** @returns {Signaling} */
function own() {
  const mine = session.peek();
  if (!mine) throw new Failure({ code: "sign-in", what: "Not signed in", why: null, do: null, details: null }, 0);
  return mine;
}

/** Ask for something in the account's name. @param {string} type @param {Record<string, unknown>} [fields] */
export const ask = (type, fields) => own().ask(type, fields);

/** Keep, block or forget somebody. @param {string} name @param {"contact" | "blocked" | "none"} kind */
export async function setContact(name, kind) {
  await ask("contact", { name, kind });
  await loadAccount(own());
}

/** @param {Record<string, unknown>} changes */
export async function change(changes) {
  await ask("settings", changes);
  await loadAccount(own());
}

/** @param {string} type @param {Record<string, unknown>} fields a request after which the account is another */
export async function askAndLoad(type, fields) {
  const value = await ask(type, fields);
  await loadAccount(own());
  return value;
}

/** The missed calls were looked at. */
export async function seePast() {
  if (!account.peek()?.missed) return;
  await ask("history-seen");
  const before = account.peek();
  if (before) account.value = { ...before, missed: 0 };
}
