/**
 * This tab as a peer: Helia over WebRTC, straight to nodes whose addresses it is told. What comes is hashed before it is
 * kept, what is kept is given to whoever asks, as long as the page is open. No server of anybody's is asked for the way.
 */
import {
  CID,
  createHeliaLight,
  identify,
  MemoryBlockstore,
  MemoryDatastore,
  multiaddr,
  noise,
  ping,
  unixfs,
  webRTCDirect,
  withBitswap,
  withLibp2pLight,
} from "../vendor/helia.js";

/** @typedef {{peer: string, address: string, open: boolean, received: number, sent: number}} Party */
/** @typedef {{kind: "file" | "directory", cid: string, size: number}} Found */
/** @typedef {{name: string, cid: string, size: number, kind: "file" | "directory"}} Child */

/** Whether a text is a CID, in any of its forms. @param {string} text */
export function isAddress(text) {
  try {
    return Boolean(CID.parse(text));
  } catch {
    return false;
  }
}

const MEETING = 5_000; // milliseconds for two that are connected to tell each other what they speak

/** @param {any} helia */
const bitswapOf = (helia) =>
  helia.blockBrokers.find((/** @type {any} */ one) => one.name === "bitswap")?.bitswap ?? null;

/** Bytes of the blocks that went to each peer, as bitswap's ledgers have them. @param {any} helia @param {any} peer */
const sentTo = (helia, peer) => bitswapOf(helia)?.peerWantLists.ledgerForPeer(peer)?.sent ?? 0;

/**
 * Wait until bitswap counts with a peer: what is wanted while the two are still getting to know each other can be lost.
 * @param {any} helia @param {any} peer
 */
async function met(helia, peer) {
  const end = performance.now() + MEETING;
  while (!bitswapOf(helia)?.wantList.peers.has(peer) && performance.now() < end)
    await new Promise((resume) => setTimeout(resume, 20));
}

/** Start it; nobody is connected yet. */
export async function startPeer() {
  const helia = withBitswap(
    withLibp2pLight(createHeliaLight({ blockstore: new MemoryBlockstore(), datastore: new MemoryDatastore() }), {
      addresses: { listen: [] },
      transports: [webRTCDirect({ rtcConfiguration: { iceServers: [] } })],
      connectionEncrypters: [noise()],
      streamMuxers: [],
      connectionGater: { denyDialMultiaddr: () => false }, // the node beside this page is at a private address
      connectionMonitor: { enabled: false },
      services: { identify: identify(), ping: ping() },
    }),
  );
  await helia.start();
  return new Peer(helia);
}

/** One node in one tab. */
export class Peer {
  /** @type {Map<string, Party>} */
  #parties = new Map();
  #kept = 0;
  /** @type {any} */
  #helia;
  /** @type {any} */
  #content;

  /** @param {any} helia */
  constructor(helia) {
    this.#helia = helia;
    this.#content = unixfs({ ...helia, blockstore: this.#counting(helia.blockstore) });
  }

  get id() {
    return String(this.#helia.libp2p.peerId);
  }

  /** Bytes of blocks that are here, to be given on. */
  get kept() {
    return this.#kept;
  }

  /** Whom this tab spoke to, and how much went either way. @returns {Party[]} */
  get parties() {
    const open = new Map();
    for (const connection of this.#helia.libp2p.getConnections()) open.set(String(connection.remotePeer), connection);
    for (const [peer, connection] of open) {
      const party = this.#party(peer);
      party.address = String(connection.remoteAddr);
      party.sent = Math.max(party.sent, sentTo(this.#helia, connection.remotePeer));
    }
    return [...this.#parties.values()].map((party) => ({ ...party, open: open.has(party.peer) }));
  }

  /** Connect to the first of these addresses that answers. @param {string[]} addresses @param {AbortSignal} [signal] */
  async connect(addresses, signal) {
    const dials = addresses.map((address) => this.#helia.libp2p.dial(multiaddr(address), { signal }));
    await met(this.#helia, (await Promise.any(dials)).remotePeer);
  }

  /** @param {string} cid @param {string} [path] below it @param {AbortSignal} [signal] @returns {Promise<Found>} */
  async find(cid, path, signal) {
    const found = await this.#content.stat(CID.parse(cid), { path: path || undefined, signal });
    const kind = found.type === "directory" ? "directory" : "file";
    return { kind, cid: String(found.cid), size: Number(found.size ?? 0) };
  }

  /** The entries of a folder, `limit` at most. @param {string} cid @param {number} limit @param {AbortSignal} [signal] */
  async list(cid, limit, signal) {
    /** @type {Child[]} */
    const children = [];
    for await (const child of this.#content.ls(CID.parse(cid), { signal, extended: false })) {
      children.push({ name: child.name, cid: String(child.cid), size: Number(child.size ?? 0), kind: child.type });
      if (children.length === limit) break;
    }
    return children;
  }

  /** The bytes of a file, in order. @param {string} cid @param {AbortSignal} [signal] @returns {AsyncIterable<Uint8Array>} */
  read(cid, signal) {
    return this.#content.cat(CID.parse(cid), { signal });
  }

  /** Keep bytes of this tab's own, to be fetched from it. @param {AsyncIterable<Uint8Array>} bytes */
  async add(bytes) {
    return String(await this.#content.addByteStream(bytes));
  }

  async stop() {
    await this.#helia.stop();
  }

  /** @param {string} peer @returns {Party} */
  #party(peer) {
    const known = this.#parties.get(peer);
    if (known) return known;
    const party = { peer, address: "", open: false, received: 0, sent: 0 };
    this.#parties.set(peer, party);
    return party;
  }

  /** The same store, with a look at where each block came from. @param {any} store */
  #counting(store) {
    const peer = this;
    return new Proxy(store, {
      get(target, name) {
        if (name !== "get") return typeof target[name] === "function" ? target[name].bind(target) : target[name];
        return async function* (/** @type {any} */ cid, /** @type {any} */ options = {}) {
          let sender = "";
          const onProgress = (/** @type {any} */ event) => {
            if (event.type === "bitswap:block") sender = String(event.detail.sender);
            options.onProgress?.(event);
          };
          for await (const block of target.get(cid, { ...options, onProgress })) {
            if (sender) {
              peer.#party(sender).received += block.byteLength;
              peer.#kept += block.byteLength;
            }
            yield block;
          }
        };
      },
    });
  }
}
