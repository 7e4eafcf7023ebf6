/**
 * The telephone of this page: who rings here, and the one call that this page is in.
 *
 * A call is `calling` until the other side is known, `talking` until it is over, and then says why for as long as it is
 * shown. What is asked of the service and what it tells may cross: a call is known by its name as soon as it has one, and
 * what was told of a name before is kept for it.
 */
import { computed, effect, signal } from "../vendor/preact.js";
import { Failure } from "../api.js";
import { t } from "../language.js";
import { notify } from "../parts/notices.js";
import { current as room, quit } from "../rooms/current.js";
import { go, href } from "../route.js";
import { pastChanged } from "./account.js";
import { judge, remember } from "./known-keys.js";
import { isName } from "./names.js";
import { obstacle } from "./obstacle.js";
import { session } from "./session.js";
import { sound } from "./tones.js";

/** @import {Meeting} from "../stage/meeting.js" */
/** @import {Devices} from "../stage/devices.js" */
/** @import {Party, Verdict} from "./known-keys.js" */
/** @import {Signaling} from "./signaling.js" */
/** @template T @typedef {import("../vendor/preact.js").Signal<T>} Signal */
/** @typedef {{call: string, from: Party, media: string[], verdict: Verdict, until: number}} Incoming */
/** @typedef {"calling" | "talking" | "over"} State */

const EARLY = 32; // events kept of calls that have no name yet
const FAREWELL = 4000; // milliseconds for which a call that ended as it should is still shown

/** Who rings here now, the first first. @type {Signal<Incoming[]>} */
export const incoming = signal([]);
/** @type {Signal<Talk | null>} */
export const current = signal(null);
/** What happened to a call that rang here and is answered, or over: shown for a moment. */
export const aside = signal(/** @type {{name: string, reason: string} | null} */ (null));

export const isBusy = computed(() => current.value !== null && current.value.state.value !== "over");
/** The room that this page is in, or before whose door it waits. */
export const visited = computed(() => {
  const there = room.value;
  return there && there.state.value !== "over" ? there : null;
});
export const isEngaged = computed(() => isBusy.value || visited.value !== null);

const others = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("zwerm.calls.phone");

/** One call of this page. */
export class Talk {
  /** @type {Signal<State>} */
  state = signal("calling");
  /** How far the ringing is: `ringing`, `waiting`, `pushed`, `mailed`... "" before the first answer. */
  progress = signal("");
  /** Why it is over: a reason of the service, or the code of what was refused. */
  reason = signal("");
  /** @type {Signal<Meeting | null>} */
  meeting = signal(null);
  /** @type {Signal<Party | null>} */
  party = signal(null);
  /** @type {Signal<Verdict | null>} */
  verdict = signal(null);
  /** Milliseconds; 0 while nobody talks. */
  since = signal(0);
  id = "";

  /**
   * @param {{name: string, isOut: boolean, isPicture: boolean, mine: Signaling, devices: Devices,
   * Stage: typeof Meeting}} about
   */
  constructor({ name, isOut, isPicture, mine, devices, Stage }) {
    this.Stage = Stage; // here, so that it need not be waited for when the other side begins to talk
    this.name = name;
    this.isOut = isOut;
    this.isPicture = isPicture;
    this.mine = mine;
    this.devices = devices;
  }
}

/** The stage is loaded when the first call begins, and there before the other side can say anything. */
const loadStage = async () => {
  const [{ Meeting }, { Devices }] = await Promise.all([
    import("../stage/meeting.js"),
    import("../stage/devices.js"),
    import("../stage/stage.js"),
  ]);
  return { Meeting, Devices };
};

/** @param {unknown} error @returns {string} */
const codeOf = (error) => (error instanceof Failure ? error.code : "page");

/** @param {{name: string, isOut: boolean, isPicture: boolean}} about */
async function begin(about) {
  const mine = session.peek();
  if (!mine) return null;
  const { Meeting, Devices } = await loadStage();
  if (current.peek() && current.peek()?.state.peek() !== "over") await hangUp();
  leaveRoom();
  const talk = new Talk({ ...about, mine, devices: new Devices(), Stage: Meeting });
  current.value = talk;
  void talk.devices.open({ audio: true, video: about.isPicture }); // one sees oneself while it rings
  go(href("calls"));
  return talk;
}

