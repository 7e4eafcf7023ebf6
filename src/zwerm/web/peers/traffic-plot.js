/** What went up and down lately: two lines, and the values under the pointer. */
import { html, useState } from "../vendor/preact.js";
import { duration, rate } from "../format.js";
import { t } from "../language.js";

/** @import {Network} from "../types.d.ts" */

const WIDTH = 600;
const HEIGHT = 120;
const FLOOR = 1000; // bytes a second that the plot reaches at least, so that a trickle does not look like a flood

/** @param {number[]} values @param {number} most */
function lineOf(values, most) {
  const step = WIDTH / Math.max(1, values.length - 1);
  return values
    .map((value, index) => `${(index * step).toFixed(1)},${(HEIGHT - (value / most) * (HEIGHT - 4)).toFixed(1)}`)
    .join(" ");
}

/** @param {{network: Network}} props */
export function TrafficPlot({ network }) {
  const [at, setAt] = useState(/** @type {number | null} */ (null));
  const { samples, step } = network;
  if (samples.length < 2) return html`<p class="quiet">${t("peers.traffic.wait")}</p>`;
  const down = samples.map(([received]) => received / step);
  const up = samples.map(([, sent]) => sent / step);
  const most = Math.max(FLOOR, ...down, ...up);
  const chosen = at === null ? null : Math.min(at, samples.length - 1);
  const words =
    chosen === null
      ? ""
      : t("peers.traffic.at", {
          time: duration((samples.length - 1 - chosen) * step),
          down: rate(down[chosen]),
          up: rate(up[chosen]),
        });
  /** @param {PointerEvent & {currentTarget: SVGElement}} event */
  const point = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    setAt(Math.round(((event.clientX - box.left) / box.width) * (samples.length - 1)));
  };
  const place = chosen === null ? 0 : (chosen * WIDTH) / (samples.length - 1);
  return html`<figure class="traffic">
    <svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      preserveAspectRatio="none"
      role="img"
      aria-label=${t("peers.traffic.label", { time: duration((samples.length - 1) * step) })}
      onPointerMove=${point}
      onPointerLeave=${() => setAt(null)}
    >
      <line class="base" x1="0" x2=${WIDTH} y1=${HEIGHT - 0.5} y2=${HEIGHT - 0.5} />
      <polyline class="down" points=${lineOf(down, most)} />
      <polyline class="up" points=${lineOf(up, most)} />
      ${chosen !== null && html`<line class="pointer" x1=${place} x2=${place} y1="0" y2=${HEIGHT} />`}
    </svg>
    <figcaption class="small quiet">
      <span class="key down">${t("peers.down")}</span><span class="key up">${t("peers.up")}</span
      ><span class="most">${words || rate(most)}</span>
    </figcaption>
  </figure>`;
}
