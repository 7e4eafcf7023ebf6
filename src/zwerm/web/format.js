/** Numbers, sizes and times as a person writes them, in the language of the page. */
import { computed } from "./vendor/preact.js";
import { locale, t } from "./language.js";

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/**
 * Bytes in decimal units, three digits at most: `3.1 GB`.
 * @param {number} bytes
 */
export function size(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toLocaleString(locale.value, { maximumFractionDigits: digits })}\u00a0${UNITS[unit]}`;
}

/** @param {number} bytesPerSecond */
export const rate = (bytesPerSecond) => `${size(bytesPerSecond)}/s`;

/** @param {number} value */
export const count = (value) => value.toLocaleString(locale.value);

/** @param {number} fraction between 0 and 1 */
export const percent = (fraction) =>
  fraction.toLocaleString(locale.value, { style: "percent", maximumFractionDigits: fraction < 0.1 ? 1 : 0 });

/** What a person calls a stretch of time. @param {number} seconds */
export function duration(seconds) {
  if (seconds < 60) return t("time.seconds", { n: Math.max(0, Math.round(seconds)) });
  if (seconds < 3600) return t("time.minutes", { n: Math.round(seconds / 60) });
  if (seconds < 86_400) return t("time.hours", { n: Math.round(seconds / 3600) });
  return t("time.days", { n: Math.round(seconds / 86_400) });
}

const clock = computed(() => new Intl.DateTimeFormat(locale.value, { hour: "numeric", minute: "2-digit" }));
const dayMonth = computed(() => new Intl.DateTimeFormat(locale.value, { day: "numeric", month: "short" }));
const dayMonthYear = computed(
  () => new Intl.DateTimeFormat(locale.value, { day: "numeric", month: "short", year: "numeric" }),
);
const whole = computed(() => new Intl.DateTimeFormat(locale.value, { dateStyle: "full", timeStyle: "medium" }));
const heading = computed(
  () => new Intl.DateTimeFormat(locale.value, { weekday: "long", day: "numeric", month: "long" }),
);

/** @param {Date} a @param {Date} b */
const daysBetween = (a, b) =>
  Math.round((new Date(b).setHours(0, 0, 0, 0) - new Date(a).setHours(0, 0, 0, 0)) / 86_400_000);

/**
 * A moment beside others in a list: `just now`, `9:12`, `yesterday`, `3 Nov`.
 * @param {string | null | undefined} time RFC 3339
 * @param {Date} [now]
 */
export function when(time, now = new Date()) {
  if (!time) return "";
  const date = new Date(time);
  const age = (now.getTime() - date.getTime()) / 1000;
  if (age >= -5 && age < 60) return t("time.now");
  const days = daysBetween(date, now);
  if (days === 0) return t("time.today", { time: clock.value.format(date) });
  if (days === 1) return t("time.yesterday", { time: clock.value.format(date) });
  return (date.getFullYear() === now.getFullYear() ? dayMonth : dayMonthYear).value.format(date);
}

/** @param {string} time */
export const clockTime = (time) => clock.value.format(new Date(time));

const exact = computed(
  () =>
    new Intl.DateTimeFormat(locale.value, {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      fractionalSecondDigits: 3,
    }),
);

/** A moment of today to the millisecond. @param {number} at milliseconds since 1970 */
export const exactTime = (at) => exact.value.format(at);

/** The moment in full, for a title. @param {string | null | undefined} time */
export const moment = (time) => (time ? whole.value.format(new Date(time)) : "");

const dayTime = computed(() => new Intl.DateTimeFormat(locale.value, { dateStyle: "medium", timeStyle: "short" }));

/** @param {string} time */
export const dayAndTime = (time) => dayTime.value.format(new Date(time));

/** A day as a heading of a timeline. @param {string} time @param {Date} [now] */
export function dayHeading(time, now = new Date()) {
  const date = new Date(time);
  const days = daysBetween(date, now);
  if (days === 0) return t("time.todayHeading");
  if (days === 1) return t("time.yesterdayHeading");
  const text = (date.getFullYear() === now.getFullYear() ? heading : dayMonthYear).value.format(date);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** First six and last four characters of a long hash. @param {string} hash */
export const shortHash = (hash) => (hash.length <= 12 ? hash : `${hash.slice(0, 6)}…${hash.slice(-4)}`);

/** The last name of a path. @param {string} path */
export const lastName = (path) => path.slice(path.lastIndexOf("/") + 1);

/** The folder that holds a path. @param {string} path */
export const parentOf = (path) => path.slice(0, path.lastIndexOf("/")) || "/";

/** A path below a folder. @param {string} folder @param {string} name */
export const below = (folder, name) => (folder === "/" ? `/${name}` : `${folder}/${name}`);