/** One talks in one place at a time; the way back is offered. */
function leaveRoom() {
  const there = visited.peek();
  if (!there) return;
  const { link } = there.options;
  const name = there.title.peek();
  quit();
  notify(t("calls.leftRoom", { name }), { label: t("calls.leftRoom.back"), run: () => go(href("rooms", link)) });
}

/** Whether this browser cannot make calls, which is said then. */
function isImpossible() {
  if (obstacle()) notify(t("devices.unsupported"));
  return obstacle() !== null;
}

/** Ring somebody. @param {string} name @param {boolean} isPicture whether our camera is on */
export async function ring(name, isPicture) {
  if (isImpossible()) return;
  const talk = await begin({ name, isOut: true, isPicture });
  if (!talk) return;
  if (!isName(name)) {
    end(talk, "no-such-name");
    return;
  }
  try {
    const value = await talk.mine.ask("ring", { to: name, media: isPicture ? ["audio", "video"] : ["audio"] });
    talk.id = value.call;
    if (talk.state.peek() === "over") {
      await talk.mine.ask("cancel", { call: talk.id }); // thought better of it meanwhile
      return;
    }
    if (value.state === "answered") connect(talk, value.by);
    else if (value.state !== "ended") talk.progress.value = value.state;
    for (const event of early.splice(0)) if (event.call === talk.id) receive(event);
  } catch (error) {
    end(talk, codeOf(error));
  }
}

/** Take a call that rings here. @param {Incoming} ringing @param {boolean} isPicture */
export async function answer(ringing, isPicture) {
  if (isImpossible()) return;
  drop(ringing.call);
  const talk = await begin({ name: ringing.from.name ?? ringing.from.label, isOut: false, isPicture });
  if (!talk) return;
  talk.id = ringing.call;
  talk.verdict.value = ringing.verdict;
  try {
    const value = await talk.mine.ask("answer", { call: ringing.call });
    if (talk.state.peek() === "over") await talk.mine.ask("hang-up", { call: ringing.call });
    else connect(talk, value.from);
  } catch (error) {
    end(talk, codeOf(error));
  }
}

/** Refuse it on all devices, or say that one talks: then it goes on ringing where nobody does. */
export async function decline(/** @type {Incoming} */ ringing, isBusyHere = false) {
  drop(ringing.call);
  if (isBusyHere) others?.postMessage({ busy: ringing.call });
  const fields = isBusyHere ? { call: ringing.call, reason: "busy" } : { call: ringing.call };
  await session
    .peek()
    ?.ask("decline", fields)
    .catch(() => undefined); // over already
  pastChanged();
}

/** Stop ringing, or end the call. */
export async function hangUp() {
  const talk = current.peek();
  if (!talk || talk.state.peek() === "over") return;
  const was = talk.state.peek();
  end(talk, was === "talking" ? "hung-up" : "cancelled");
  if (talk.id) await talk.mine.ask(was === "talking" ? "hang-up" : "cancel", { call: talk.id }).catch(() => undefined); // over already
  pastChanged();
}

/** Put away what is left of a call. */
export function putAway() {
  if (current.peek()?.state.peek() === "over") current.value = null;
}

/** @param {Talk} talk @param {Party} party */
function connect(talk, party) {
  if (talk.state.peek() !== "calling") return;
  drop(talk.id); // they rang, too, and this is their call
  const meeting = new talk.Stage({
    signaling: talk.mine,
    kind: "call",
    scope: talk.id,
    media: { audio: true, video: talk.isPicture },
    devices: talk.devices,
  });
  meeting.add({ endpoint: party.device, key: party.key, name: party.name, label: party.name ?? party.label });
  void meeting.open();
  talk.party.value = party;
  talk.meeting.value = meeting;
  talk.since.value = Date.now();
  talk.state.value = "talking";
  void judge(party).then((verdict) => {
    talk.verdict.value = verdict;
    let kept = false;
    effect(() => {
      if (kept || !meeting.peers.value.some((peer) => peer.verified.value === "verified")) return;
      kept = true;
      if (verdict !== "changed") void remember(party);
    });
  });
}

