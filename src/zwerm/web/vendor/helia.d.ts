// What the page uses of helia.js, which has no types: fetch/peer.js says what goes in and what comes out.
export const CID: any;
export const MemoryBlockstore: any;
export const MemoryDatastore: any;
export const createHeliaLight: any;
export const identify: any;
export const multiaddr: any;
export const noise: any;
export const ping: any;
export const unixfs: any;
export const webRTCDirect: any;
export const withBitswap: any;
export const withLibp2pLight: any;
