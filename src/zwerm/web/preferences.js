/**
 * What a person chose for this browser: theme, and how files are shown. The node's own settings are on the settings
 * page.
 */
import { effect, signal } from "./vendor/preact.js";

/** @typedef {"system" | "light" | "dark"} Theme */
/** @typedef {"name" | "size" | "modified" | "type"} Sort */

/** @param {string} name @param {string[]} allowed the first is the default */
function kept(name, allowed) {
  const value = signal(
    allowed.includes(localStorage.getItem(name) ?? "")
      ? /** @type {string} */ (localStorage.getItem(name))
      : allowed[0],
  );
  effect(() => {
    if (value.value === allowed[0]) localStorage.removeItem(name);
    else localStorage.setItem(name, value.value);
  });
  return value;
}

export const theme = /** @type {import("./vendor/preact.js").Signal<Theme>} */ (
  kept("zwerm.theme", ["system", "light", "dark"])
);
export const view = kept("zwerm.view", ["list", "grid"]);
export const sort = /** @type {import("./vendor/preact.js").Signal<Sort>} */ (
  kept("zwerm.sort", ["name", "size", "modified", "type"])
);
export const order = kept("zwerm.order", ["asc", "desc"]);

effect(() => {
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});
