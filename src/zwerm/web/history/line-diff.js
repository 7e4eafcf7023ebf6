/**
 * What changed between two texts, line by line (Myers, "An O(ND) Difference Algorithm", 1986), with a bound on the
 * work.
 */

/**
 * @typedef {{kind: "same" | "added" | "removed", text: string, before: number | null, after: number | null}} Line
 * numbers count from 1
 */

const MOST_EDITS = 2000; // beyond this many differing lines the texts are shown as replaced whole

/**
 * @param {string[]} a @param {string[]} b
 * @returns {number[][] | null} the furthest points of each round, for walking back; null when there are too many edits
 */
function rounds(a, b) {
  const most = Math.min(a.length + b.length, MOST_EDITS);
  const furthest = new Map([[1, 0]]);
  const trace = [];
  for (let edits = 0; edits <= most; edits += 1) {
    trace.push(/** @type {any} */ (new Map(furthest)));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
      let x = down ? (furthest.get(k + 1) ?? 0) : (furthest.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      furthest.set(k, x);
      if (x >= a.length && x - k >= b.length) return trace;
    }
  }
  return null;
}

/** @param {string} text */
const linesOf = (text) => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

/** @param {string} before @param {string} after @returns {Line[]} */
export function lineDiff(before, after) {
  const a = linesOf(before);
  const b = linesOf(after);
  const trace = /** @type {Map<number, number>[] | null} */ (/** @type {unknown} */ (rounds(a, b)));
  if (trace === null) {
    return [
      ...a.map((text, index) => ({ kind: /** @type {const} */ ("removed"), text, before: index + 1, after: null })),
      ...b.map((text, index) => ({ kind: /** @type {const} */ ("added"), text, before: null, after: index + 1 })),
    ];
  }
  /** @type {Line[]} */
  const lines = [];
  let x = a.length;
  let y = b.length;
  for (let edits = trace.length - 1; edits >= 0; edits -= 1) {
    const furthest = trace[edits];
    const k = x - y;
    const down = k === -edits || (k !== edits && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
    const fromX = furthest.get(down ? k + 1 : k - 1) ?? 0;
    const fromY = fromX - (down ? k + 1 : k - 1);
    while (x > (edits && fromX + (down ? 0 : 1)) && y > (edits && fromY + (down ? 1 : 0))) {
      x -= 1;
      y -= 1;
      lines.push({ kind: "same", text: a[x], before: x + 1, after: y + 1 });
    }
    if (edits === 0) break;
    if (down) lines.push({ kind: "added", text: b[fromY], before: null, after: fromY + 1 });
    else lines.push({ kind: "removed", text: a[fromX], before: fromX + 1, after: null });
    x = fromX;
    y = fromY;
  }
  return lines.reverse();
}

/**
 * The lines worth showing: what changed, and `around` same lines beside it; a gap is a number of lines left out.
 * @param {Line[]} lines @param {number} [around]
 * @returns {(Line | number)[]}
 */
export function withoutLongSames(lines, around = 3) {
  const near = lines.map((_, index) =>
    lines.slice(Math.max(0, index - around), index + around + 1).some((line) => line.kind !== "same"),
  );
  /** @type {(Line | number)[]} */
  const out = [];
  for (const [index, line] of lines.entries()) {
    const last = out[out.length - 1];
    if (near[index]) out.push(line);
    else if (typeof last === "number") out[out.length - 1] = last + 1;
    else out.push(1);
  }
  return out;
}
