/**
 * The one module that speaks to the daemon (docs/app-api.md): a token for the session, JSON both ways, one kind of
 * failure.
 * Bytes of content are not fetched here: they come from the gateway's origin, see `content.js`.
 */
import { signal } from "./vendor/preact.js";

/** @import {Failing} from "./types.d.ts" */

/** Every request that does not succeed ends in one of these; `code` is what the page translates by. */
export class Failure extends Error {
  /** @param {Failing} failing @param {number} status 0 when no answer came */
  constructor(failing, status) {
    super(failing.what);
    this.name = "Failure";
    this.code = failing.code;
    this.what = failing.what;
    this.why = failing.why;
    this.do = failing.do;
    this.details = failing.details;
    this.status = status;
  }
}

/** Whether the owner's key is asked for: the page was opened from another machine. */
export const keyWanted = signal(false);

const KEY = "zwerm.key";
const fragment = /^#key=(.+)$/.exec(location.hash);
if (fragment) {
  sessionStorage.setItem(KEY, decodeURIComponent(fragment[1]));
  history.replaceState(null, "", location.pathname);
}

/** Whether a key was given before; when one is wanted all the same, it was the wrong one. */
export const keyGiven = () => sessionStorage.getItem(KEY) !== null;

/** Begin anew with this key. @param {string} key */
export function giveKey(key) {
  sessionStorage.setItem(KEY, key);
  location.reload();
}

/** @type {Promise<string> | null} */
let session = null;

/** @returns {Record<string, string>} */
function ownerHeaders() {
  const key = sessionStorage.getItem(KEY);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** @param {string} what @returns {Failure} */
const offline = (what) => new Failure({ code: "offline", what, why: null, do: null, details: null }, 0);

/** @param {Response} response @returns {Promise<Failure>} */
async function failureOf(response) {
  const text = await response.text();
  return failureFrom(response.status, text);
}

/** @param {number} status @param {string} text @returns {Failure} */
export function failureFrom(status, text) {
  try {
    const failing = JSON.parse(text).error;
    if (failing && typeof failing.code === "string") {
      if (failing.code === "key") keyWanted.value = true;
      return new Failure(failing, status);
    }
  } catch {
    // not the daemon's own words: said as what it is below
  }
  return new Failure(
    {
      code: "internal",
      what: `The node answered ${status}.`,
      why: null,
      do: null,
      details: text.slice(0, 2000) || null,
    },
    status,
  );
}

async function openSession() {
  let response;
  try {
    response = await fetch("/api/app/session", {
      method: "POST",
      headers: { "X-Zwerm-Client": "web", ...ownerHeaders() },
    });
  } catch (error) {
    throw offline(String(error));
  }
  if (!response.ok) throw await failureOf(response);
  return (await response.json()).token;
}

/** The headers every request carries. @returns {Promise<Record<string, string>>} */
export async function sessionHeaders() {
  session ??= openSession();
  const mine = session;
  try {
    return { "X-Zwerm-Token": await mine, ...ownerHeaders() };
  } catch (error) {
    if (session === mine) session = null;
    throw error;
  }
}

export function forgetSession() {
  session = null;
}

/** @typedef {Record<string, string | number | boolean | null | undefined>} Query */

/** @param {string} name @param {Query} [query] */
export function address(name, query = {}) {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== "") parameters.set(key, String(value));
  return `/api/app/${name}${parameters.size ? `?${parameters}` : ""}`;
}

/**
 * Ask the daemon; the answer's body is still to be read.
 * @param {string} method
 * @param {string} name below `/api/app/`
 * @param {{query?: Query, body?: unknown, signal?: AbortSignal, headers?: Record<string, string>}} [options]
 * @returns {Promise<Response>}
 * @throws {Failure} also when no answer came (`offline`); an abort is passed on as it is
 */
export async function request(method, name, options = {}) {
  for (let attempt = 0; ; attempt += 1) {
    const headers = { ...(await sessionHeaders()), ...options.headers };
    if (options.body !== undefined) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await fetch(address(name, options.query), {
        method,
        headers,
        signal: options.signal,
        body: options.body === undefined ? undefined : JSON.stringify(options.body),
      });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw offline(String(error));
    }
    if (response.ok) return response;
    const failure = await failureOf(response);
    if (failure.code !== "session" || attempt > 0) throw failure;
    forgetSession();
  }
}

/** @param {string} name @param {Query} [query] @param {AbortSignal} [signal] @returns {Promise<any>} */
export const read = async (name, query, signal) => (await request("GET", name, { query, signal })).json();

/** @param {string} name @param {unknown} body @returns {Promise<any>} */
export const post = async (name, body) => (await request("POST", name, { body })).json();

/** @param {string} name @param {unknown} body @returns {Promise<any>} */
export const put = async (name, body) => (await request("PUT", name, { body })).json();

/** @param {string} name @param {Query} [query] @returns {Promise<any>} */
export const remove = async (name, query) => (await request("DELETE", name, { query })).json();
