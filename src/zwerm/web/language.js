/**
 * The words of the page: one catalogue a language, the English one defines the keys.
 * A message is text with `{name}` places, or `{one, other}` chosen by the value `n`. Untranslated keys do not pass
 * `tools/check-web`.
 */
import { computed, signal } from "./vendor/preact.js";
import en from "./i18n/en.js";

/** @typedef {keyof typeof en} Key */
/** @typedef {"en" | "nl"} Language */
/** @typedef {Record<string, string | number>} Values */
/** @typedef {string | {one: string, other: string}} Message */

/**
 * The catalogues that are here; another language comes when it is first spoken, and until then English stands in.
 * @type {Partial<Record<Language, Record<Key, Message>>>}
 */
const catalogues = { en };

/** @param {Language} wanted */
async function fetchCatalogue(wanted) {
  if (wanted === "nl") catalogues.nl ??= (await import("./i18n/nl.js")).default;
}

/** What a language calls itself. @type {Record<Language, string>} */
export const LANGUAGES = { en: "English", nl: "Nederlands" };

const chosen = localStorage.getItem("zwerm.language");

/** The language chosen here, or "system". */
export const languageChoice = signal(
  /** @type {Language | "system"} */ (chosen === "en" || chosen === "nl" ? chosen : "system"),
);

/** @returns {Language} */
const systemLanguage = () => (/^nl\b/i.test(navigator.language) ? "nl" : "en");

export const language = computed(() => {
  return languageChoice.value === "system" ? systemLanguage() : languageChoice.value;
});

await fetchCatalogue(language.value).catch(() => undefined); // before anything is drawn

/** The locale for numbers and dates: the browser's own where it speaks the page's language. */
export const locale = computed(() => {
  const own = navigator.languages.find((tag) => tag.toLowerCase().startsWith(language.value));
  return own ?? (language.value === "en" ? "en-GB" : "nl-NL");
});

const plurals = computed(() => new Intl.PluralRules(language.value));

/**
 * A path as people read it: what stands for a byte that is no UTF-8 (docs/app-api.md) is shown as such.
 * @param {string} text
 */
export const legible = (text) => text.replace(/[\u{10fe80}-\u{10feff}]/gu, "\ufffd");

/**
 * A message in the page's language. Numbers among the values are written as the locale writes them.
 * @param {Key} key
 * @param {Values} [values]
 * @returns {string}
 */
export function t(key, values) {
  const message = (catalogues[language.value] ?? en)[key];
  const text =
    typeof message === "string"
      ? message
      : message[plurals.value.select(Number(values?.n ?? 0)) === "one" ? "one" : "other"];
  if (values === undefined) return text;
  return text.replace(/\{(\w+)\}/g, (place, name) => {
    const value = values[name];
    if (value === undefined) return place;
    return typeof value === "number" ? value.toLocaleString(locale.value) : legible(value);
  });
}

/** @param {Language | "system"} choice @returns {Promise<void>} fails, changing nothing, when the words cannot be had */
export async function chooseLanguage(choice) {
  await fetchCatalogue(choice === "system" ? systemLanguage() : choice);
  if (choice === "system") localStorage.removeItem("zwerm.language");
  else localStorage.setItem("zwerm.language", choice);
  languageChoice.value = choice;
  document.documentElement.lang = language.value;
}
