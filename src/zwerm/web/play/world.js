/**
 * The rules of "Murmuration", a game for two: each leads a flock over a field at dusk, and who flies through a light gathers a
 * bird. One side keeps the world; the same step moves a leader on both.
 */
import { Schema } from "./sync.js";

/** @typedef {{x: number, y: number, heading: number, birds: number}} Leader */
/** @typedef {{angle: number, flying: boolean}} Steering where to, in radians; gliding straight on otherwise */

export const TICK = 1 / 30; // seconds
export const WIDTH = 1.6;
export const HEIGHT = 1;
export const GOAL = 12; // birds
const LIGHTS = 5;
const REACH = 0.055;
const FAST = 0.42; // lengths a second
const SLOW = 0.2;
const TURN = 5.5; // radians a second
const BRAKE = 0.65; // share of speed lost in a sharp turn, so that nobody circles around a light
const MARGIN = 0.03;

export const SCHEMA = new Schema(
  [
    { name: "x", bits: 12, minimum: 0, step: WIDTH / 4095 },
    { name: "y", bits: 12, minimum: 0, step: HEIGHT / 4095 },
    { name: "heading", bits: 8, minimum: 0, step: (2 * Math.PI) / 256, wraps: true },
    { name: "birds", bits: 5, minimum: 0, step: 1 },
  ],
  4,
);

/** @param {number} angle between -pi and pi */
const around = (angle) => Math.atan2(Math.sin(angle), Math.cos(angle));

/** A leader one tick later. @param {Leader} leader @param {Steering} steering @returns {Leader} */
export function move({ x, y, heading, birds }, { angle, flying }) {
  const way = flying ? around(angle - heading) : 0;
  const turned = heading + Math.max(-TURN * TICK, Math.min(TURN * TICK, way));
  const sharp = Math.min(1, Math.abs(way) / 1.2);
  const length = (flying ? FAST * (1 - BRAKE * sharp) : SLOW) * TICK;
  return {
    x: Math.min(WIDTH - MARGIN, Math.max(MARGIN, x + Math.cos(turned) * length)),
    y: Math.min(HEIGHT - MARGIN, Math.max(MARGIN, y + Math.sin(turned) * length)),
    heading: ((turned % (2 * Math.PI)) + 2 * Math.PI) % (2 * Math.PI),
    birds,
  };
}

/** @param {Steering} steering */
export const packSteering = ({ angle, flying }) =>
  new Uint8Array([Math.round((((angle / (2 * Math.PI)) % 1) + 1) * 256) & 255, flying ? 1 : 0]);

/** @param {Uint8Array} data @returns {Steering} */
export const unpackSteering = (data) => ({ angle: (data[0] / 256) * 2 * Math.PI, flying: data[1] === 1 });

/** @param {number[]} row @returns {Leader} */
export const leaderOf = ([x, y, heading, birds]) => ({ x, y, heading, birds });

/** The whole field, on the side that keeps it. */
export class World {
  /** @param {() => number} [random] */
  constructor(random = Math.random) {
    this._random = random;
    this.tick = 0;
    /** @type {Leader[]} */
    this.leaders = [];
    /** @type {{x: number, y: number}[]} */
    this.lights = [];
    this.begin();
  }

  begin() {
    this.leaders = [
      { x: 0.3, y: 0.5, heading: 0, birds: 0 },
      { x: WIDTH - 0.3, y: 0.5, heading: Math.PI, birds: 0 },
    ];
    this.lights = Array.from({ length: LIGHTS }, () => this._light());
  }

  get over() {
    return this.leaders.some(({ birds }) => birds >= GOAL);
  }

  /** @param {number} who @param {Steering} steering */
  steer(who, steering) {
    if (this.over) return;
    this.leaders[who] = move(this.leaders[who], steering);
    const { x, y } = this.leaders[who];
    this.lights = this.lights.map((light) => {
      if (this.over || Math.hypot(light.x - x, light.y - y) > REACH) return light;
      this.leaders[who] = { ...this.leaders[who], birds: this.leaders[who].birds + 1 };
      return this._light();
    });
  }

  /** @returns {import("./sync.js").State} leaders 0 and 1, then the lights */
  state() {
    /** @type {import("./sync.js").State} */
    const state = new Map();
    this.leaders.forEach(({ x, y, heading, birds }, id) => state.set(id, [x, y, heading, birds]));
    this.lights.forEach(({ x, y }, index) => state.set(index + 2, [x, y, 0, 0]));
    return state;
  }

  _light() {
    return { x: 0.1 + this._random() * (WIDTH - 0.2), y: 0.1 + this._random() * (HEIGHT - 0.2) };
  }
}
