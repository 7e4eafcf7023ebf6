/** Ctrl K: one field that finds pages, files, addresses of content and things to do. */
import { html, useEffect, useId, useRef, useState } from "../vendor/preact.js";
import { read } from "../api.js";
import { choose } from "../files/actions.js";
import { kindOf } from "../content.js";
import { parentOf, shortHash } from "../format.js";
import { LANGUAGES, chooseLanguage, language, legible, t } from "../language.js";
import { PAGES } from "../pages.js";
import { theme } from "../preferences.js";
import { useResource } from "../resource.js";
import { go, href } from "../route.js";
import { Dialog } from "./dialog.js";
import { FailureCard } from "./failure-card.js";
import { Icon } from "./icon.js";

/** @import {Entry} from "../types.d.ts" */

/**
 * @typedef {{label: string, hint?: string, icon: import("./icon.js").IconName, run: () => void, group: string}} Choice
 */

/** Whether a text may be the address of content: a CID, `/ipfs/...`, `ipfs://...`. @param {string} text */
export const looksLikeContent = (text) =>
  /^(\/ip[fn]s\/|ipfs:\/\/|Qm[1-9A-HJ-NP-Za-km-z]{44}|b[a-z2-7]{20,}|[zf][0-9A-Za-z]{20,})/.test(text);

/** Text without case and accents, so that `é` is found by `e`. @param {string} text */
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** @param {string} query @param {() => void} keys @returns {Choice[]} */
function fixedChoices(query, keys) {
  const other = language.value === "en" ? "nl" : "en";
  const dark =
    theme.value === "dark" || (theme.value === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  /** @type {Choice[]} */
  const choices = [
    ...PAGES.map((page) => ({
      label: t(page.label),
      icon: page.icon,
      run: () => go(href(page.name)),
      hint: page.key.toUpperCase(),
      group: t("palette.pages"),
    })),
    { label: t("files.addFiles"), icon: "upload", run: () => choose("files", "/"), group: t("palette.actions") },
    { label: t("files.addFolder"), icon: "folder", run: () => choose("folder", "/"), group: t("palette.actions") },
    {
      label: t("files.newFolder"),
      icon: "folderPlus",
      run: () => go(href("files", "/", { ask: "folder" })),
      group: t("palette.actions"),
    },
    {
      label: t("files.addByAddress"),
      icon: "link",
      run: () => go(href("files", "/", { ask: "keep" })),
      group: t("palette.actions"),
    },
    {
      label: t(dark ? "palette.light" : "palette.dark"),
      icon: "sun",
      run: () => {
        theme.value = dark ? "light" : "dark";
      },
      group: t("palette.actions"),
    },
    {
      label: t("palette.language", { language: LANGUAGES[other] }),
      icon: "text",
      run: () => chooseLanguage(other),
      group: t("palette.actions"),
    },
    { label: t("keys.title"), icon: "keyboard", run: keys, hint: "?", group: t("palette.actions") },
  ];
  const words = plain(query).split(/\s+/).filter(Boolean);
  return choices.filter((choice) => words.every((word) => plain(choice.label).includes(word)));
}

/** @param {Entry} entry @returns {Choice} */
function fileChoice(entry) {
  const kind = kindOf(entry);
  const run = () =>
    go(kind === "folder" ? href("files", entry.path) : href("files", parentOf(entry.path), { show: entry.name }));
  return {
    label: entry.name,
    hint: legible(parentOf(entry.path)),
    icon: kind === "markdown" ? "text" : kind,
    run,
    group: t("nav.files"),
  };
}

/** @param {{close: () => void, keys: () => void}} props */
export function Palette({ close, keys }) {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const list = useRef(/** @type {HTMLUListElement | null} */ (null));
  const text = query.trim();
  const found = useResource(
    async (signal) =>
      text.length > 1
        ? /** @type {{entries: Entry[]}} */ (await read("files/search", { q: text, limit: 20 }, signal))
        : null,
    [text],
  );

  /** @type {Choice[]} */
  const choices = [
    ...(looksLikeContent(text)
      ? [
          {
            label: t("palette.explore", { address: shortHash(text) }),
            icon: /** @type {const} */ ("graph"),
            run: () => go(href("explore", text)),
            group: t("palette.content"),
          },
        ]
      : []),
    ...fixedChoices(text, keys),
    ...(found.data?.entries ?? []).map(fileChoice),
  ];
  const current = Math.min(at, choices.length - 1);
  useEffect(() => setAt(0), [text]);
  useEffect(
    () => list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }),
    [current],
  );

  /** @param {Choice} choice */
  const run = (choice) => {
    close();
    choice.run();
  };
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    const steps = {
      ArrowDown: (current + 1) % choices.length,
      ArrowUp: (current + choices.length - 1) % choices.length,
      Home: query ? undefined : 0,
      End: query ? undefined : choices.length - 1,
    };
    const to = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (to !== undefined && choices.length) {
      event.preventDefault();
      setAt(to);
    } else if (event.key === "Enter" && choices[current]) {
      event.preventDefault();
      run(choices[current]);
    }
  };
  let group = "";
  return html`<${Dialog} title=${t("palette.title")} close=${close} kind="palette" bare>
    <div class="bar">
      <${Icon} name="search" /><input
        class="bare"
        data-first
        role="combobox"
        aria-expanded="true"
        aria-controls=${id}
        aria-activedescendant=${choices.length ? `${id}-${current}` : null}
        aria-label=${t("palette.title")}
        placeholder=${t("palette.placeholder")}
        autocomplete="off"
        spellcheck=${false}
        onInput=${(/** @type {any} */ event) => setQuery(event.currentTarget.value)}
        onKeyDown=${press}
      /><kbd>Esc</kbd>
    </div>
    <ul id=${id} ref=${list} role="listbox" aria-label=${t("palette.found")}>
      ${choices.map((choice, index) => {
        const heading = choice.group !== group;
        group = choice.group;
        return html`${heading && html`<li class="group" role="presentation">${group}</li>`}
          <li
            id=${`${id}-${index}`}
            role="option"
            aria-selected=${index === current}
            onMouseMove=${() => setAt(index)}
            onClick=${() => run(choice)}
          >
            <${Icon} name=${choice.icon} /><span class="ellipsis">${choice.label}</span
            >${choice.hint && html`<span class="hint ellipsis">${choice.hint}</span>`}
          </li>`;
      })}
      ${
        choices.length === 0 &&
        !found.loading &&
        !found.failure &&
        html`<li class="group" role="presentation">${t("palette.none", { query: text })}</li>`
      }
    </ul>
    ${found.failure && html`<${FailureCard} failure=${found.failure} retry=${found.reload} />`}
    <div class="unseen" aria-live="polite">${t("palette.count", { n: choices.length })}</div>
  <//>`;
}
