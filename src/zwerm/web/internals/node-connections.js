/** The node's own WebRTC connections as recordings, looked at once a second. */
import { shortHash } from "../format.js";
import { Recording } from "./recording.js";

/** @import {Stat} from "./recording.js" */
/** @import {Capture} from "./capture-card.js" */

/**
 * @typedef {{id: string, peer: string | null, agent: string, direction: "inbound" | "outbound", address: string, at: number,
 * records: Stat[]}} NodeConnection
 * @typedef {{online: boolean, total: number, connections: NodeConnection[], capture: Capture | null}} Internals
 */

export class NodeConnections {
  constructor() {
    /** @type {Map<string, Recording>} */
    this.recordings = new Map();
  }

  /** @param {Internals} internals */
  take({ connections }) {
    const present = new Set(connections.map(({ id }) => id));
    for (const [id, recording] of this.recordings)
      if (!present.has(id) && !recording.ended) {
        recording.ended = true;
        recording.state("connectionState", "closed");
      }
    for (const { id, peer, agent, direction, address, at, records } of connections) {
      let recording = this.recordings.get(id);
      if (!recording) {
        recording = new Recording(id, "node", "", { address, direction, peer });
        this.recordings.set(id, recording);
      }
      recording.label = agent || (peer ? shortHash(peer) : "");
      recording.sample(records, at);
      const [transport] = recording.of("transport");
      for (const [name, value] of [
        ["iceConnectionState", transport?.iceState],
        ["connectionState", transport?.dtlsState],
      ])
        if (value && recording.states[name] !== value) recording.state(name, value, at);
    }
  }
}
