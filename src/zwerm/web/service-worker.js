/**
 * The service worker: opens the app when the node cannot be reached, and says that somebody rings while no page is open.
 *
 * It keeps the app's own files and nothing else: what comes below /api/, and content, goes past it. A file is asked for
 * at the node first, so that a new version is there at once; what is kept stands in for it. A classic script, because
 * not every browser takes a module here.
 */
"use strict";

const KEPT = "zwerm-app-1";
const LANGUAGE = "/~language"; // an address in the cache alone
const PATIENCE = 4000; // milliseconds until what is kept stands in for an answer
const FILE = /\.(js|css|svg|png|webmanifest|html)$/;

/** @type {any} */
const worker = self;

const WORDS = {
  en: { rings: "{name} rings", text: "Answer, or decline on all your devices.", answer: "Answer", decline: "Decline" },
  nl: { rings: "{name} belt", text: "Neem op, of weiger op al je apparaten.", answer: "Opnemen", decline: "Weigeren" },
};

/** @param {URL} url */
const isOwn = (url) =>
  url.origin === location.origin &&
  (url.pathname === "/" || FILE.test(url.pathname)) &&
  !/^\/(api|ipfs|ipns|trust)\//.test(url.pathname);

worker.addEventListener("install", (/** @type {any} */ event) => {
  event.waitUntil(store(["/"]).then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith("zwerm-app-") && name !== KEPT) await caches.delete(name);
      await worker.clients.claim();
    })(),
  );
});

/** @param {string[]} addresses */
async function store(addresses) {
  const cache = await caches.open(KEPT);
  await Promise.all(
    addresses
      .filter((address) => isOwn(new URL(address, location.origin)))
      .map((address) => cache.add(address).catch(() => 0)),
  );
}

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  if (request.method === "GET" && !request.headers.has("range") && isOwn(new URL(request.url)))
    event.respondWith(fresh(request));
});

/** The node's answer, or what is kept of it. @param {Request} request */
async function fresh(request) {
  const cache = await caches.open(KEPT);
  const asked = fetch(request).then(async (answer) => {
    if (answer.status === 200 && answer.type === "basic") await cache.put(request, answer.clone());
    return answer;
  });
  const kept = await cache.match(request, { ignoreVary: true });
  if (!kept) return asked;
  const late = new Promise((resolve) => setTimeout(() => resolve(kept), PATIENCE));
  return Promise.race([asked, late]).catch(() => kept);
}

worker.addEventListener("message", (/** @type {MessageEvent} */ event) => {
  const { files, language } = event.data ?? {};
  const work = [];
  if (Array.isArray(files)) work.push(store(files));
  if (language === "en" || language === "nl")
    work.push(caches.open(KEPT).then((cache) => cache.put(LANGUAGE, new Response(language))));
  /** @type {any} */ (event).waitUntil(Promise.all(work));
});

/** @returns {Promise<"en" | "nl">} */
async function spoken() {
  const kept = await (await caches.open(KEPT)).match(LANGUAGE);
  const language = kept ? await kept.text() : navigator.language;
  return /^nl\b/i.test(language) ? "nl" : "en";
}

worker.addEventListener("push", (/** @type {any} */ event) => event.waitUntil(told(event.data)));

/** @param {any} data */
async function told(data) {
  let message;
  try {
    message = data.json();
  } catch {
    return; // not of our service
  }
  if (message?.type !== "ringing" || typeof message.call !== "string") return;
  const words = WORDS[await spoken()];
  await worker.registration.showNotification(words.rings.replace("{name}", () => String(message.caller).slice(0, 64)), {
    tag: `zwerm ${message.call}`,
    body: words.text,
    icon: "/icons/icon-192.png",
    badge: "/icons/icon-192.png",
    requireInteraction: true,
    data: { call: message.call },
    actions: [
      { action: "answer", title: words.answer },
      { action: "decline", title: words.decline },
    ],
  });
}

worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  const call = event.notification.data?.call;
  if (call) event.waitUntil(event.action === "decline" ? decline(call) : answer(call));
});

/** The page answers: one that is open, or a new one. @param {string} call */
async function answer(call) {
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((/** @type {any} */ each) => each.focused) ?? pages[0];
  if (!page) return worker.clients.openWindow(`/#/calls/answer/${encodeURIComponent(call)}`);
  page.postMessage({ type: "answer", call });
  return page.focus().catch(() => undefined);
}

/** Say no in the name of this device, without a page. @param {string} call */
async function decline(call) {
  const device = await kept("devices", "account");
  if (!device) return answer(call);
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/api/calls/v1/socket`);
  return new Promise((resolve) => {
    const late = setTimeout(() => socket.close(), 10_000);
    socket.onclose = () => {
      clearTimeout(late);
      resolve(undefined);
    };
    socket.onmessage = async ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "welcome") {
        const signature = await sign(device.own, message.nonce, device.device);
        socket.send(JSON.stringify({ type: "hello", id: 1, device: device.device, signature }));
      } else if (message.type === "ping") socket.send('{"type":"pong"}');
      else if (message.re === 1 && message.type === "result")
        socket.send(JSON.stringify({ type: "decline", id: 2, call }));
      else if (message.re !== undefined || message.type === "closing") socket.close();
    };
  });
}

/** @param {any} own @param {string} nonce @param {string} device */
async function sign(own, nonce, device) {
  const text = ["zwerm-calls-1", "hello", location.host.toLowerCase(), nonce, device].join("\n");
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const bytes = new Uint8Array(
    await crypto.subtle.sign(algorithm, own.pair.privateKey, new TextEncoder().encode(text)),
  );
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** What the page keeps (calls/keep.js). @param {string} store @param {string} key @returns {Promise<any>} */
const kept = (store, key) =>
  new Promise((resolve) => {
    const asked = indexedDB.open("zwerm-calls", 1);
    asked.onupgradeneeded = () => asked.transaction?.abort(); // there is no account here, and none is made
    asked.onerror = () => resolve(undefined);
    asked.onsuccess = () => {
      const found = asked.result.transaction(store).objectStore(store).get(key);
      found.onsuccess = () => resolve(found.result);
      found.onerror = () => resolve(undefined);
    };
  });
