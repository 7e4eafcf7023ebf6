/** A shared picture with what was drawn on it, as a PNG file. */
import { paintStrokes } from "./paint.js";

/** @import {Drawing} from "./drawing.js" */

/** @param {HTMLVideoElement} video @param {Drawing} drawing @param {string} board @returns {Promise<File | null>} */
export async function snapshot(video, drawing, board) {
  const { videoWidth: width, videoHeight: height } = video;
  if (!width || !height) return null; // no picture came yet
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.drawImage(video, 0, 0);
  paintStrokes(context, drawing, board, { x: 0, y: 0, width, height });
  const blob = await new Promise((/** @type {BlobCallback} */ done) => canvas.toBlob(done, "image/png"));
  if (!blob) return null;
  const at = new Date();
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  const name = `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(".")}.png`;
  return new File([blob], name, { type: "image/png" });
}
