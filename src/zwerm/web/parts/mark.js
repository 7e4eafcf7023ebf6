/**
 * The zwerm mark: starlings in a loose swarm. It stirs once when something happens, and never when motion is not
 * wanted.
 */
import { html, useEffect, useRef } from "../vendor/preact.js";
import { stirs } from "../events.js";

const STARLINGS = [
  [4, 21, 2.3],
  [10, 14, 2.9],
  [11.5, 23, 2],
  [17, 18, 3.3],
  [16, 9, 2.2],
  [23, 13, 2.7],
  [23, 22, 2.2],
  [29, 17, 1.9],
  [28, 8, 1.5],
];

/** @param {{stirring?: boolean}} props */
export function Mark({ stirring = false }) {
  const drawing = useRef(/** @type {SVGElement | null} */ (null));
  const turn = stirring ? stirs.value : 0;
  useEffect(() => {
    if (!stirring || turn === 0 || !drawing.current) return;
    const svg = drawing.current;
    svg.classList.remove("stirs");
    svg.getBoundingClientRect(); // so that the animation begins anew
    svg.classList.add("stirs");
  }, [turn]);
  return html`<svg class="mark" ref=${drawing} viewBox="0 0 32 32" aria-hidden="true">
    ${STARLINGS.map(([x, y, r]) => html`<circle cx=${x} cy=${y} r=${r} />`)}
  </svg>`;
}
