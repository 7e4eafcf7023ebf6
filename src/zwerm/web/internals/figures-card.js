/** The lines of a recording: rate, round trip, loss, jitter, pictures. */
import { html } from "../vendor/preact.js";
import { size } from "../format.js";
import { locale, t } from "../language.js";
import { LinePlot } from "../parts/line-plot.js";
import { figuresOf } from "./figures.js";

/** @import {Unit} from "./figures.js" */
/** @import {Recording} from "./recording.js" */
/** @import {Key} from "../language.js" */

const STEPS = /** @type {const} */ ([
  [1e9, "Gbit/s"],
  [1e6, "Mbit/s"],
  [1e3, "kbit/s"],
  [0, "bit/s"],
]);

/** @param {number} value @param {number} [digits] */
const number = (value, digits = 1) => value.toLocaleString(locale.value, { maximumFractionDigits: digits });

/** @param {number} bits */
function bitRate(bits) {
  const [step, name] = STEPS.find(([least]) => bits >= least) ?? STEPS[3];
  return `${number(step ? bits / step : bits)} ${name}`;
}

/** @type {Record<Unit, (value: number) => string>} */
const WORDS = {
  bits: bitRate,
  percent: (value) => `${number(value)} %`,
  ms: (value) => `${number(value, value < 10 ? 2 : 0)} ms`,
  fps: (value) => t("internals.unit.fps", { n: Math.round(value) }),
  pixels: (value) => `${number(value, 0)} px`,
  bytes: (value) => size(value),
};

/** What a scale reaches at least, so that a trickle does not look like a flood. @type {Record<Unit, number>} */
const FLOORS = { bits: 1000, percent: 1, ms: 1, fps: 10, pixels: 90, bytes: 1000 };

/** @param {string} name */
const lineName = (name) =>
  name === "up" || name === "down"
    ? t(/** @type {Key} */ (`peers.${name}`))
    : name.length > 12
      ? t("internals.pair")
      : name;

/** @param {{recording: Recording, turn: number}} props */
export function FiguresCard({ recording }) {
  const figures = figuresOf(recording);
  return html`<section class="card">
    <header><h2>${t("internals.figures")}</h2></header>
    ${
      figures.length
        ? html`<div class="body figures">
            ${figures.map(
              ({ title, of, unit, lines }) =>
                html`<${LinePlot}
                  key=${`${title} ${of}`}
                  title=${of ? `${t(title)} ${of}` : t(title)}
                  lines=${lines}
                  words=${WORDS[unit]}
                  floor=${FLOORS[unit]}
                  names=${lineName}
                />`,
            )}
          </div>`
        : html`<p class="body quiet">${t("internals.figures.wait")}</p>`
    }
  </section>`;
}
