/**
 * Where the blocks of a picture stand: columns by depth, each parent beside the middle of its children.
 * Pure: an outline in, boxes and lines out, in pixels. Blocks without a name and without children (the pieces of a
 * file) stand together as a swarm of dots.
 */

/** @import {Outline, OutlineNode} from "../types.d.ts" */

/**
 * @typedef {{index: number, node: OutlineNode, x: number, y: number, width: number}} Box a named block, or one that has
 * children
 */
/** @typedef {{index: number, node: OutlineNode, x: number, y: number}} Dot */
/**
 * @typedef {{x: number, y: number, width: number, height: number, dots: Dot[], more: number}} Swarm the pieces of one
 * block; `more` are not drawn
 */
/**
 * @typedef {{from: [number, number], to: [number, number], again: boolean}} Line `again`: to a block that already
 * stands elsewhere
 */
/** @typedef {{x: number, y: number, count: number}} Rest children that are not drawn */
/** @typedef {{boxes: Box[], swarms: Swarm[], lines: Line[], rests: Rest[], width: number, height: number}} Picture */

export const BOX_HEIGHT = 44;
export const DOT = 14; // from one dot to the next
const GAP = 8; // between rows
const PER_LINE = 12; // dots
const MOST_DOTS = 120; // of one swarm
const MOST_BOXES = 24; // children of one block

/** @param {Outline} outline @param {{box: number, between: number}} sizes @returns {Picture} */
export function layout({ nodes, edges }, { box, between }) {
  /** @type {number[][]} */
  const children = nodes.map(() => []);
  /** @type {[number, number][]} */
  const again = [];
  const placed = new Set([0]);
  for (const [from, to] of edges) {
    if (placed.has(to)) again.push([from, to]);
    else {
      placed.add(to);
      children[from].push(to);
    }
  }
  /** @type {Picture} */
  const picture = { boxes: [], swarms: [], lines: [], rests: [], width: 0, height: 0 };
  /** @type {Map<number, [number, number]>} */
  const entrances = new Map();
  const height = place(0, 0);
  for (const [from, to] of again) {
    const start = picture.boxes.find((candidate) => candidate.index === from);
    const end = entrances.get(to);
    if (start && end)
      picture.lines.push({ from: [start.x + start.width, start.y + BOX_HEIGHT / 2], to: end, again: true });
  }
  return { ...picture, width: picture.width + 1, height: Math.max(height, BOX_HEIGHT) };

  /**
   * Draw a block and all below it from `top` on; the rows it takes.
   * @param {number} index @param {number} top @returns {number}
   */
  function place(index, top) {
    const node = nodes[index];
    const x = node.depth * (box + between);
    const below = children[index];
    const pieces = below.filter((child) => !nodes[child].name && nodes[child].children === 0);
    const rest = below.filter((child) => !pieces.includes(child));
    const start = { x: x + box, y: 0 };
    /** @type {[number, number][]} */
    const ends = [];
    let at = top;
    for (const child of rest.slice(0, MOST_BOXES)) {
      const taken = place(child, at);
      ends.push(/** @type {[number, number]} */ (entrances.get(child)));
      at += taken + GAP;
    }
    const hidden = Math.max(
      0,
      node.children -
        pieces.length -
        Math.min(rest.length, MOST_BOXES) -
        again.filter(([from]) => from === index).length,
    );
    if (pieces.length) {
      const more = Math.max(0, pieces.length - MOST_DOTS) + (rest.length === 0 ? hidden : 0);
      const swarm = swarmOf(pieces, x + box + between, at, more);
      ends.push([swarm.x, swarm.y + swarm.height / 2]);
      at += swarm.height + GAP;
    } else if (hidden > 0 && node.children > 0 && (below.length > 0 || node.depth > 0)) {
      picture.rests.push({ x: x + box + between, y: at, count: hidden });
      ends.push([x + box + between, at + 10]);
      at += 20 + GAP;
      picture.width = Math.max(picture.width, x + box + between + 90);
    }
    const taken = Math.max(BOX_HEIGHT, at - top - GAP);
    const middle = ends.length ? (ends[0][1] + ends[ends.length - 1][1]) / 2 : top + taken / 2;
    const y = Math.min(Math.max(top, middle - BOX_HEIGHT / 2), top + taken - BOX_HEIGHT);
    picture.boxes.push({ index, node, x, y, width: box });
    picture.width = Math.max(picture.width, x + box);
    entrances.set(index, [x, y + BOX_HEIGHT / 2]);
    start.y = y + BOX_HEIGHT / 2;
    for (const end of ends) picture.lines.push({ from: [start.x, start.y], to: end, again: false });
    return taken;
  }

  /** @param {number[]} pieces @param {number} x @param {number} y @param {number} more @returns {Swarm} */
  function swarmOf(pieces, x, y, more) {
    const shown = pieces.slice(0, MOST_DOTS);
    const lines = Math.ceil(shown.length / PER_LINE);
    const width = Math.min(shown.length, PER_LINE) * DOT + 12;
    const tall = Math.max(lines * DOT + 12, 32) + (more > 0 ? 18 : 0);
    const swarm = {
      x,
      y,
      width: more > 0 ? Math.max(width, 96) : width,
      height: tall,
      more,
      dots: shown.map((index, at) => ({
        index,
        node: nodes[index],
        x: x + 6 + DOT * ((at % PER_LINE) + 0.5),
        y: y + 6 + DOT * (Math.floor(at / PER_LINE) + 0.5) + (lines === 1 ? 3 : 0),
      })),
    };
    for (const dot of swarm.dots) entrances.set(dot.index, [x, dot.y]);
    picture.swarms.push(swarm);
    picture.width = Math.max(picture.width, x + swarm.width);
    return swarm;
  }
}

/** A line that leaves and arrives level. @param {Line} line */
export function curve({ from: [x1, y1], to: [x2, y2] }) {
  const half = (x2 - x1) / 2;
  return `M${x1} ${y1}C${x1 + half} ${y1} ${x2 - half} ${y2} ${x2} ${y2}`;
}
