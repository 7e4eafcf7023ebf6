/** The blocks below an address as a picture. Each can be chosen; the arrow keys go from one to the next. */
import { html, useLayoutEffect, useMemo, useRef } from "../vendor/preact.js";
import { shortHash, size } from "../format.js";
import { t } from "../language.js";
import { BOX_HEIGHT, curve, layout } from "./graph-layout.js";

/** @import {Outline, OutlineNode} from "../types.d.ts" */
/** @import {Box, Dot} from "./graph-layout.js" */

/** What a block is to a person. @param {OutlineNode} node */
function wordOf({ kind, codec, here, name }) {
  if (here && kind === "raw" && name) return t("kind.file");
  if (!here) return t("kind.away");
  const words = {
    file: t("kind.file"),
    directory: t("kind.directory"),
    hamt: t("kind.hamt"),
    symlink: t("kind.symlink"),
    raw: t("kind.raw"),
    node: codec,
  };
  return words[/** @type {keyof typeof words} */ (kind)] ?? codec;
}

/** @param {OutlineNode} node @param {number} width room for the text, in pixels */
function nameOf(node, width) {
  const name = node.name || shortHash(node.cid);
  const most = Math.floor((width - 34) / 7.4);
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}

/** @param {OutlineNode} node */
const factsOf = (node) =>
  [
    node.name,
    wordOf(node),
    size(node.size),
    node.children ? t("graph.children", { n: node.children }) : "",
    shortHash(node.cid),
  ]
    .filter(Boolean)
    .join(", ");

/**
 * @param {{outline: Outline, chosen: string, choose: (cid: string) => void, narrow: boolean}} props
 */
export function GraphPicture({ outline, chosen, choose, narrow }) {
  const drawing = useRef(/** @type {SVGSVGElement | null} */ (null));
  const picture = useMemo(
    () => layout(outline, narrow ? { box: 136, between: 28 } : { box: 176, between: 52 }),
    [outline, narrow],
  );
  useLayoutEffect(() => {
    const frame = drawing.current?.parentElement;
    const root = picture.boxes.find((box) => box.index === 0);
    if (frame && root) frame.scrollTop = root.y + BOX_HEIGHT - frame.clientHeight / 2;
  }, [picture]);
  const first = outline.nodes.findIndex((node) => node.cid === chosen);

  /** @param {KeyboardEvent} event */
  const walk = (event) => {
    const all = /** @type {SVGElement[]} */ ([...(drawing.current?.querySelectorAll("[data-index]") ?? [])]).sort(
      (a, b) => Number(a.dataset.index) - Number(b.dataset.index),
    );
    const at = all.indexOf(/** @type {SVGElement} */ (document.activeElement));
    const steps = {
      ArrowDown: at + 1,
      ArrowRight: at + 1,
      ArrowUp: at - 1,
      ArrowLeft: at - 1,
      Home: 0,
      End: all.length - 1,
    };
    const to = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (to !== undefined && all[to]) {
      event.preventDefault();
      all[to].focus();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      all[at]?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    }
  };
  /** @param {Box | Dot} block */
  const common = ({ index, node }) => ({
    "data-index": index,
    role: "button",
    tabindex: index === Math.max(0, first) ? 0 : -1,
    "aria-pressed": node.cid === chosen,
    onClick: () => choose(node.cid),
  });
  return html`<div class="graph">
    <svg
      ref=${drawing}
      width=${picture.width}
      height=${picture.height}
      viewBox=${`-1 -1 ${picture.width + 2} ${picture.height + 2}`}
      role="group"
      aria-label=${t("graph.label")}
      onKeyDown=${walk}
    >
      ${picture.lines.map((line) => html`<path class=${line.again ? "line again" : "line"} d=${curve(line)} />`)}
      ${picture.swarms.map(
        ({ x, y, width, height, dots, more }) =>
          html`<rect class="pen" x=${x} y=${y} width=${width} height=${height} rx="8" /> ${dots.map(
              (dot) =>
                html`<circle
                  key=${dot.index}
                  class=${["dot-block", dot.node.here ? "" : "away", dot.node.cid === chosen ? "chosen" : ""].join(" ")}
                  ...${common(dot)}
                  aria-label=${factsOf(dot.node)}
                  cx=${dot.x}
                  cy=${dot.y}
                  r="4.5"
                  ><title>${factsOf(dot.node)}</title></circle
                >`,
            )}
            ${
              more > 0 &&
              html`<text class="soft" x=${x + 10} y=${y + height - 8}>${t("graph.more", { n: more })}</text>`
            }`,
      )}
      ${picture.rests.map(
        ({ x, y, count }) => html`<text class="soft" x=${x + 6} y=${y + 14}>${t("graph.more", { n: count })}</text>`,
      )}
      ${picture.boxes.map(
        (box) =>
          html`<g
            key=${box.index}
            class=${["box", box.node.kind, box.node.here ? "" : "away", box.node.cid === chosen ? "chosen" : ""].join(" ")}
            ...${common(box)}
          >
            <rect x=${box.x} y=${box.y} width=${box.width} height=${BOX_HEIGHT} rx="8" /><circle
              class="seed"
              cx=${box.x + 14}
              cy=${box.y + BOX_HEIGHT / 2}
              r="5"
            />
            <text x=${box.x + 27} y=${box.y + 18}>${nameOf(box.node, box.width)}</text
            ><text class="soft" x=${box.x + 27} y=${box.y + 34}>${`${wordOf(box.node)} · ${size(box.node.size)}`}</text
            ><title>${factsOf(box.node)}</title></g
          >`,
      )}
    </svg>
  </div>`;
}
