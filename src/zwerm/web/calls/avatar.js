/** Somebody as a letter on a colour of their own: the same name looks the same everywhere. */
import { html } from "../vendor/preact.js";

/** @param {string} name */
function hueOf(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360;
  return Math.floor(sum / 30);
}

/** @param {{name: string, size?: "large" | ""}} props */
export function Avatar({ name, size = "" }) {
  const letter = [...name].find((each) => /[\p{L}\p{N}]/u.test(each)) ?? "·";
  return html`<span class=${`avatar hue-${hueOf(name)} ${size}`} aria-hidden="true">${letter.toUpperCase()}</span>`;
}
