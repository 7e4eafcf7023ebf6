/**
 * The service worker as the page uses it (service-worker.js): it opens the app without the node, and rings while no page
 * is open. It is there where the page came by HTTPS, or push messages were switched on; else this machine needs none.
 */
import { signal } from "./vendor/preact.js";
import { language } from "./language.js";

/** @import {Signaling} from "./calls/signaling.js" */

const WANTED = "zwerm.push";

/** Whether this browser gets push messages for this account. */
export const pushState = signal(/** @type {"unsupported" | "off" | "on" | "denied" | "failed"} */ ("off"));

const isCapable = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** @type {Promise<ServiceWorkerRegistration> | null} */
let registering = null;

/** Start the worker, and give it what this page was made of, so that it opens next time without the node. */
export function register() {
  registering ??= (async () => {
    await navigator.serviceWorker.register("/service-worker.js", { updateViaCache: "none" });
    const found = await navigator.serviceWorker.ready;
    const files = performance.getEntriesByType("resource").map(({ name }) => name);
    found.active?.postMessage({ files: ["/", ...files] });
    language.subscribe((now) => found.active?.postMessage({ language: now }));
    return found;
  })();
  return registering;
}

/** Start the worker with the page, where it is wanted. */
export function begin() {
  const isWanted = location.protocol === "https:" || localStorage.getItem(WANTED) !== null;
  if (isWanted && "serviceWorker" in navigator) void register().catch(() => undefined); // the page does without
}

/** Look how it stands. */
export async function look() {
  if (!isCapable()) pushState.value = "unsupported";
  else if (Notification.permission === "denied") pushState.value = "denied";
  else {
    const found = await navigator.serviceWorker.getRegistration("/");
    pushState.value = (await found?.pushManager.getSubscription()) ? "on" : "off";
  }
  return pushState.value;
}

/**
 * Ask the person and the browser for push messages, and tell the service where they go. From a gesture.
 * @param {Signaling} signaling
 * @returns {Promise<boolean>} whether they come; `pushState` says why not
 * @throws {Error} the browser's push service, or ours, does not do it; nothing has changed then
 */
export async function subscribe(signaling) {
  const key = signaling.welcome.value?.push;
  if (!isCapable() || !key) {
    pushState.value = "unsupported";
    return false;
  }
  if ((await Notification.requestPermission()) !== "granted") {
    await look();
    return false;
  }
  const found = await register();
  let subscription;
  try {
    subscription = await found.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch (error) {
    pushState.value = "failed"; // the browser has no push service, or does not reach it
    throw error;
  }
  const { keys } = subscription.toJSON();
  try {
    await signaling.ask("push-subscribe", {
      endpoint: subscription.endpoint,
      p256dh: keys?.p256dh ?? "",
      auth: keys?.auth ?? "",
    });
  } catch (error) {
    await subscription.unsubscribe();
    throw error;
  }
  localStorage.setItem(WANTED, "on");
  pushState.value = "on";
  return true;
}

/** No push messages any more. @param {Signaling | null} signaling null when there is no session to tell it in */
export async function unsubscribe(signaling) {
  localStorage.removeItem(WANTED);
  const found = await navigator.serviceWorker.getRegistration("/");
  const subscription = await found?.pushManager.getSubscription();
  if (subscription) {
    await signaling?.ask("push-unsubscribe", { endpoint: subscription.endpoint }).catch(() => undefined); // it ends by itself
    await subscription.unsubscribe();
  }
  await look();
}

/**
 * Hear of calls that the person answers on a notification: on this page, or by opening it at `#/calls/answer/CALL`.
 * @param {(call: string) => void} listener called soon; the call rings here as soon as the session lives
 * @returns {() => void} how to stop
 */
export function onAnswer(listener) {
  const opened = /^#\/calls\/answer\/([^/]+)$/.exec(location.hash);
  if (opened) {
    history.replaceState(null, "", "#/calls");
    queueMicrotask(() => listener(decodeURIComponent(opened[1])));
  }
  /** @param {MessageEvent} event */
  const heard = ({ data }) => data?.type === "answer" && listener(String(data.call));
  navigator.serviceWorker?.addEventListener("message", heard);
  return () => navigator.serviceWorker?.removeEventListener("message", heard);
}
