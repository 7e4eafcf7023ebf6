/** Strokes and pointers as they are seen: on a page over the shared picture, and in a snapshot of it. */
import { COLOURS, FADES, SPAN } from "./drawing.js";

/** @import {Drawing} from "./drawing.js" */
/** @typedef {{x: number, y: number, width: number, height: number}} Box in pixels */

const MAX_LABEL = 24; // letters of a name beside a pointer
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

/** Where a picture stands in a box of another shape, whole. @param {number} width @param {number} height of the box
 * @param {number} across @param {number} down of the picture @returns {Box} */
export function boxOf(width, height, across, down) {
  if (!across || !down) return { x: 0, y: 0, width, height };
  const scale = Math.min(width / across, height / down);
  const [w, h] = [across * scale, down * scale];
  return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
}

/** @param {CanvasRenderingContext2D} context @param {Drawing} drawing @param {string} board @param {Box} box */
export function paintStrokes(context, drawing, board, box) {
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = Math.max(2, box.width / 320);
  for (const strokes of drawing.strokes.peek().values())
    for (const stroke of strokes) {
      if (stroke.board !== board) continue;
      context.strokeStyle = COLOURS[stroke.colour];
      context.beginPath();
      for (let at = 0; at < stroke.points.length; at += 2) {
        const x = box.x + (stroke.points[at] / SPAN) * box.width;
        const y = box.y + (stroke.points[at + 1] / SPAN) * box.height;
        if (at === 0) context.moveTo(x, y);
        context.lineTo(x, y);
      }
      context.stroke();
    }
}

/**
 * @param {CanvasRenderingContext2D} context @param {Drawing} drawing @param {string} board @param {Box} box
 * @param {number} now milliseconds @returns {boolean} whether one is still to be seen, and fades
 */
export function paintPointers(context, drawing, board, box, now) {
  let isSeen = false;
  context.font = "600 13px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (const pointer of drawing.pointers.peek().values()) {
    const left = 1 - (now - pointer.at) / FADES;
    if (pointer.board !== board || left <= 0) continue;
    isSeen = true;
    const [x, y] = [box.x + (pointer.x / SPAN) * box.width, box.y + (pointer.y / SPAN) * box.height];
    context.globalAlpha = CALM.matches ? 1 : Math.min(1, 2 * left);
    context.fillStyle = COLOURS[pointer.colour];
    context.strokeStyle = "white";
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, 7, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
    if (pointer.label) {
      const label = [...pointer.label].slice(0, MAX_LABEL).join("");
      const width = context.measureText(label).width + 12;
      const start = x + 12 + width > box.x + box.width ? x - 12 - width : x + 12;
      context.fillStyle = "rgb(0 0 0 / 0.8)";
      context.beginPath();
      context.roundRect(start, y - 11, width, 22, 6);
      context.fill();
      context.fillStyle = "white";
      context.fillText(label, start + 6, y);
    }
    context.globalAlpha = 1;
  }
  return isSeen;
}
