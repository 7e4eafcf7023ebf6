/** Whether this page can make calls at all. It costs nothing to load: pages ask before they load what calls need. */

/** @typedef {"insecure" | "unsupported"} Obstacle */

/** What stands in the way of any call here. @returns {Obstacle | null} */
export function obstacle() {
  if (!globalThis.isSecureContext || globalThis.crypto?.subtle === undefined) return "insecure";
  return globalThis.RTCPeerConnection === undefined || navigator.mediaDevices === undefined ? "unsupported" : null;
}
