/**
 * Pointing and drawing on a shared screen. A board is one sharing of one person; places on it are whole numbers from 0 to
 * `SPAN` across and down the picture, whatever its size on a page. Strokes go in order beside what is said, pointers by
 * the channel where late is worse than lost. What others send is checked (`readStroke`, `readPointer`) and bounded.
 *
 * A stroke says how often its board had been cleared when it was begun. One that was under way while somebody cleared is
 * older than that everywhere, whatever comes first; whoever may clear tells those who come how often it was done.
 */
import { computed, signal } from "../vendor/preact.js";

/** @import {Meeting} from "./meeting.js" */
/** @import {Person} from "./person.js" */
/** @template T @typedef {import("../vendor/preact.js").Signal<T>} Signal */
/** @typedef {"look" | "point" | "pen"} Tool */
/**
 * @typedef {{board: string, n: number, wiped: number, colour: number, points: number[]}} Stroke `wiped`: how often its
 * board was before; `points`: x, y, x, y, ...
 */
/** @typedef {{board: string, x: number, y: number}} Place */
/** @typedef {Place & {label: string, colour: number, at: number}} Pointer `at`: when it last moved, in milliseconds */

export const SPAN = 10_000;
/** Each stands out on white and on black. */
export const COLOURS = ["#e5484d", "#f5a524", "#30a46c", "#0090ff", "#8e4ec6", "#e93d82"];
export const FADES = 2_500; // milliseconds after which a pointer that rests is gone
export const MAX_POINTS = 1_024; // of a stroke; a longer one goes on as another
export const MAX_STROKES = 200; // of a person; the oldest goes
const MOST = 2 ** 31; // that is counted
const MAX_BOARD = 160; // characters of a board's name
const MAX_POINTING = 512; // characters of a message that points
const EVERY = 50; // milliseconds between messages of ours
const BURST = 300; // messages of a person: all strokes to somebody who comes, and some
const RATE = 40; // messages a second of a person after that; twice what a page sends

/** @param {unknown} value @param {number} limit @returns {value is number} */
const isCount = (value, limit) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= limit;
/** @param {unknown} value @returns {value is string} */
const isBoard = (value) => typeof value === "string" && value.length > 0 && value.length <= MAX_BOARD;

/** @param {any} message @returns {Stroke | null} null for what is none */
export function readStroke({ board, n, wiped, colour, points }) {
  if (!isBoard(board) || !isCount(n, MOST) || !isCount(wiped, MOST) || !isCount(colour, COLOURS.length - 1)) return null;
  if (!Array.isArray(points) || points.length < 2 || points.length % 2 || points.length > 2 * MAX_POINTS) return null;
  return points.every((each) => isCount(each, SPAN)) ? { board, n, wiped, colour, points: [...points] } : null;
}

/** @param {unknown} data @returns {Place | null} */
export function readPointer(data) {
  if (typeof data !== "string" || data.length > MAX_POINTING) return null;
  try {
    const { board, x, y } = JSON.parse(data) ?? {};
    return isBoard(board) && isCount(x, SPAN) && isCount(y, SPAN) ? { board, x, y } : null;
  } catch {
    return null;
  }
}

/** How many messages of somebody are taken. */
export class Allowance {
  #left = BURST;
  #at;

  /** @param {number} now milliseconds */
  constructor(now) {
    this.#at = now;
  }

