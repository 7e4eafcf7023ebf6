/**
 * One attempt at a connection: a code of ours, the other side's, and three channels agreed beforehand: chat, files and
 * play. A link that is gone stays gone; the next one has a code of its own.
 */
import { answerFrom, codeOf, hex, midOf, read, write } from "./code.js";

/** @typedef {import("./code.js").Code} Code */
/** @typedef {"new" | "connecting" | "connected" | "interrupted" | "lost"} LinkState */

const MAX_EARLY = 256; // messages
const GATHERING = 4_000; // milliseconds; a server that does not answer by then is done without

/** @type {Record<string, LinkState>} */
const STATES = { disconnected: "interrupted", failed: "lost", closed: "lost" };

export class Link {
  /** @param {string[]} stun @param {(state: LinkState) => void} onState */
  constructor(stun, onState) {
    this._connection = new RTCPeerConnection({ iceServers: stun.map((urls) => ({ urls })) });
    this._onState = onState;
    /** @type {LinkState} */
    this.state = "new";
    /** @type {Code | null} */
    this._code = null;
    this._mid = "0";
    /** Whether we are the side that keeps what both share: the one with the lower fingerprint. */
    this.leads = false;
    this.chat = this._open("zwerm chat", 0, {});
    this.files = this._open("zwerm files", 1, {});
    /** What came for the files before we knew that we are connected: the other side may know it sooner. @type {MessageEvent[]} */
    this.early = [];
    this.files.onmessage = (message) => {
      if (this.early.length < MAX_EARLY) this.early.push(message);
    };
    this.play = this._open("zwerm play", 2, { ordered: false, maxRetransmits: 0 });
    this._connection.onconnectionstatechange = () => this._look();
  }

  /** Find out where we can be reached. @returns {Promise<string>} our code */
  async makeCode() {
    const connection = this._connection;
    const gathered = new Promise((resolve) => {
      setTimeout(resolve, GATHERING);
      connection.onicegatheringstatechange = () => connection.iceGatheringState === "complete" && resolve(undefined);
    });
    await connection.setLocalDescription();
    await gathered;
    const sdp = connection.localDescription?.sdp ?? "";
    this._mid = midOf(sdp);
    this._code = codeOf(sdp);
    return write(this._code);
  }

  /** Take the other side's code. One that cannot be used throws a CodeError and changes nothing. @param {string} text */
  async connect(text) {
    if (!this._code || this.state !== "new") return;
    const theirs = read(text);
    const sdp = answerFrom(theirs, this._code, this._mid);
    this.leads = hex(this._code.fingerprint) < hex(theirs.fingerprint);
    this._become("connecting");
    await this._connection.setRemoteDescription({ type: "answer", sdp });
  }

  close() {
    this.state = "lost";
    this._connection.close();
  }

  /** @param {string} label @param {number} id @param {RTCDataChannelInit} how */
  _open(label, id, how) {
    const channel = this._connection.createDataChannel(label, { ...how, negotiated: true, id });
    channel.binaryType = "arraybuffer";
    channel.onopen = () => this._look();
    channel.onclose = () => this._become("lost");
    return channel;
  }

  /** Before the first contact "failed" says only that the other person did not paste our code yet. */
  _look() {
    const told = this._connection.connectionState;
    const open = this.chat.readyState === "open" && this.files.readyState === "open";
    if (this.state === "new") return;
    if (told === "connected" && open) this._become("connected");
    else if (this.state !== "connecting" && STATES[told]) this._become(STATES[told]);
  }

  /** @param {LinkState} state */
  _become(state) {
    if (state === this.state || this.state === "lost") return;
    this.state = state;
    this._onState(state);
  }
}
