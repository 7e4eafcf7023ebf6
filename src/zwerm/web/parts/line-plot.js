/** Lines over time, small: one scale that begins at zero, and the values under the pointer. */
import { html, useState } from "../vendor/preact.js";
import { duration } from "../format.js";
import { t } from "../language.js";

const WIDTH = 360;
const HEIGHT = 90;
const ROOM = 4; // above the highest value

/** @typedef {{name: string, points: [number, number | null][]}} Line points are [ms since 1970, value] */

/** @param {Line["points"]} points @param {(at: number) => number} x @param {(value: number) => number} y */
function pathOf(points, x, y) {
  let path = "";
  let pen = "M";
  for (const [at, value] of points) {
    if (value === null) pen = "M";
    else {
      path += `${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
    }
  }
  return path;
}

/** The value of a line that is nearest to a moment. @param {Line} line @param {number} at */
function valueAt(line, at) {
  let best = /** @type {[number, number | null] | null} */ (null);
  for (const point of line.points)
    if (point[1] !== null && (best === null || Math.abs(point[0] - at) < Math.abs(best[0] - at))) best = point;
  return best;
}

/**
 * @param {{title: string, lines: Line[], words: (value: number) => string, floor: number, names: (name: string) => string}} props
 * `floor`: what the scale reaches at least
 */
export function LinePlot({ title, lines, words, floor, names }) {
  const [pointed, setPointed] = useState(/** @type {number | null} */ (null));
  const all = lines.flatMap((line) => line.points);
  const from = Math.min(...all.map(([at]) => at));
  const to = Math.max(...all.map(([at]) => at));
  const most = Math.max(floor, ...all.map(([, value]) => value ?? 0));
  /** @param {number} at */
  const x = (at) => (to === from ? WIDTH : ((at - from) / (to - from)) * WIDTH);
  /** @param {number} value */
  const y = (value) => HEIGHT - (value / most) * (HEIGHT - ROOM);
  const at = pointed ?? to;
  const values = lines.map((line) => ({ line, point: valueAt(line, at) }));
  /** @param {PointerEvent & {currentTarget: SVGElement}} event */
  const point = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    setPointed(from + ((event.clientX - box.left) / box.width) * (to - from));
  };
  return html`<figure class="line-plot">
    <figcaption class="small">
      <b>${title}</b>
      <span class="quiet"
        >${pointed === null ? words(most) : t("plot.ago", { time: duration(Math.round((to - at) / 1000)) })}</span
      >
    </figcaption>
    <svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      preserveAspectRatio="none"
      role="img"
      aria-label=${`${title}: ${values.map(({ line, point }) => `${names(line.name)} ${point ? words(/** @type {number} */ (point[1])) : "–"}`).join(", ")}`}
      onPointerMove=${point}
      onPointerLeave=${() => setPointed(null)}
    >
      <line class="base" x1="0" x2=${WIDTH} y1=${HEIGHT - 0.5} y2=${HEIGHT - 0.5} />
      ${lines.map((line, index) => html`<path key=${line.name} class=${`line line-${index % 4}`} d=${pathOf(line.points, x, y)} />`)}
      ${pointed !== null && html`<line class="pointer" x1=${x(at)} x2=${x(at)} y1="0" y2=${HEIGHT} />`}
    </svg>
    <p class="small quiet keys">
      ${values.map(
        ({ line, point }, index) =>
          html`<span key=${line.name} class=${`key line-${index % 4}`}
            >${names(line.name)} <b>${point ? words(/** @type {number} */ (point[1])) : "–"}</b></span
          >`,
      )}
    </p>
  </figure>`;
}
