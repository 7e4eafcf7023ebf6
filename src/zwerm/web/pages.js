/** The pages of the app, in the order of the rail. The code of a page comes when it is first opened. */
import { lazyPage } from "./parts/lazy-page.js";

/**
 * @typedef {{name: string, label: import("./language.js").Key, icon: import("./parts/icon.js").IconName, key: string,
 * view: () => any}} Page
 */

/** @type {Page[]} */
export const PAGES = [
  {
    name: "home",
    label: "nav.home",
    icon: "home",
    key: "g h",
    view: lazyPage("nav.home", async () => (await import("./pages/home-page.js")).HomePage),
  },
  {
    name: "files",
    label: "nav.files",
    icon: "files",
    key: "g f",
    view: lazyPage("nav.files", async () => (await import("./pages/files-page.js")).FilesPage),
  },
  {
    name: "history",
    label: "nav.history",
    icon: "history",
    key: "g t",
    view: lazyPage("nav.history", async () => (await import("./pages/history-page.js")).HistoryPage),
  },
  {
    name: "calls",
    label: "nav.calls",
    icon: "phone",
    key: "g l",
    view: lazyPage("nav.calls", async () => (await import("./pages/calls-page.js")).CallsPage),
  },
  {
    name: "rooms",
    label: "nav.rooms",
    icon: "room",
    key: "g r",
    view: lazyPage("nav.rooms", async () => (await import("./pages/rooms-page.js")).RoomsPage),
  },
  {
    name: "peers",
    label: "nav.peers",
    icon: "swarm",
    key: "g p",
    view: lazyPage("nav.peers", async () => (await import("./pages/peers-page.js")).PeersPage),
  },
  {
    name: "names",
    label: "nav.names",
    icon: "link",
    key: "g n",
    view: lazyPage("nav.names", async () => (await import("./pages/names-page.js")).NamesPage),
  },
  {
    name: "connect",
    label: "nav.connect",
    icon: "people",
    key: "g c",
    view: lazyPage("nav.connect", async () => (await import("./pages/connect-page.js")).ConnectPage),
  },
  {
    name: "explore",
    label: "nav.explore",
    icon: "graph",
    key: "g e",
    view: lazyPage("nav.explore", async () => (await import("./pages/explore-page.js")).ExplorePage),
  },
  {
    name: "fetch",
    label: "nav.fetch",
    icon: "download",
    key: "g d",
    view: lazyPage("nav.fetch", async () => (await import("./pages/fetch-page.js")).FetchPage),
  },
  {
    name: "storage",
    label: "nav.storage",
    icon: "storage",
    key: "g o",
    view: lazyPage("nav.storage", async () => (await import("./pages/storage-page.js")).StoragePage),
  },
  {
    name: "internals",
    label: "nav.internals",
    icon: "pulse",
    key: "g i",
    view: lazyPage("nav.internals", async () => (await import("./pages/internals-page.js")).InternalsPage),
  },
  {
    name: "settings",
    label: "nav.settings",
    icon: "settings",
    key: "g s",
    view: lazyPage("nav.settings", async () => (await import("./pages/settings-page.js")).SettingsPage),
  },
];

/** The page of an address; an unknown one is the first. @param {string} name */
export const pageOf = (name) => PAGES.find((page) => page.name === name) ?? PAGES[0];
