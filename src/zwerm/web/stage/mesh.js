/**
 * The others of a call or room, each on a connection of its own (docs/web.md, "Stage"). The one with the lower endpoint
 * begins and does not give way. Signals of somebody who was not announced yet wait for the announcement.
 */
import { signal } from "../vendor/preact.js";
import { verifyMedia } from "../calls/device-key.js";
import { nameConnection } from "../internals/recorder.js";
import { Peer } from "./peer.js";

/** @import {Signaling} from "../calls/signaling.js" */
/** @import {Place} from "./peer.js" */
/** @typedef {{endpoint: string, key: string, name?: string | null, label: string}} Member */

/** Others beside us; a connection to each of more would be too much for a page. */
export const MAX_PEERS = 5;
const MAX_EARLY = 64; // signals that wait for an announcement

export class Mesh {
  /** @type {import("../vendor/preact.js").Signal<Peer[]>} */
  peers = signal([]);
  /** Members for whom there is no place. @type {import("../vendor/preact.js").Signal<Member[]>} */
  beyond = signal([]);
  #signaling;
  #scope;
  #track;
  /** @type {RTCIceServer[] | null} null before `begin` */
  #iceServers = null;
  #policy;
  /** @type {{from: string, data: string}[]} */
  #early = [];
  /** Members that came before the relays were known. @type {Member[]} */
  #announced = [];
  #stops;

  /**
   * @param {{signaling: Signaling, kind: "call" | "room", scope: string, policy?: RTCIceTransportPolicy,
   * track: (place: Place) => MediaStreamTrack | null}} options
   */
  constructor({ signaling, kind, scope, policy, track }) {
    this.#signaling = signaling;
    this.#scope = { [kind]: scope };
    this.#policy = policy;
    this.#track = track;
    const hurry = () => this.peers.value.forEach((peer) => peer.hurry());
    addEventListener("online", hurry);
    this.#stops = [
      signaling.on("signal", (event) => {
        if (event[kind] === scope) this.#receive(event.from, event.data);
      }),
      signaling.state.subscribe((state) => {
        if (state === "online") hurry();
      }),
      () => removeEventListener("online", hurry),
    ];
  }

  /** Connect, with these relays; later ones are for ways that are looked for from then on. @param {RTCIceServer[]} iceServers */
  begin(iceServers) {
    this.#iceServers = iceServers;
    for (const peer of this.peers.value) peer.connection.setConfiguration({ iceServers, ...this.#how() });
    const members = this.#announced;
    this.#announced = [];
    for (const member of members) this.add(member);
  }

  /** @param {Member} member somebody who is here now; somebody known only changes the label */
  add(member) {
    const known = this.peers.value.find(({ endpoint }) => endpoint === member.endpoint);
    if (known) {
      known.label.value = member.label;
      nameConnection(known.connection, member.label);
      return;
    }
    if (!this.#iceServers) {
      this.#announced = [...this.#announced.filter(({ endpoint }) => endpoint !== member.endpoint), member];
      return;
    }
    if (this.peers.value.length >= MAX_PEERS) {
      this.beyond.value = [...this.beyond.value.filter(({ endpoint }) => endpoint !== member.endpoint), member];
      return;
    }
    const scope = Object.values(this.#scope)[0];
    const own = this.#signaling.self.value?.endpoint ?? "";
    const peer = new Peer({
      endpoint: member.endpoint,
      key: member.key,
      label: member.label,
      leads: own < member.endpoint,
      iceServers: this.#iceServers,
      how: this.#how(),
      track: this.#track,
      send: (data) => this.#signaling.ask("signal", { to: member.endpoint, data, ...this.#scope }),
      sign: (prints) => this.#signaling.signMedia(scope, member.endpoint, prints),
      verify: (signature, prints) => verifyMedia(member.key, signature, scope, member.endpoint, own, prints),
    });
    nameConnection(peer.connection, member.label);
    this.peers.value = [...this.peers.value, peer];
    const early = this.#early.filter(({ from }) => from === member.endpoint);
    this.#early = this.#early.filter(({ from }) => from !== member.endpoint);
    for (const { data } of early) peer.receive(data);
  }

  /** @param {string} endpoint */
  remove(endpoint) {
    this.beyond.value = this.beyond.value.filter((member) => member.endpoint !== endpoint);
    this.#announced = this.#announced.filter((member) => member.endpoint !== endpoint);
    this.#early = this.#early.filter(({ from }) => from !== endpoint);
    const peer = this.peers.value.find((known) => known.endpoint === endpoint);
    if (!peer) return;
    this.peers.value = this.peers.value.filter((known) => known !== peer);
    peer.close();
    const [next] = this.beyond.value;
    if (!next) return;
    this.beyond.value = this.beyond.value.slice(1);
    this.add(next);
  }

  /** @param {Place} place of which the track is another one now */
  async refresh(place) {
    await Promise.all(this.peers.value.map((peer) => peer.refresh(place)));
  }

  close() {
    for (const stop of this.#stops) stop();
    for (const peer of this.peers.value) peer.close();
    this.peers.value = [];
    this.beyond.value = [];
  }

  /** @returns {RTCConfiguration} */
  #how() {
    return { iceTransportPolicy: this.#policy ?? "all", bundlePolicy: "max-bundle" };
  }

  /** @param {string} from @param {string} data */
  #receive(from, data) {
    const peer = this.peers.value.find(({ endpoint }) => endpoint === from);
    if (peer) peer.receive(data);
    else if (!this.beyond.value.some(({ endpoint }) => endpoint === from))
      this.#early = [...this.#early.slice(1 - MAX_EARLY), { from, data }];
  }
}