  /** @param {number} now */
  take(now) {
    this.#left = Math.min(BURST, this.#left + ((now - this.#at) * RATE) / 1000);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

/** A colour of one's own for pointing. @param {string} endpoint */
const colourOf = (endpoint) =>
  [...endpoint].reduce((sum, letter) => (31 * sum + letter.charCodeAt(0)) % 65_521, 7) % COLOURS.length;

export class Drawing {
  /** Who drew what; ours stands under "". @type {Signal<Map<string, Stroke[]>>} */
  strokes = signal(new Map());
  /** @type {Signal<Map<string, Pointer>>} */
  pointers = signal(new Map());
  /** What a press on the board does. @type {Signal<Tool>} */
  tool = signal("look");
  #meeting;
  #last = 0;
  /** How often boards were cleared. @type {Map<string, number>} */
  #wiped = new Map();
  /** @type {Stroke | null} */
  #open = null;
  #sent = 0; // numbers of the open stroke that the others have
  /** @type {Place | null} */
  #place = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Map<Person, () => void>} */
  #known = new Map();
  /** @type {Map<Person, Allowance>} */
  #allowed = new Map();
  #stops;

  /** @param {Meeting} meeting */
  constructor(meeting) {
    this.#meeting = meeting;
    /** Every board that is shown now, and whose it is ("": ours). */
    this.boards = computed(() => {
      const shown = new Map(
        meeting.people.value
          .filter((person) => person.shown.value.screen)
          .map((person) => [boardOf(person.endpoint, person.shown.value.board), person.endpoint]),
      );
      const own = meeting.screen.value;
      if (own) shown.set(boardOf(meeting.endpoint, own.video.id), "");
      return shown;
    });
    let before = new Map();
    this.#stops = [
      meeting.people.subscribe((people) => this.#match(people)),
      this.boards.subscribe((boards) => {
        for (const board of before.keys())
          if (!boards.has(board)) {
            this.#drop((stroke) => stroke.board === board);
            this.#wiped.delete(board);
          }
        if (!boards.size) this.tool.value = "look";
        before = boards;
      }),
      meeting.on("draw", (person, message) => this.#take(person, message)),
      meeting.on("undraw", (person, { board, n }) => {
        if (this.#may(person)) this.#drop((stroke) => stroke.board === board && stroke.n === n, person.endpoint);
      }),
      meeting.on("wipe", (person, { board, wiped }) => {
        if (!this.#may(person) || !isCount(wiped, MOST) || !this.boards.value.has(board)) return;
        if (this.boards.value.get(board) === person.endpoint || meeting.isHost(person.endpoint))
          this.#clear(board, wiped);
      }),
    ];
  }

  /** Whether this page may clear what all drew. @param {string} board */
  mayWipe(board) {
    return this.boards.value.get(board) === "" || this.#meeting.isHost("");
  }

  /** @param {string} board @param {number} colour @param {number} x @param {number} y */
  begin(board, colour, x, y) {
    this.end();
    this.#open = { board, n: (this.#last += 1), wiped: this.#count(board), colour, points: [x, y] };
    this.#sent = 0;
    this.#keep("", this.#open);
    this.#later();
  }

  /** @param {number} x @param {number} y */
  extend(x, y) {
    const open = this.#open;
    if (!open) return;
    if (open.points.length >= 2 * MAX_POINTS) {
      this.begin(open.board, open.colour, ...(/** @type {[number, number]} */ (open.points.slice(-2))));
      this.extend(x, y);
      return;
    }
    open.points.push(x, y);
    this.strokes.value = new Map(this.strokes.value);
    this.#later();
  }

  end() {
    this.#flush();
    this.#open = null;
  }

  /** Take back the last stroke of ours. @param {string} board */
  undo(board) {
    this.end();
    const last = this.strokes.value.get("")?.findLast((stroke) => stroke.board === board);
    if (!last) return;
    this.#drop((stroke) => stroke === last, "");
    this.#meeting.tell({ type: "undraw", board, n: last.n });
  }

  /** Clear what all drew. @param {string} board */
  wipe(board) {
    this.end();
    this.#clear(board, this.#count(board) + 1);
    this.#meeting.tell({ type: "wipe", board, wiped: this.#count(board) });
  }

  /** How often a board was cleared. @param {string} board */
  #count(board) {
    return this.#wiped.get(board) ?? 0;
  }

  /** A board has been cleared so often: what was begun before is gone. @param {string} board @param {number} wiped */
  #clear(board, wiped) {
    this.#wiped.set(board, Math.max(wiped, this.#count(board)));
    this.#drop((stroke) => stroke.board === board && stroke.wiped < wiped);
  }

  /** Take a tool, or put it away. @param {Tool} wanted */
  toggle(wanted) {
    this.tool.value = this.tool.value === wanted || !this.boards.value.size ? "look" : wanted;
  }

  /** @param {Place} place */
  point(place) {
    this.#place = place;
    this.#show("", "", place);
    this.#later();
  }

  close() {
    clearTimeout(this.#timer);
    for (const stop of [...this.#stops, ...this.#known.values()]) stop();
    this.#known.clear();
  }

  #later() {
    this.#timer ??= setTimeout(() => this.#flush(), EVERY);
  }

  #flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const open = this.#open;
    if (open && this.#sent < open.points.length) {
      this.#meeting.tell({ type: "draw", ...open, points: open.points.slice(this.#sent) });
      this.#sent = open.points.length;
    }
    if (!this.#place) return;
    const text = JSON.stringify(this.#place);
    this.#place = null;
    for (const { peer } of this.#meeting.people.value)
      if (peer.pointing.value?.readyState === "open") peer.pointing.value.send(text);
  }

  /** @param {Person[]} people */
  #match(people) {
    for (const [person, stop] of this.#known)
      if (!people.includes(person)) {
        stop();
        this.#known.delete(person);
        this.#allowed.delete(person);
        this.#drop(() => true, person.endpoint);
        const pointers = new Map(this.pointers.value);
        if (pointers.delete(person.endpoint)) this.pointers.value = pointers;
      }
    for (const person of people) if (!this.#known.has(person)) this.#known.set(person, this.#meet(person));
  }

  /** Show somebody who comes what we drew, and look where they point. @param {Person} person */
  #meet(person) {
    const { peer } = person;
    this.#allowed.set(person, new Allowance(performance.now()));
    const stops = [
      peer.words.subscribe((channel) => {
        if (!channel) return;
        for (const [board, wiped] of this.#wiped)
          if (this.mayWipe(board)) person.tell({ type: "wipe", board, wiped });
        for (const stroke of this.strokes.peek().get("") ?? []) {
          const points = stroke === this.#open ? stroke.points.slice(0, this.#sent) : stroke.points;
          if (points.length) person.tell({ type: "draw", ...stroke, points });
        }
      }),
      peer.pointing.subscribe((channel) => {
        if (!channel) return;
        channel.onmessage = ({ data }) => {
          const place = readPointer(data);
          if (this.#may(person) && place && this.boards.value.has(place.board))
            this.#show(person.endpoint, person.label.value, place);
        };
      }),
    ];
    return () => stops.forEach((stop) => stop());
  }

  /** @param {Person} person */
  #may(person) {
    return this.#allowed.get(person)?.take(performance.now()) ?? false;
  }

  /** A stroke, or how it goes on. @param {Person} person @param {unknown} message */
  #take(person, message) {
    const stroke = this.#may(person) ? readStroke(message) : null;
    if (!stroke || stroke.wiped < this.#count(stroke.board)) return;
    stroke.wiped = Math.min(stroke.wiped, this.#count(stroke.board) + 1); // nobody draws what cannot be cleared
    const known = this.strokes.value
      .get(person.endpoint)
      ?.find(({ n, board }) => n === stroke.n && board === stroke.board);
    if (!known) this.#keep(person.endpoint, stroke);
    else if (known.points.length + stroke.points.length <= 2 * MAX_POINTS) {
      known.points.push(...stroke.points);
      this.strokes.value = new Map(this.strokes.value);
    }
  }

  /** @param {string} endpoint @param {Stroke} stroke */
  #keep(endpoint, stroke) {
    const all = [...(this.strokes.value.get(endpoint) ?? []), stroke].slice(-MAX_STROKES);
    this.strokes.value = new Map(this.strokes.value).set(endpoint, all);
  }

  /** @param {(stroke: Stroke) => boolean} isGone @param {string | null} [endpoint] null: of everybody */
  #drop(isGone, endpoint = null) {
    if (!endpoint && this.#open && isGone(this.#open)) this.#open = null;
    const next = new Map(this.strokes.value);
    for (const [owner, strokes] of this.strokes.value)
      if (endpoint === null || owner === endpoint) {
        const left = strokes.filter((stroke) => !isGone(stroke));
        if (left.length) next.set(owner, left);
        else next.delete(owner);
      }
    this.strokes.value = next;
  }

  /** @param {string} endpoint @param {string} label @param {Place} place */
  #show(endpoint, label, place) {
    const colour = colourOf(endpoint || this.#meeting.endpoint);
    const at = performance.now();
    this.pointers.value = new Map(this.pointers.value).set(endpoint, { ...place, label, colour, at });
  }
}

/** The name of a board. @param {string} endpoint @param {string} id of the sharing */
export const boardOf = (endpoint, id) => `${endpoint}/${id}`;
