/** The pages of the app, in the order of the rail. */
import { ExplorePage } from "./pages/explore-page.js";
import { FilesPage } from "./pages/files-page.js";
import { HistoryPage } from "./pages/history-page.js";
import { HomePage } from "./pages/home-page.js";
import { SettingsPage } from "./pages/settings-page.js";
import { StoragePage } from "./pages/storage-page.js";

/**
 * @typedef {{name: string, label: import("./language.js").Key, icon: import("./parts/icon.js").IconName, key: string,
 * view: () => any}} Page
 */

/** @type {Page[]} */
export const PAGES = [
  { name: "home", label: "nav.home", icon: "home", key: "g h", view: HomePage },
  { name: "files", label: "nav.files", icon: "files", key: "g f", view: FilesPage },
  { name: "history", label: "nav.history", icon: "history", key: "g t", view: HistoryPage },
  { name: "explore", label: "nav.explore", icon: "graph", key: "g e", view: ExplorePage },
  { name: "storage", label: "nav.storage", icon: "storage", key: "g o", view: StoragePage },
  { name: "settings", label: "nav.settings", icon: "settings", key: "g s", view: SettingsPage },
];

/** The page of an address; an unknown one is the first. @param {string} name */
export const pageOf = (name) => PAGES.find((page) => page.name === name) ?? PAGES[0];
