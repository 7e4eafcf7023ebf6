/**
 * Where files lie that come in: on the disk, in the part of it that the browser keeps for this page (OPFS), or in pieces
 * of memory where a browser has none. What a page left behind that is gone is deleted by the next one.
 */

const FOLDER = "zwerm-arrivals";
const PAGE = `${FOLDER} ${crypto.randomUUID?.() ?? Math.random().toString(36).slice(2)}`;

/**
 * @typedef {object} Keeping one file that comes in
 * @property {(data: Uint8Array) => Promise<void>} write fails when the disk is full
 * @property {() => Promise<Blob>} finish the file, whole; not in memory where it is on the disk
 * @property {() => Promise<void>} drop
 * @property {boolean} isOnDisk
 */

/** @type {Promise<FileSystemDirectoryHandle | null> | null} */
let opened = null;

async function open() {
  try {
    const root = await navigator.storage.getDirectory();
    const all = await root.getDirectoryHandle(FOLDER, { create: true });
    await new Promise((held) => {
      void navigator.locks.request(PAGE, () => {
        held(undefined);
        return new Promise(() => undefined); // as long as the page is there
      });
    });
    const alive = new Set((await navigator.locks.query()).held?.map(({ name }) => name));
    for await (const name of /** @type {any} */ (all).keys())
      if (!alive.has(name)) await all.removeEntry(name, { recursive: true }).catch(() => undefined); // in use after all
    return await all.getDirectoryHandle(PAGE, { create: true });
  } catch {
    return null; // a browser without it, or a private window
  }
}

let last = 0;

/** @returns {Promise<Keeping>} */
export async function keep() {
  const folder = await (opened ??= open());
  last += 1;
  const name = String(last);
  try {
    if (!folder) throw new TypeError("no folder");
    const handle = await folder.getFileHandle(name, { create: true });
    const stream = await handle.createWritable();
    return {
      isOnDisk: true,
      write: (data) => stream.write(/** @type {any} */ (data)),
      finish: async () => {
        await stream.close();
        return handle.getFile();
      },
      drop: async () => {
        await stream.abort().catch(() => undefined); // closed already
        await folder.removeEntry(name).catch(() => undefined);
      },
    };
  } catch {
    return inMemory();
  }
}

/** @returns {Keeping} */
function inMemory() {
  /** @type {Blob[]} */
  let pieces = [];
  return {
    isOnDisk: false,
    write: async (data) => {
      pieces.push(new Blob([/** @type {any} */ (data)]));
    },
    finish: async () => new Blob(pieces),
    drop: async () => {
      pieces = [];
    },
  };
}
