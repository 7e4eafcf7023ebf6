/** A room as this page is in it: at the door or inside, who else is there, what a host may do. */
import { batch, signal } from "../vendor/preact.js";
import { Meeting } from "../stage/meeting.js";

/** @import {Signaling} from "../calls/signaling.js" */
/** @import {Devices} from "../stage/devices.js" */
/** @import {Line} from "../stage/meeting.js" */
/** @template T @typedef {import("../vendor/preact.js").Signal<T>} Signal */
/** @typedef {{member: string, name: string | null, label: string, key: string, host: boolean, state: string}} Member */
/** @typedef {"joining" | "waiting" | "inside" | "over"} RoomState */
/** @typedef {"removed" | "refused" | "ended" | "left" | "failed"} Ending */

const MAX_LINES = 1_000;

export class Room {
  /** @type {Signal<RoomState>} */
  state = signal("joining");
  /** Why it is over. @type {Signal<Ending | null>} */
  ending = signal(null);
  /** What the service refused. @type {Signal<unknown>} */
  failure = signal(null);
  title = signal("");
  isHost = signal(false);
  isLocked = signal(false);
  keepChat = signal(0);
  /** Everybody, also those at the door. @type {Signal<Member[]>} */
  members = signal([]);
  /** What a host asked this page to do. @type {Signal<"mute" | "camera-off" | "hand-down" | null>} */
  asked = signal(null);
  /** @type {Signal<Meeting | null>} */
  meeting = signal(null);
  /** @type {Signal<Line[]>} */
  lines = signal([]);
  #id = "";
  #joins = 0;
  #stops;

  /**
   * @param {{signaling: Signaling, link: string, label: string, devices: Devices,
   * media: {audio: boolean, video: boolean}, policy?: RTCIceTransportPolicy}} options
   */
  constructor(options) {
    this.options = options;
    const { signaling } = options;
    this.#stops = [
      signaling.on("room-member", (event) => event.room === this.#id && this.#see(event.who)),
      signaling.on("room-said", (event) => event.room === this.#id && this.#hear([event])),
      signaling.on("room-let-in", (event) => event.room === this.#id && this.#enter(event)),
      signaling.on("room-locked", (event) => {
        if (event.room === this.#id) this.isLocked.value = event.locked;
      }),
      signaling.on("room-asked", (event) => event.room === this.#id && this.#obey(event.what)),
      signaling.on("room-closed", (event) => event.room === this.#id && this.#end(event.reason)),
      signaling.turn.subscribe((turn) => {
        if (turn > 0) void this.#join(); // also anew, when the service forgot us
      }),
      signaling.ending.subscribe((ending) => {
        if (ending) this.#end("failed", ending);
      }),
    ];
  }

  get id() {
    return this.#id;
  }

  get own() {
    return this.options.signaling.self.value?.endpoint ?? "";
  }

  /** Something only a host may do, or that the service does for all. @param {string} type @param {object} [fields] */
  ask(type, fields = {}) {
    return this.options.signaling.ask(type, { room: this.#id, ...fields });
  }

  /** @param {string} text @returns {Promise<boolean>} */
  say = (text) =>
    this.ask("room-say", { text }).then(
      () => true,
      () => false,
    );

  /** Go. */
  leave() {
    void this.ask("room-leave").catch(() => undefined);
    this.#end("left");
  }

  /** Send everybody home; the link opens nothing any more. */
  async finish() {
    await this.ask("room-end");
    this.#end("ended");
  }

  /** Let everything go, devices too. */
  close() {
    this.#end("left");
    this.options.devices.close();
  }

  async #join() {
    const join = (this.#joins += 1);
    const { signaling, link, label } = this.options;
    try {
      const answer = await signaling.ask("room-join", { link, label });
      if (join !== this.#joins || this.state.value === "over") return;
      this.#id = answer.room;
      batch(() => {
        this.title.value = answer.title;
        this.isHost.value = answer.host;
        this.isLocked.value = answer.locked;
        this.keepChat.value = answer.keep_chat;
        if (answer.state === "waiting") this.state.value = "waiting";
        else this.#enter(answer);
      });
    } catch (error) {
      if (join === this.#joins) this.#end("failed", error);
    }
  }

  /** @param {{members: Member[], chat: any[]}} inside */
  #enter({ members, chat }) {
    const { signaling, devices, media, policy } = this.options;
    this.meeting.value?.close(false);
    const meeting = new Meeting({
      signaling,
      kind: "room",
      scope: this.#id,
      devices,
      media,
      policy,
      chat: { lines: this.lines, say: this.say },
      isHost: (endpoint) =>
        endpoint ? this.members.value.some(({ member, host }) => host && member === endpoint) : this.isHost.value,
    });
    batch(() => {
      this.members.value = [];
      this.lines.value = [];
      this.meeting.value = meeting;
      this.state.value = "inside";
      for (const member of members) this.#see(member);
      this.#hear(chat);
    });
    void meeting.open();
  }

  /** @param {Member} who */
  #see(who) {
    const others = this.members.value.filter(({ member }) => member !== who.member);
    this.members.value = who.state === "left" ? others : [...others, who];
    if (who.member === this.own) return;
    if (who.state === "left" || who.state === "waiting") this.meeting.value?.remove(who.member);
    else this.meeting.value?.add({ endpoint: who.member, key: who.key, name: who.name, label: who.label });
  }

  /** @param {{n: number, member: string, label: string, text: string, at: number}[]} said */
  #hear(said) {
    const known = new Set(this.lines.value.map(({ id }) => id));
    const fresh = said
      .filter(({ n }) => !known.has(String(n)))
      .map(({ n, member, label, text, at }) => ({
        id: String(n),
        own: member === this.own,
        label,
        text,
        at: 1000 * at,
      }));
    this.lines.value = [...this.lines.value, ...fresh].slice(-MAX_LINES);
  }

  /** A host asks, and the page does it; the person may undo it. @param {"mute" | "camera-off" | "hand-down"} what */
  #obey(what) {
    const meeting = this.meeting.value;
    if (what === "mute") void meeting?.mute(true);
    else if (what === "camera-off") void meeting?.showCamera(false);
    else meeting?.raise(false);
    this.asked.value = what;
  }

  /** @param {Ending} reason @param {unknown} [failure] */
  #end(reason, failure = null) {
    if (this.state.value === "over") return;
    for (const stop of this.#stops.splice(0)) stop();
    batch(() => {
      this.failure.value = failure;
      this.ending.value = reason;
      this.state.value = "over";
    });
    this.meeting.value?.close(false);
    this.meeting.value = null;
  }
}
