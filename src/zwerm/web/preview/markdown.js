/**
 * A small Markdown: what people write in a README, read into elements and never into markup. Raw HTML stays text, so
 * nothing has to be cleaned.
 * Read: headings, paragraphs, lists (nested, tasks), quotes, fenced and indented code, tables, rules; emphasis, code,
 * links, pictures, breaks.
 * Not read: reference links, footnotes, HTML.
 */
import { html } from "../vendor/preact.js";

/**
 * @typedef {{base: string}} Context where relative links and pictures are: an address on the gateway, ending in a
 * slash; may be empty
 */

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const TABLE_LINE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const DEEPEST = 12; // levels of nesting; deeper text stays flat

/**
 * Where a link may go: the web, a mail, or a neighbour in the same folder; null for anything that could run.
 * @param {string} target @param {Context} context
 */
export function safeAddress(target, { base }) {
  if (/^(https?:\/\/|mailto:)/i.test(target)) return target;
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) || target.startsWith("//") || !base) return null;
  try {
    const address = new URL(target.replace(/^\/+/, ""), base);
    return address.href.startsWith(new URL(base).origin) ? address.href : null;
  } catch {
    return null;
  }
}

/** The kinds of marked words, in the order they are looked for; `element` takes the groups in this order. */
const INLINE = new RegExp(
  [
    /(?<ticks>`+)(.+?)\k<ticks>(?!`)/, // code
    /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(\s*<?([^\s<>]*?)>?(?:\s+"[^"]*")?\s*\)/, // a link or a picture
    /(?<two>\*\*|__)(?=\S)(.+?\S|\S)\k<two>/, // strong
    /(?<one>\*|_)(?=\S)([^*_]*?[^\s*_])\k<one>(?!\w)/, // emphasis
    /~~(?=\S)(.+?)~~/,
    /<(https?:\/\/[^\s>]+)>/,
    /(https?:\/\/[^\s<>()]*[^\s<>().,;:!?'"])/,
    /\\([\\`*_{}[\]()#+.!|~<>-])/,
    /( {2,}\n|\\\n)/, // a break
  ]
    .map((kind) => kind.source)
    .join("|"),
);

/**
 * The words of one block.
 * @param {string} text @param {Context} context @param {number} [depth]
 * @returns {any[]}
 */
export function inline(text, context, depth = 0) {
  const out = [];
  let rest = text;
  while (rest) {
    const found = depth < DEEPEST ? INLINE.exec(rest) : null;
    if (!found) break;
    if (found.index) out.push(rest.slice(0, found.index));
    rest = rest.slice(found.index + found[0].length);
    out.push(element(found, context, depth + 1));
  }
  if (rest) out.push(rest);
  return out;
}

/** @param {RegExpExecArray} found @param {Context} context @param {number} depth */
function element(found, context, depth) {
  const [whole, , code, picture, label, target, , strong, , emphasis, struck, angled, bare, escaped, lineBreak] = found;
  if (code !== undefined) return html`<code>${code.trim()}</code>`;
  if (label !== undefined) return linked(picture === "!", label, target, context, depth);
  if (strong !== undefined) return html`<strong>${inline(strong, context, depth)}</strong>`;
  if (emphasis !== undefined) return html`<em>${inline(emphasis, context, depth)}</em>`;
  if (struck !== undefined) return html`<s>${inline(struck, context, depth)}</s>`;
  if (angled ?? bare)
    return html`<a href=${angled ?? bare} target="_blank" rel="noreferrer noopener">${angled ?? bare}</a>`;
  if (escaped !== undefined) return escaped;
  return lineBreak !== undefined ? html`<br />` : whole;
}

/**
 * @param {boolean} picture
 * @param {string} label
 * @param {string} target
 * @param {Context} context
 * @param {number} depth
 */
function linked(picture, label, target, context, depth) {
  const address = safeAddress(target, context);
  if (address === null) return html`<span>${inline(label, context, depth)}</span>`;
  const own = context.base && address.startsWith(new URL(context.base).origin);
  // A picture of another site would tell it who reads this: it stays a link.
  if (picture && own) return html`<img src=${address} alt=${label} loading="lazy" />`;
  return html`<a href=${address} target="_blank" rel="noreferrer noopener"
    >${inline(label || target, context, depth)}</a
  >`;
}

/** @param {string} line */
const cellsOf = (line) =>
  line
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));

/** @param {string} line */
const startsBlock = (line) =>
  FENCE.test(line) || HEADING.test(line) || RULE.test(line) || ITEM.test(line) || /^ {0,3}>/.test(line);

/**
 * Blocks from lines; each reader takes what is its own and says how many lines that was.
 * @param {string[]} lines @param {Context} context @param {number} [depth]
 * @returns {any[]}
 */
export function blocks(lines, context, depth = 0) {
  const out = [];
  for (let at = 0; at < lines.length;) {
    const line = lines[at];
    if (!line.trim()) {
      at += 1;
      continue;
    }
    const reader =
      [readFence, readHeading, readRule, readQuote, readList, readTable, readIndented].find(
        (candidate) => candidate(lines, at, context, depth) !== null,
      ) ?? readParagraph;
    const read = /** @type {{element: any, lines: number}} */ (reader(lines, at, context, depth));
    out.push(read.element);
    at += read.lines;
  }
  return out;
}

/**
 * @typedef {(lines: string[], at: number, context: Context, depth: number) => {element: any, lines: number} | null}
 * Reader
 */

/** @type {Reader} */
function readFence(lines, at) {
  const found = FENCE.exec(lines[at]);
  if (!found) return null;
  let end = at + 1;
  while (end < lines.length && !lines[end].trim().startsWith(found[1])) end += 1;
  return {
    element: html`<pre tabindex="0"><code>${lines.slice(at + 1, end).join("\n")}</code></pre>`,
    lines: end - at + 1,
  };
}

/** @type {Reader} */
function readHeading(lines, at, context) {
  const found = HEADING.exec(lines[at]);
  if (!found) return null;
  const level = Math.min(found[1].length + 2, 6); // the page has its own h1 and h2
  return {
    element: html`<${`h${level}`} class=${`heading-${found[1].length}`}>${inline(found[2], context)}<//>`,
    lines: 1,
  };
}

/** @type {Reader} */
const readRule = (lines, at) => (RULE.test(lines[at]) ? { element: html`<hr />`, lines: 1 } : null);

/** @type {Reader} */
function readQuote(lines, at, context, depth) {
  if (!/^ {0,3}>/.test(lines[at]) || depth > DEEPEST) return null;
  let end = at;
  while (end < lines.length && lines[end].trim() && (/^ {0,3}>/.test(lines[end]) || !startsBlock(lines[end]))) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(/^ {0,3}> ?/, ""));
  return { element: html`<blockquote>${blocks(inner, context, depth + 1)}</blockquote>`, lines: end - at };
}

/** @type {Reader} */
function readList(lines, at, context, depth) {
  const first = ITEM.exec(lines[at]);
  if (!first || depth > DEEPEST) return null;
  const indent = first[1].length;
  const ordered = /\d/.test(first[2]);
  /** @type {string[][]} */
  const items = [];
  let end = at;
  for (; end < lines.length; end += 1) {
    const line = lines[end];
    const item = ITEM.exec(line);
    const margin = line.length - line.trimStart().length;
    if (item && margin <= indent + 1 && /\d/.test(item[2]) === ordered) items.push([item[3]]);
    else if (!line.trim()) {
      const next = lines[end + 1] ?? "";
      if (!next.trim() || (!ITEM.test(next) && next.length - next.trimStart().length <= indent)) break;
      items[items.length - 1].push("");
    } else if (margin > indent || !startsBlock(line))
      items[items.length - 1].push(line.slice(Math.min(margin, indent + 2)));
    else break;
  }
  return {
    element: html`<${ordered ? "ol" : "ul"} start=${ordered ? parseInt(first[2], 10) : null}
      >${items.map((item) => listItem(item, context, depth + 1))}<//
    >`,
    lines: end - at,
  };
}

/** @param {string[]} lines @param {Context} context @param {number} depth */
function listItem(lines, context, depth) {
  const task = /^\[([ xX])\]\s+/.exec(lines[0]);
  const [first, ...rest] = task ? [lines[0].slice(task[0].length), ...lines.slice(1)] : lines;
  const simple = rest.findIndex((line) => !line.trim() || startsBlock(line));
  const own = [first, ...rest.slice(0, simple < 0 ? rest.length : simple)].join("\n");
  const below = simple < 0 ? [] : rest.slice(simple);
  return html`<li class=${task ? "task" : null}>
    ${
      task && html`<input type="checkbox" disabled checked=${task[1] !== " "} aria-label=${own} />`
    }${inline(own, context)}${below.length > 0 && blocks(below, context, depth)}
  </li>`;
}

/** @type {Reader} */
function readTable(lines, at, context) {
  if (
    !lines[at].includes("|") ||
    at + 1 >= lines.length ||
    !TABLE_LINE.test(lines[at + 1]) ||
    !lines[at + 1].includes("-")
  )
    return null;
  const head = cellsOf(lines[at]);
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|") && lines[end].trim()) end += 1;
  const rows = lines.slice(at + 2, end).map(cellsOf);
  return {
    element: html`<div class="table" tabindex="0">
      <table>
        <thead>
          <tr>
            ${head.map((cell) => html`<th scope="col">${inline(cell, context)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                ${head.map((_, column) => html`<td>${inline(row[column] ?? "", context)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`,
    lines: end - at,
  };
}

/** @type {Reader} */
function readIndented(lines, at) {
  if (!/^( {4}|\t)/.test(lines[at])) return null;
  let end = at;
  while (
    end < lines.length &&
    (/^( {4}|\t)/.test(lines[end]) || (!lines[end].trim() && /^( {4}|\t)/.test(lines[end + 1] ?? "")))
  )
    end += 1;
  return {
    element: html`<pre tabindex="0"><code>${lines
      .slice(at, end)
      .map((line) => line.replace(/^( {4}|\t)/, ""))
      .join("\n")}</code></pre>`,
    lines: end - at,
  };
}

/** @type {Reader} */
function readParagraph(lines, at, context) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !startsBlock(lines[end])) {
    if (/^ {0,3}(=+|-+)\s*$/.test(lines[end])) {
      const level = lines[end].includes("=") ? 1 : 2;
      return {
        element: html`<${`h${level + 2}`} class=${`heading-${level}`}
          >${inline(lines.slice(at, end).join(" "), context)}<//
        >`,
        lines: end - at + 1,
      };
    }
    end += 1;
  }
  return {
    element: html`<p>
      ${inline(
        lines
          .slice(at, end)
          .map((line) => line.trimStart())
          .join("\n"),
        context,
      )}
    </p>`,
    lines: end - at,
  };
}

/** @param {{text: string, base: string}} props */
export function Markdown({ text, base }) {
  return html`<article class="prose">${blocks(text.replaceAll("\r\n", "\n").split("\n"), { base })}</article>`;
}
