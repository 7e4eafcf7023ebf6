/**
 * The words of the page: one catalogue a language, the English one defines the keys.
 * A message is text with `{name}` places, or `{one, other}` chosen by the value `n`. Untranslated keys do not pass
 * `tools/check-web`.
 */
import { computed, signal } from "./vendor/preact.js";
import en from "./i18n/en.js";
import nl from "./i18n/nl.js";

/** @typedef {keyof typeof en} Key */
/** @typedef {"en" | "nl"} Language */
/** @typedef {Record<string, string | number>} Values */
/** @typedef {string | {one: string, other: string}} Message */

/** @type {Record<Language, Record<Key, Message>>} */
const CATALOGUES = { en, nl };

/** What a language calls itself. @type {Record<Language, string>} */
export const LANGUAGES = { en: "English", nl: "Nederlands" };

const chosen = localStorage.getItem("zwerm.language");

/** The language chosen here, or "system". */
export const languageChoice = signal(
  /** @type {Language | "system"} */ (chosen === "en" || chosen === "nl" ? chosen : "system"),
);

export const language = computed(() => {
  if (languageChoice.value !== "system") return languageChoice.value;
  return /** @type {Language} */ (/^nl\b/i.test(navigator.language) ? "nl" : "en");
});

/** The locale for numbers and dates: the browser's own where it speaks the page's language. */
export const locale = computed(() => {
  const own = navigator.languages.find((tag) => tag.toLowerCase().startsWith(language.value));
  return own ?? (language.value === "en" ? "en-GB" : "nl-NL");
});

const plurals = computed(() => new Intl.PluralRules(language.value));

/**
 * A message in the page's language. Numbers among the values are written as the locale writes them.
 * @param {Key} key
 * @param {Values} [values]
 * @returns {string}
 */
export function t(key, values) {
  const message = CATALOGUES[language.value][key];
  const text =
    typeof message === "string"
      ? message
      : message[plurals.value.select(Number(values?.n ?? 0)) === "one" ? "one" : "other"];
  if (values === undefined) return text;
  return text.replace(/\{(\w+)\}/g, (place, name) => {
    const value = values[name];
    if (value === undefined) return place;
    return typeof value === "number" ? value.toLocaleString(locale.value) : value;
  });
}

/** @param {Language | "system"} choice */
export function chooseLanguage(choice) {
  if (choice === "system") localStorage.removeItem("zwerm.language");
  else localStorage.setItem("zwerm.language", choice);
  languageChoice.value = choice;
  document.documentElement.lang = language.value;
}
