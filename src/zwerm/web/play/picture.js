/** Drawing the field at dusk: two flocks that follow their leaders, and the lights between them. */
import { HEIGHT, WIDTH } from "./world.js";

/** @typedef {import("./session.js").View} View */
/** @typedef {import("./world.js").Leader} Leader */

const TRAIL = 160; // places of a leader that are remembered, one for each picture
const FRESH = 60; // pictures between two looks at the theme
const COLOURS = ["--sky-high", "--sky-low", "--sky-edge", "--light", "--own", "--other"];
const SPACING = 5; // pictures between two birds of a flock

export class Picture {
  /** @param {HTMLCanvasElement} canvas @param {boolean} calm whether reduced motion is asked for */
  constructor(canvas, calm) {
    this._canvas = canvas;
    this._calm = calm;
    /** @type {Leader[][]} */
    this._trails = [[], []];
    this._turn = 0;
    /** @type {Record<string, string>} */
    this._colours = {};
  }

  /** Look up the colours of the theme that is on; a canvas knows no `light-dark`, an element does. */
  _mix() {
    const probe = document.createElement("i");
    this._canvas.after(probe);
    for (const name of COLOURS) {
      probe.style.color = `var(${name})`;
      this._colours[name] = getComputedStyle(probe).color;
    }
    probe.remove();
  }

  /** @param {View} view */
  draw({ own, other, lights }) {
    const canvas = this._canvas;
    if (!canvas.isConnected) return; // the last turn of a game that is being put away; nothing has a colour there
    const scale = canvas.clientWidth * devicePixelRatio;
    if (canvas.width !== Math.round(scale)) {
      canvas.width = Math.round(scale);
      canvas.height = Math.round((scale * HEIGHT) / WIDTH);
    }
    const brush = canvas.getContext("2d");
    if (!brush) return;
    if (this._turn % FRESH === 0) this._mix();
    const colour = (/** @type {string} */ name) => this._colours[name];
    const unit = canvas.width / WIDTH;
    this._turn += 1;
    const sky = brush.createLinearGradient(0, 0, 0, canvas.height);
    sky.addColorStop(0, colour("--sky-high"));
    sky.addColorStop(0.75, colour("--sky-low"));
    sky.addColorStop(1, colour("--sky-edge"));
    brush.fillStyle = sky;
    brush.fillRect(0, 0, canvas.width, canvas.height);
    lights.forEach((light) => this._light(brush, light, unit, colour("--light")));
    [other, own].forEach((leader, index) => {
      if (leader) this._flock(brush, leader, this._trails[index], unit, colour(index ? "--own" : "--other"));
    });
  }

  /** @param {CanvasRenderingContext2D} brush @param {{id: number, x: number, y: number}} light @param {number} unit @param {string} colour */
  _light(brush, { id, x, y }, unit, colour) {
    const breath = this._calm ? 1 : 1 + 0.12 * Math.sin(this._turn / 22 + id * 2);
    for (const [radius, alpha] of [
      [0.034, 0.16],
      [0.02, 0.3],
      [0.009, 1],
    ]) {
      brush.globalAlpha = alpha;
      brush.fillStyle = colour;
      brush.beginPath();
      brush.arc(x * unit, y * unit, radius * breath * unit, 0, 2 * Math.PI);
      brush.fill();
    }
    brush.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} brush @param {Leader} leader @param {Leader[]} trail @param {number} unit @param {string} colour */
  _flock(brush, leader, trail, unit, colour) {
    const jumped = trail.length && Math.hypot(trail[0].x - leader.x, trail[0].y - leader.y) > 0.2;
    if (jumped) trail.length = 0; // a new game
    trail.unshift(leader);
    trail.length = Math.min(trail.length, TRAIL);
    brush.fillStyle = colour;
    this._bird(brush, leader, unit, 1.5);
    for (let bird = 1; bird <= leader.birds; bird += 1) {
      const place = trail[Math.min(trail.length - 1, bird * SPACING)];
      const side = (bird % 2 ? 1 : -1) * (0.014 + 0.007 * (bird % 3));
      const sway = this._calm ? 0 : 0.008 * Math.sin(this._turn / 14 + bird * 1.7);
      const across = place.heading + Math.PI / 2;
      this._bird(
        brush,
        {
          ...place,
          x: place.x + Math.cos(across) * (side + sway),
          y: place.y + Math.sin(across) * (side + sway),
        },
        unit,
        1,
      );
    }
  }

  /** @param {CanvasRenderingContext2D} brush @param {Leader} bird @param {number} unit @param {number} size */
  _bird(brush, { x, y, heading }, unit, size) {
    const length = 0.013 * size * unit;
    brush.save();
    brush.translate(x * unit, y * unit);
    brush.rotate(heading);
    brush.beginPath();
    brush.moveTo(length * 1.3, 0);
    brush.quadraticCurveTo(0, length * 0.25, -length, length * 0.95);
    brush.quadraticCurveTo(-length * 0.25, 0, -length, -length * 0.95);
    brush.quadraticCurveTo(0, -length * 0.25, length * 1.3, 0);
    brush.fill();
    brush.restore();
  }
}
