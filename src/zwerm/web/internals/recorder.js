/**
 * Keeps what every RTCPeerConnection of this page does, for the page Internals. It stands in front of the browser's
 * constructor, so what the app and its libraries open is kept without their help.
 */
import { signal } from "../vendor/preact.js";
import { Recording } from "./recording.js";

const EVERY = 1000; // ms between two samples
const MOST_ENDED = 8; // connections that are over and still shown

/**
 * The connections of this page, the oldest first. A new list when one comes or goes.
 * @type {import("../vendor/preact.js").Signal<Recording[]>}
 */
export const recordings = signal([]);

/** @type {WeakMap<RTCPeerConnection, Recording>} */
const known = new WeakMap();
let count = 0;

const STATES = /** @type {const} */ ([
  ["signalingstatechange", "signalingState"],
  ["icegatheringstatechange", "iceGatheringState"],
  ["iceconnectionstatechange", "iceConnectionState"],
  ["connectionstatechange", "connectionState"],
]);

/** Say whom a connection leads to. @param {RTCPeerConnection} connection @param {string} label */
export function nameConnection(connection, label) {
  const recording = known.get(connection);
  if (recording) recording.label = label;
  recordings.value = [...recordings.value];
}

/** Of servers the addresses alone: no names of users, no passwords. @param {RTCConfiguration | undefined} configuration */
const shown = (configuration) => ({
  ...configuration,
  certificates: undefined,
  iceServers: (configuration?.iceServers ?? []).map((server) => ({ urls: server.urls })),
});

/** @param {Recording} recording */
function add(recording) {
  const ended = recordings.value.filter((each) => each.ended);
  const tooOld = new Set(ended.slice(0, Math.max(0, ended.length - MOST_ENDED)));
  recordings.value = [...recordings.value.filter((each) => !tooOld.has(each)), recording];
}

/** @param {RTCPeerConnection} connection @param {Recording} recording */
function follow(connection, recording) {
  for (const [event, state] of STATES)
    connection.addEventListener(event, () => recording.state(state, connection[state]));
  connection.addEventListener("icecandidate", ({ candidate }) =>
    recording.note(
      "icecandidate",
      candidate ? candidate.candidate || "(end of these candidates)" : "(end of candidates)",
    ),
  );
  connection.addEventListener("icecandidateerror", (event) => {
    const { url, errorCode, errorText } = /** @type {RTCPeerConnectionIceErrorEvent} */ (event);
    recording.note("icecandidateerror", `${url} ${errorCode} ${errorText}`);
  });
  connection.addEventListener("negotiationneeded", () => recording.note("negotiationneeded"));
  connection.addEventListener("track", ({ track }) => recording.note("track", `${track.kind} ${track.id}`));
  connection.addEventListener("datachannel", ({ channel }) => recording.note("datachannel", channel.label));
  const timer = setInterval(() => void look(), EVERY);
  const look = async () => {
    if (connection.connectionState === "closed") end();
    else
      try {
        /** @type {any[]} */
        const records = [];
        (await connection.getStats()).forEach((record) => records.push(record));
        if (!recording.ended) recording.sample(records);
      } catch (error) {
        recording.note("getStats", String(error)); // closed meanwhile: the next turn sees it
      }
  };
  const end = () => {
    if (recording.ended) return;
    clearInterval(timer);
    recording.ended = true;
    recording.state("connectionState", "closed");
    recordings.value = [...recordings.value];
  };
  return end;
}

/** @param {unknown} value */
const words = (value) => {
  if (value === undefined || value === null) return "";
  const { type, sdp, candidate } = /** @type {any} */ (value);
  if (sdp !== undefined) return `type: ${type}, sdp: ${sdp}`;
  if (candidate !== undefined) return String(candidate);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
};

/**
 * The browser's connection, kept.
 * @param {typeof RTCPeerConnection} Native
 */
function kept(Native) {
  return class extends Native {
    #recording;
    #end;

    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      count += 1;
      this.#recording = new Recording(`here-${count}`, "browser", "", shown(configuration));
      known.set(this, this.#recording);
      this.#end = follow(this, this.#recording);
      add(this.#recording);
    }

    /** @param {"local" | "remote"} side @param {RTCSessionDescription | null} description */
    #described(side, description) {
      if (description) this.#recording.describe(side, description.type, description.sdp);
    }

    /**
     * @template T
     * @param {string} name @param {unknown} argument @param {() => Promise<T>} call
     */
    async #logged(name, argument, call) {
      this.#recording.note(name, words(argument));
      try {
        return await call();
      } catch (error) {
        this.#recording.note(`${name}OnFailure`, String(error));
        throw error;
      }
    }

    /** @param {any} [description] */
    async setLocalDescription(description) {
      await this.#logged("setLocalDescription", description, () => super.setLocalDescription(description));
      this.#described("local", this.localDescription);
    }

    /** @param {any} description */
    async setRemoteDescription(description) {
      await this.#logged("setRemoteDescription", description, () => super.setRemoteDescription(description));
      this.#described("remote", this.remoteDescription);
    }

    /** @param {any} [candidate] */
    async addIceCandidate(candidate) {
      await this.#logged("addIceCandidate", candidate, () => super.addIceCandidate(candidate));
    }

    /** @param {string} label @param {RTCDataChannelInit} [options] */
    createDataChannel(label, options) {
      this.#recording.note("createDataChannel", label);
      return super.createDataChannel(label, options);
    }

    restartIce() {
      this.#recording.note("restartIce");
      super.restartIce();
    }

    close() {
      this.#recording.note("close");
      super.close();
      this.#end();
    }
  };
}

if (globalThis.RTCPeerConnection) globalThis.RTCPeerConnection = kept(globalThis.RTCPeerConnection);
