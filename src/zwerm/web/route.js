/** Where the person is: `#/files/photos/2026?sort=name` is a page, a path below it, and parameters. */
import { signal } from "./vendor/preact.js";

/** @typedef {{page: string, path: string, parameters: URLSearchParams}} Route */

/** @param {string} hash @returns {Route} */
export function parse(hash) {
  const [place, query = ""] = hash.replace(/^#/, "").split("?", 2);
  const names = place.split("/").filter(Boolean);
  const decoded = names.map((name) => {
    try {
      return decodeURIComponent(name);
    } catch {
      return name; // an address typed by hand may hold a lone percent sign
    }
  });
  return { page: decoded[0] ?? "home", path: `/${decoded.slice(1).join("/")}`, parameters: new URLSearchParams(query) };
}

/**
 * The address of a page, to put in an `href`.
 * @param {string} page
 * @param {string} [path]
 * @param {Record<string, string | undefined>} [parameters]
 */
export function href(page, path = "/", parameters = {}) {
  const names = path.split("/").filter(Boolean).map(encodeURIComponent);
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, value);
  const tail = query.size ? `?${query}` : "";
  return `#/${[page, ...names].join("/")}${tail}`;
}

export const route = signal(parse(location.hash));

addEventListener("hashchange", () => {
  route.value = parse(location.hash);
});

/** Go there, as a click on the link would. @param {string} address */
export function go(address) {
  location.hash = address;
}

/** Change the address without a new step in the browser's history. @param {string} address */
export function replace(address) {
  history.replaceState(null, "", address);
  route.value = parse(address);
}
