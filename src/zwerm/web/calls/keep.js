/**
 * What the calls remember in this browser (IndexedDB): the device's key, which no script can read out, and the keys that
 * others had before. Where the browser keeps nothing (a private window of some), it lasts as long as the page.
 */

const NAME = "zwerm-calls";
const STORES = ["devices", "known"];

/** @type {Map<string, any>} what stands in for the database where there is none */
const memory = new Map();

/** @returns {Promise<IDBDatabase | null>} */
const open = () =>
  new Promise((resolve) => {
    let asked;
    try {
      asked = indexedDB.open(NAME, 1);
    } catch {
      resolve(null); // refused to this page
      return;
    }
    const request = asked;
    request.onupgradeneeded = () => STORES.forEach((store) => request.result.createObjectStore(store));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
    request.onblocked = () => resolve(null);
  });

/** @type {Promise<IDBDatabase | null> | null} */
let database = null;

/**
 * @template T
 * @param {"readonly" | "readwrite"} mode
 * @param {string} store
 * @param {(store: IDBObjectStore) => IDBRequest<T>} work
 * @returns {Promise<T>}
 */
async function within(mode, store, work) {
  const found = await (database ??= open());
  if (!found) throw new DOMException("this browser keeps nothing", "NotSupportedError");
  return new Promise((resolve, reject) => {
    const transaction = found.transaction(store, mode);
    const request = work(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

/** @param {"devices" | "known"} store @param {string} key @returns {Promise<any>} undefined when there is none */
export async function recall(store, key) {
  if (memory.has(`${store} ${key}`)) return memory.get(`${store} ${key}`);
  return within("readonly", store, (found) => found.get(key)).catch(() => undefined);
}

/** @param {"devices" | "known"} store @param {string} key @param {unknown} value */
export async function keep(store, key, value) {
  try {
    await within("readwrite", store, (found) => found.put(value, key));
    memory.delete(`${store} ${key}`);
  } catch {
    memory.set(`${store} ${key}`, value);
  }
}

/** @param {"devices" | "known"} store @param {string} key */
export async function forget(store, key) {
  memory.delete(`${store} ${key}`);
  await within("readwrite", store, (found) => found.delete(key)).catch(() => undefined);
}
