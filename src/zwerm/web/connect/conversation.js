/**
 * The one conversation of this page: code, state, chat and what is played, as signals. It goes on while other pages of the app are
 * shown.
 */
import { effect, signal } from "../vendor/preact.js";
import { read as ask } from "../api.js";
import { attach, detach } from "./desk.js";
import { Link } from "./link.js";

/** @typedef {import("./link.js").LinkState} LinkState */
/** @typedef {{id: number, own: boolean, text: string, time: number}} Line */

const MAX_TEXT = 16_384;
const MAX_MESSAGE = 65_536;
const MAX_LINES = 1_000;

/** `off`: nothing was begun; `left`: the other person ended it. @type {import("../vendor/preact.js").Signal<LinkState | "off" | "left">} */
export const state = signal("off");
/** Our code; empty while it is being made. */
export const code = signal("");
/** Whether a link was lost without a word, so that files wait for the next one. */
export const broken = signal(false);
/** @type {import("../vendor/preact.js").Signal<Line[]>} */
export const lines = signal([]);
export const theirProgram = signal("");
export const theyWrite = signal(false);
/** Who has the game open. @type {import("../vendor/preact.js").Signal<{we: boolean, they: boolean}>} */
export const playing = signal({ we: false, they: false });

/** @type {Link | null} */
let link = null;
/** @type {Link | null} */
let attached = null;
let lastLine = 0;

/** Make a code for a new link; the one there is is given up. */
export async function begin() {
  drop();
  code.value = "";
  state.value = "new";
  const settings = await ask("settings").catch(() => null);
  const stun = settings?.settings.find((/** @type {any} */ one) => one.key === "connect.stun")?.value ?? [];
  const made = (link = new Link(stun, (now) => changed(made, now)));
  made.chat.onmessage = ({ data }) => hear(data);
  const text = await made.makeCode();
  if (link === made) code.value = text;
}

/**
 * Take the other person's code.
 * @param {string} text
 * @throws {import("./code.js").CodeError} when it cannot be used; nothing changed
 */
export async function connect(text) {
  await link?.connect(text);
}

/** Leave, and tell the other side so. */
export function leave() {
  if (link?.chat.readyState === "open") tell({ type: "bye" });
  const going = link;
  link = null;
  setTimeout(() => going?.close(), 200); // so that the goodbye goes out first
  detach();
  state.value = "off";
  code.value = "";
  broken.value = false;
  playing.value = { we: false, they: false };
}

/** Say a line. @param {string} text @returns {boolean} whether it went out */
export function say(text) {
  if (state.value !== "connected" || text.length > MAX_TEXT || !tell({ type: "text", text })) return false;
  addLine(text, true);
  return true;
}

let writes = false;
/** @param {boolean} writing */
export function tellWriting(writing) {
  if (writing === writes) return;
  writes = writing;
  tell({ type: "writing", writing });
}

/** Open or close the game here. @param {boolean} we */
export function play(we) {
  playing.value = { ...playing.value, we };
  tell({ type: "play", playing: we });
}

/** The channel that loses rather than waits, while there is a link. */
export const playChannel = () => link?.play ?? null;

/** Whether this side keeps what both share. */
export const leads = () => link?.leads ?? false;

/** @param {object} message */
function tell(message) {
  if (link?.chat.readyState !== "open") return false;
  link.chat.send(JSON.stringify(message));
  return true;
}

function drop() {
  const going = link;
  link = null;
  detach();
  theyWrite.value = writes = false;
  playing.value = { we: false, they: false };
  going?.close();
}

/** @param {Link} which @param {LinkState} now */
function changed(which, now) {
  if (which !== link) return;
  if (now === "connected" && attached !== which) {
    attached = which;
    broken.value = false;
    tell({ type: "hello", program: "zwerm web" });
    attach(which.files, which.early);
  }
  state.value = now;
  if (now === "lost") {
    broken.value = true;
    void begin();
  }
}

/** @param {string} text @param {boolean} own */
function addLine(text, own) {
  lastLine += 1;
  lines.value = [...lines.value.slice(1 - MAX_LINES), { id: lastLine, own, text, time: Date.now() }];
}

/** @param {unknown} data */
function hear(data) {
  const message = parse(data);
  if (!message) return;
  if (message.type === "text" && typeof message.text === "string" && message.text.length <= MAX_TEXT) {
    theyWrite.value = false;
    addLine(message.text, false);
  } else if (message.type === "hello" && typeof message.program === "string")
    theirProgram.value = message.program.slice(0, 100);
  else if (message.type === "writing") theyWrite.value = message.writing === true;
  else if (message.type === "play") playing.value = { ...playing.value, they: message.playing === true };
  else if (message.type === "bye") {
    drop();
    state.value = "left";
    code.value = "";
  }
}

/** @param {unknown} data @returns {any} */
function parse(data) {
  if (typeof data !== "string" || data.length > MAX_MESSAGE) return null;
  try {
    return JSON.parse(data);
  } catch {
    return null; // a line that nobody can read is a line less
  }
}

effect(() => {
  if (state.value !== "connected") theyWrite.value = false;
});
addEventListener("pagehide", () => tell({ type: "bye" }));
