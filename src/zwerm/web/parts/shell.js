/**
 * The frame around every page: the rail (a bar at the bottom on a phone), what lies over all pages, and dropping files
 * anywhere.
 */
import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { connection, node } from "../events.js";
import { addDropped, folderName } from "../files/actions.js";
import { ReachDialog } from "../files/reach-view.js";
import { ShareDialog } from "../files/share-dialog.js";
import { duration, size } from "../format.js";
import { useKeys } from "../keys.js";
import { t } from "../language.js";
import { PAGES, pageOf } from "../pages.js";
import { go, href, route } from "../route.js";
import { CodeDialog } from "./code-dialog.js";
import { Icon } from "./icon.js";
import { KeyDialog } from "./key-dialog.js";
import { KeysDialog } from "./keys-dialog.js";
import { Mark } from "./mark.js";
import { Menu, openMenu } from "./menu.js";
import { Notices, undoLast } from "./notices.js";
import { Palette } from "./palette.js";

/** On a phone the bar holds four pages; the rest is behind one button. */
const IN_BAR = 4;

function Brand() {
  return html`<a class="brand" href=${href("home")} aria-label=${t("nav.brand")}><${Mark} stirring />zwerm</a>`;
}

/** @param {{find: () => void, keys: () => void}} props */
function Rail({ find, keys }) {
  const current = pageOf(route.value.page);
  /** @param {MouseEvent} event */
  const more = (event) =>
    openMenu(event, t("nav.more"), [
      ...PAGES.slice(IN_BAR).map((page) => ({ label: t(page.label), icon: page.icon, run: () => go(href(page.name)) })),
      "line",
      { label: t("palette.title"), icon: "search", run: find },
      { label: t("keys.title"), icon: "keyboard", run: keys },
    ]);
  return html`<div class="rail">
    <${Brand} />
    <button type="button" class="find" onClick=${find}>
      <${Icon} name="search" />${t("palette.open")}<kbd>Ctrl K</kbd>
    </button>
    <nav aria-label=${t("nav.pages")}>
      ${PAGES.map(
        (page, index) =>
          html`<a
            href=${href(page.name)}
            class=${index >= IN_BAR ? "later" : ""}
            aria-current=${page === current ? "page" : null}
            ><${Icon} name=${page.icon} />${t(page.label)}</a
          >`,
      )}
      <button type="button" aria-haspopup="menu" onClick=${more}><${Icon} name="more" />${t("nav.more")}</button>
    </nav>
    <${NodeState} />
  </div>`;
}

function NodeState() {
  const facts = node.value;
  const state = connection.value;
  const words =
    state === "lost"
      ? t("node.away")
      : state === "connecting" || !facts
        ? t("node.connecting")
        : facts.state === "stopping"
          ? t("node.stopping")
          : t("node.running");
  return html`<div class="node-state" role="status">
    <span
      ><span
        class=${state === "live" && facts?.state === "ready" ? "dot" : state === "lost" ? "dot off" : "dot wait"}
      /><b>${words}</b></span
    >
    <span>${facts ? `${size(facts.size.disk)} · ${t("node.since", { time: duration(facts.uptime) })}` : ""}</span>
  </div>`;
}

/** Files dropped anywhere go to the folder that is open, or to the top. */
function DropAnywhere() {
  const [over, setOver] = useState(false);
  const inside = useRef(0);
  const folder = route.value.page === "files" ? route.value.path : "/";
  const current = useRef(folder);
  current.current = folder;
  useEffect(() => {
    /** On the page Connect and on a stage they are sent. @param {DragEvent} event */
    const brings = (event) =>
      route.value.page !== "connect" &&
      !document.querySelector(".scene") &&
      (event.dataTransfer?.types.includes("Files") ?? false);
    /** @type {Record<string, (event: DragEvent) => void>} */
    const listeners = {
      dragenter(event) {
        if (!brings(event)) return;
        inside.current += 1;
        setOver(true);
      },
      dragleave(event) {
        if (!brings(event)) return;
        inside.current = Math.max(0, inside.current - 1);
        if (inside.current === 0) setOver(false);
      },
      dragover(event) {
        if (brings(event)) event.preventDefault();
      },
      drop(event) {
        inside.current = 0;
        setOver(false);
        if (event.defaultPrevented || !brings(event) || !event.dataTransfer) return;
        event.preventDefault();
        void addDropped(event.dataTransfer, current.current);
      },
    };
    for (const [name, listener] of Object.entries(listeners))
      addEventListener(name, /** @type {EventListener} */ (listener));
    return () => {
      for (const [name, listener] of Object.entries(listeners))
        removeEventListener(name, /** @type {EventListener} */ (listener));
    };
  }, []);
  return (
    over &&
    html`<div class="drop-over">
      <div>
        <${Mark} /><b>${t("drop.here", { folder: folderName(folder) })}</b>
        <p>${t("drop.text")}</p>
      </div>
    </div>`
  );
}

/** A page begins at its top, with the focus on its name, so that a screen reader says where one is. */
function usePageFocus() {
  const shown = useRef(route.value.page);
  const { page } = route.value;
  useLayoutEffect(() => {
    if (shown.current === page) return;
    shown.current = page;
    scrollTo(0, 0);
    /** @type {HTMLElement | null} */ (document.querySelector("main h1"))?.focus({ preventScroll: true });
  }, [page]);
}

export function Shell() {
  const [over, setOver] = useState(/** @type {"palette" | "keys" | null} */ (null));
  const page = pageOf(route.value.page);
  usePageFocus();
  const find = () => setOver("palette");
  const keys = () => setOver("keys");
  useKeys({
    "mod+k": () => setOver(over === "palette" ? null : "palette"),
    "?": keys,
    "mod+z": undoLast,
    ...Object.fromEntries(PAGES.map(({ key, name }) => [key, () => go(href(name))])),
  });
  return html`<a
      class="skip button first"
      href="#main"
      onClick=${(/** @type {Event} */ event) => {
        event.preventDefault();
        /** @type {HTMLElement | null} */ (document.querySelector("main"))?.focus();
      }}
      >${t("nav.skip")}</a
    >
    <${Rail} find=${find} keys=${keys} />
    <div class="topbar">
      <${Brand} /><button type="button" class="plain square" aria-label=${t("palette.title")} onClick=${find}>
        <${Icon} name="search" />
      </button>
    </div>
    <main id="main" tabindex="-1">
      ${
        connection.value === "lost" &&
        html`<div class="banner" role="status"><${Icon} name="warning" />${t("node.awayText")}</div>`
      }
      <${page.view} key=${page.name} />
    </main>
    ${over === "palette" && html`<${Palette} close=${() => setOver(null)} keys=${keys} />`}
    ${over === "keys" && html`<${KeysDialog} close=${() => setOver(null)} />`}
    <${ShareDialog} /><${ReachDialog} /><${CodeDialog} /><${KeyDialog} /><${DropAnywhere} /><${Notices} /><${Menu} />`;
}
