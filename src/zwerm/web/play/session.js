/**
 * One game over the play channel: who leads keeps the world, the other follows; both show their own bird at once.
 * The world goes on by a timer, pictures are drawn as often as the screen wants.
 */
import { Authority, Follower, Interpolation, Predictor } from "./sync.js";
import { GOAL, SCHEMA, TICK, World, leaderOf, move, packSteering, unpackSteering } from "./world.js";

/** @typedef {import("./world.js").Leader} Leader */
/** @typedef {import("./world.js").Steering} Steering */
/** @typedef {{own: Leader, other: Leader | null, lights: {id: number, x: number, y: number}[]}} View */

const AGAIN = 2; // in the place of `flying`: begin a new game
const seconds = () => performance.now() / 1000;

export class PlaySession {
  /** @param {RTCDataChannel} channel @param {boolean} leads @param {(own: number, other: number) => void} onScore */
  constructor(channel, leads, onScore) {
    this._channel = channel;
    this._onScore = onScore;
    this.leads = leads;
    /** @type {Steering} */
    this._steering = { angle: leads ? 0 : Math.PI, flying: false };
    this._again = false;
    this._score = "";
    this._last = seconds();
    this._world = new World();
    this._authority = new Authority(SCHEMA);
    this._follower = new Follower(SCHEMA);
    this._shown = new Interpolation(SCHEMA, TICK);
    this._predictor = new Predictor(this._world.leaders[1], move);
    this._theirs = /** @type {Steering} */ ({ angle: Math.PI, flying: false });
    /** @type {import("./sync.js").State} */
    this._newest = new Map();
    channel.addEventListener("message", this._receive);
    this._timer = setInterval(() => this._work(), TICK * 500);
  }

  close() {
    clearInterval(this._timer);
    this._channel.removeEventListener("message", this._receive);
  }

  /** Fly there, until told otherwise. @param {Steering} steering */
  steer(steering) {
    this._steering = steering;
  }

  /** Begin anew, once a game is over. */
  again() {
    this._again = true;
  }

  /** What to draw now. @returns {View} */
  view() {
    const own = this.leads ? this._world.leaders[0] : this._predictor.state;
    const state = this.leads ? this._world.state() : this._shown.sample(seconds());
    const row = state.get(this.leads ? 1 : 0);
    const lights = [...state].filter(([id]) => id > 1).map(([id, [x, y]]) => ({ id, x, y }));
    return { own, other: row ? leaderOf(row) : null, lights };
  }

  _receive = (/** @type {MessageEvent} */ { data }) => {
    if (!(data instanceof ArrayBuffer)) return;
    if (this.leads) this._authority.receive(data);
    else this._follower.receive(data, seconds());
  };

  _work() {
    const now = seconds();
    for (let due = Math.min(10, Math.floor((now - this._last) / TICK)); due > 0; due -= 1) {
      if (this.leads) this._lead(now);
      else this._follow(now);
      this._last += TICK;
    }
    if (now - this._last > 1) this._last = now; // the page was asleep
    const machine = this.leads ? this._authority : this._follower;
    machine.handleTimeout(now);
    for (let packet = machine.nextPacket(); packet; packet = machine.nextPacket())
      if (this._channel.readyState === "open") this._channel.send(/** @type {any} */ (packet));
  }

  /** @param {number} now */
  _lead(now) {
    const world = this._world;
    world.tick += 1;
    world.steer(0, this._steering);
    let moved = false;
    for (let input = this._authority.nextInput(); input; input = this._authority.nextInput()) {
      if (input.data[1] === AGAIN && world.over) world.begin();
      this._theirs = unpackSteering(input.data);
      world.steer(1, this._theirs);
      this._authority.processed = input.number;
      moved = true;
    }
    if (!moved && !this._authority.processed) world.steer(1, { angle: Math.PI, flying: false });
    if (this._again && world.over) world.begin();
    this._again = false;
    this._authority.publish(world.state(), world.tick, now);
    this._tell(world.leaders[0].birds, world.leaders[1].birds);
  }

  /** @param {number} now */
  _follow(now) {
    const data = packSteering(this._steering);
    if (this._again) data[1] = AGAIN;
    this._again = false;
    for (let snapshot = this._follower.nextSnapshot(); snapshot; snapshot = this._follower.nextSnapshot()) {
      this._shown.add(snapshot.tick, snapshot.state, now);
      if (!snapshot.newest) continue;
      this._newest = SCHEMA.restore(snapshot.state);
      const row = this._newest.get(1);
      if (row) this._predictor.reconcile(leaderOf(row), snapshot.processed);
    }
    const [other, own] = [this._newest.get(0)?.[3] ?? 0, this._newest.get(1)?.[3] ?? 0];
    const over = Math.max(other, own) >= GOAL;
    const number = this._follower.give(data, now);
    if (number) this._predictor.apply(number, over ? this._rest() : unpackSteering(data));
    this._tell(own, other);
  }

  /** Once a game is over nobody moves; the authority answers with the same place. @returns {Steering} */
  _rest() {
    return { angle: this._predictor.state.heading, flying: false };
  }

  /** @param {number} own @param {number} other */
  _tell(own, other) {
    const score = `${own}:${other}`;
    if (score === this._score) return;
    this._score = score;
    this._onScore(own, other);
  }
}
