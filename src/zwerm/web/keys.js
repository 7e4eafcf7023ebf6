/** The keyboard: parts say what a key does while they are there; typing in a field and open dialogs come first. */
import { useEffect, useRef } from "./vendor/preact.js";

/**
 * @typedef {Record<string, (event: KeyboardEvent) => void>} Bindings `mod+k`, `shift+a`, `?`, `g f` (one after the
 * other)
 */

/** @type {{current: Bindings}[]} */
const layers = [];
let first = ""; // the first of two keys, for a second and a half
let firstAt = 0;

/** @param {EventTarget | null} target */
const typing = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) &&
      !/^(checkbox|radio|button)$/.test(/** @type {HTMLInputElement} */ (target).type)));

/** @param {KeyboardEvent} event */
function nameOf(event) {
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("mod");
  if (event.altKey) parts.push("alt");
  if (event.shiftKey && event.key.length > 1) parts.push("shift");
  parts.push(event.key === " " ? "space" : event.key.toLowerCase());
  return parts.join("+");
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const name = nameOf(event);
  const free = !typing(event.target) && !document.querySelector("dialog[open], .menu:popover-open");
  if (!free && !name.startsWith("mod+k")) return;
  const sequence = first && event.timeStamp - firstAt < 1500 ? `${first} ${name}` : "";
  for (const layer of layers.toReversed()) {
    const action = (sequence && layer.current[sequence]) || layer.current[name];
    if (action) {
      first = "";
      event.preventDefault();
      action(event);
      return;
    }
  }
  first = name;
  firstAt = event.timeStamp;
});

/** While the part is shown, these keys are its own; the last one to appear comes first. @param {Bindings} bindings */
export function useKeys(bindings) {
  const current = useRef(bindings);
  current.current = bindings;
  useEffect(() => {
    layers.push(current);
    return () => {
      layers.splice(layers.indexOf(current), 1);
    };
  }, []);
}
