/**
 * The account of this browser, and the session of this page in its name. All pages of the app share it; other tabs of the
 * same browser have sessions of their own and hear at once when the browser is signed in or out.
 */
import { signal } from "../vendor/preact.js";
import { isCapable, makeKey } from "./device-key.js";
import { forget, keep, recall } from "./keep.js";
import { Signaling, asStranger } from "./signaling.js";

/** @import {DeviceKey} from "./device-key.js" */
/** @typedef {{device: string, name: string, own: DeviceKey}} Device */

const OWN = "account";
const GUEST = "guest";
/** Says, before any database is asked, that this browser has an account: pages without one load nothing for calls. */
export const FLAG = "zwerm.calls";

/**
 * The session of the account: undefined until it is known whether there is one, null without one.
 * @type {import("../vendor/preact.js").Signal<Signaling | null | undefined>}
 */
export const session = signal(undefined);

/** @type {import("../vendor/preact.js").Signal<Device | null>} */
export const device = signal(null);

/** What the last session ended for, when it was not this browser's own wish. */
export const ended = signal(/** @type {string | null} */ (null));

const others = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("zwerm.calls");

/** @param {Device | null} found */
function enter(found) {
  session.peek()?.stop();
  device.value = found;
  if (found) localStorage.setItem(FLAG, found.name);
  else localStorage.removeItem(FLAG);
  session.value = found ? Signaling.account(found).start() : null;
  const mine = session.peek();
  mine?.ending.subscribe((ending) => {
    if (ending && (ending.code === "signed-out" || ending.code === "not-known")) void signedOut(mine, ending.code);
  });
}

/** The service does not know this device any more. @param {Signaling} mine @param {string} code */
async function signedOut(mine, code) {
  if (session.peek() !== mine) return;
  ended.value = code;
  await forget("devices", OWN);
  enter(null);
}

/** @type {Promise<void> | null} */
let restoring = null;

/** Take up the account that this browser has; more than once is harmless. */
export function restore() {
  restoring ??= (async () => {
    enter((isCapable() && (await recall("devices", OWN))) || null);
    others?.addEventListener("message", async () => {
      const found = (await recall("devices", OWN)) ?? null;
      if (found?.device !== device.peek()?.device) enter(found);
    });
  })();
  return restoring;
}

/** What people read of this device where its account's devices are listed. */
export function deviceLabel() {
  const agent = navigator.userAgent;
  const browser =
    [
      ["Edg/", "Edge"],
      ["OPR/", "Opera"],
      ["Firefox/", "Firefox"],
      ["Chrome/", "Chrome"],
      ["Safari/", "Safari"],
    ].find(([sign]) => agent.includes(sign))?.[1] ?? "Browser";
  const system =
    [
      ["iPhone", "iPhone"],
      ["iPad", "iPad"],
      ["Android", "Android"],
      ["Windows", "Windows"],
      ["Mac OS", "Mac"],
      ["CrOS", "ChromeOS"],
      ["Linux", "Linux"],
    ].find(([sign]) => agent.includes(sign))?.[1] ?? "";
  return system ? `${browser} · ${system}` : browser;
}

/** @param {{device: string, name: string}} made @param {DeviceKey} own */
async function adopt(made, own) {
  const before = device.peek();
  ended.value = null;
  const found = { device: made.device, name: made.name, own };
  await keep("devices", OWN, found);
  enter(found);
  others?.postMessage("changed");
  if (before?.name === made.name)
    // the same account anew: the old device of this browser is none any more
    await session
      .peek()
      ?.ask("device-remove", { device: before.device })
      .catch(() => undefined);
}

/**
 * Use a link up: this browser belongs to its account then.
 * @param {string} token
 * @returns {Promise<{name: string, kind: string, call?: string, caller?: string}>}
 */
export async function redeem(token) {
  const own = await makeKey();
  const made = await asStranger((ask) => ask("redeem", { token, key: own.key, label: deviceLabel() }));
  await adopt(made, own);
  return made;
}

/**
 * Make an account.
 * @param {string} name @param {string} email "" where the service sends no mail @param {"en" | "nl"} language
 * @returns {Promise<"in" | "mailed">}
 */
export async function register(name, email, language) {
  const { key } = await makeKey(); // its form only: the device that opens the link has the key that counts
  const answer = await asStranger((ask) =>
    ask("register", { name, key, label: deviceLabel(), language, ...(email ? { email } : {}) }),
  );
  if (!answer.token) return "mailed";
  await redeem(answer.token);
  return "in";
}

/** Ask for a link by mail. @param {string} email */
export const mailLink = (email) => asStranger((ask) => ask("sign-in", { email }));

/** Whether this browser makes and uses passkeys. */
export const hasPasskeys = () =>
  "credentials" in navigator &&
  typeof PublicKeyCredential !== "undefined" &&
  typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function";

/** Sign in with a passkey that this browser or a telephone beside it has. */
export async function signInByPasskey() {
  const own = await makeKey();
  const made = await asStranger(async (ask) => {
    const options = await ask("passkey-challenge");
    const found = await navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options.options ?? options),
    });
    const credential = JSON.stringify(/** @type {any} */ (found).toJSON());
    return ask("passkey-sign-in", { credential, key: own.key, label: deviceLabel() });
  });
  await adopt(made, own);
}

/** Sign this browser out; others of the account stay. */
export async function signOut() {
  const mine = device.peek();
  if (mine)
    await session
      .peek()
      ?.ask("device-remove", { device: mine.device })
      .catch(() => undefined);
  await leave();
}

/** Forget the account here, without asking anybody. */
export async function leave() {
  await forget("devices", OWN);
  enter(null);
  others?.postMessage("changed");
}

/**
 * The session of a guest in a room; it has to be stopped.
 * @param {string} link @param {string} label
 */
export async function guestSession(link, label) {
  /** @type {DeviceKey} */
  const own = (await recall("devices", GUEST)) ?? (await makeKey());
  await keep("devices", GUEST, own);
  return Signaling.guest(own, link, label).start();
}