/** @param {Talk} talk @param {string} reason */
function end(talk, reason) {
  if (talk.state.peek() === "over") return;
  talk.reason.value = reason;
  talk.state.value = "over";
  if (talk.meeting.peek()) talk.meeting.peek()?.close();
  else talk.devices.close();
  if (talk === current.peek() && reason !== "cancelled") sound("end");
  const isPlain = reason === "hung-up" || reason === "cancelled";
  if (isPlain) setTimeout(() => talk === current.peek() && putAway(), reason === "cancelled" ? 0 : FAREWELL);
}

/** @param {string} call */
function drop(call) {
  incoming.value = incoming.peek().filter((each) => each.call !== call);
}

/** Events of calls that this page does not know yet, the newest last. @type {any[]} */
const early = [];

/** @param {any} event */
function receive(event) {
  const talk = current.peek();
  const rings = incoming.peek().find(({ call }) => call === event.call);
  if (rings && event.type === "ended") {
    drop(event.call);
    aside.value = { name: rings.from.name ?? rings.from.label, reason: event.reason };
    pastChanged();
  } else if (talk && talk.id === event.call) {
    if (event.type === "progress") talk.progress.value = event.state;
    else if (event.type === "answered") connect(talk, event.by);
    else if (event.type === "ended") {
      end(talk, event.reason);
      pastChanged();
    }
  } else if (talk && !talk.id) early.splice(0, early.length - EARLY, ...early.splice(0), event);
}

/** @param {any} event */
async function rings(event) {
  const talk = current.peek();
  if (talk?.id === event.call || incoming.peek().some(({ call }) => call === event.call)) return;
  const ringing = { ...event, verdict: "first", until: Date.now() + event.left * 1000 };
  incoming.value = [...incoming.peek(), ringing];
  const verdict = await judge(event.from);
  incoming.value = incoming.peek().map((each) => (each === ringing ? { ...each, verdict } : each));
}

/** @param {Signaling} mine */
function follow(mine) {
  let turn = 0;
  const stops = [
    mine.on("ringing", (event) => void rings(event)),
    ...["progress", "answered", "ended"].map((type) => mine.on(type, receive)),
    mine.turn.subscribe((now) => {
      const isAnew = turn > 0 && now > turn;
      turn = now;
      if (!isAnew) return;
      incoming.value = []; // what still rings is told to the new session
      const talk = current.peek();
      if (talk) end(talk, "lost");
    }),
  ];
  return () => {
    stops.forEach((stop) => stop());
    incoming.value = [];
    const talk = current.peek();
    if (talk) end(talk, "lost");
  };
}

others?.addEventListener("message", ({ data }) => {
  const found = incoming.peek().find(({ call }) => call === data.busy);
  if (!found) return;
  drop(found.call);
  void session
    .peek()
    ?.ask("decline", { call: found.call, reason: "busy" })
    .catch(() => undefined);
});

addEventListener("pagehide", () => void hangUp());

let unfollow = () => {};
let followed = /** @type {Signaling | null | undefined} */ (undefined);
effect(() => {
  const mine = session.value;
  if (mine === followed) return;
  followed = mine;
  unfollow();
  unfollow = mine ? follow(mine) : () => {};
});

/** The bell while somebody rings here and nobody talks; the far tone while one rings oneself. */
let silence = () => {};
let sounding = "";
effect(() => {
  const talk = current.value;
  const isFar = talk?.isOut === true && talk.state.value === "calling" && talk.progress.value !== "";
  const wanted = incoming.value.length > 0 && !isEngaged.value ? "bell" : isFar ? "far" : "";
  if (wanted === sounding) return;
  silence();
  sounding = wanted;
  silence = wanted ? sound(/** @type {"bell" | "far"} */ (wanted)) : () => {};
});
