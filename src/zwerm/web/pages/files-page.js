/** Files: what is kept in this folder? Adding, opening, naming, moving, deleting and sharing it. */
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { read } from "../api.js";
import { filesTurn, node } from "../events.js";
import { below, lastName, parentOf, size } from "../format.js";
import { choose, deletePaths, isFolder, keepContent, makeFolder, movePaths, renamePath } from "../files/actions.js";
import { Breadcrumbs } from "../files/breadcrumbs.js";
import { FileGrid } from "../files/file-grid.js";
import { FileList } from "../files/file-list.js";
import { itemsOf } from "../files/file-menu.js";
import { MoveDialog } from "../files/move-dialog.js";
import { NameDialog } from "../files/name-dialog.js";
import { share } from "../files/share-dialog.js";
import { AddButtons, Nothing, SelectionBar, ViewButtons } from "../files/toolbars.js";
import { useKeys } from "../keys.js";
import { legible, t } from "../language.js";
import { FailureCard } from "../parts/failure-card.js";
import { Icon } from "../parts/icon.js";
import { PageHead } from "../parts/page-head.js";
import { Skeleton } from "../parts/skeleton.js";
import { PreviewDialog } from "../preview/preview-dialog.js";
import { order, sort, view } from "../preferences.js";
import { useResource } from "../resource.js";
import { go, href, replace, route } from "../route.js";

/** @import {Entry, Listing} from "../types.d.ts" */
/** @import {Asked} from "../files/file-menu.js" */

const FIRST = 200; // entries asked for at once, before the person scrolls on

/**
 * The entries of a folder, the first `wanted` of them.
 * @param {string} path @param {number} wanted @param {AbortSignal} signal
 * @returns {Promise<Listing>}
 */
async function listFolder(path, wanted, signal) {
  /** @type {Listing | null} */
  let listing = null;
  do {
    const missing = wanted - (listing?.entries.length ?? 0);
    /** @type {Listing} */
    const page = await read(
      "files",
      { path, sort: sort.value, order: order.value, limit: Math.min(1000, missing), after: listing?.next },
      signal,
    );
    listing = listing ? { ...page, entries: [...listing.entries, ...page.entries] } : page;
  } while (listing.next && listing.entries.length < wanted);
  return listing;
}

/** The entry whose name has the focus. @param {Entry[]} entries */
function focusedEntry(entries) {
  const path = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.path;
  return entries.find((entry) => entry.path === path) ?? null;
}

/** What a person sees as the answer of the page. @param {Listing} listing @param {boolean} top */
function answerOf(listing, top) {
  const counts = node.value?.counts;
  const total = size(listing.entry.size);
  if (listing.total === 0) return t(top ? "files.answer.nothing" : "files.answer.emptyFolder");
  if (top && counts?.files) return t("files.answer.top", { n: counts.files, size: total });
  return t("files.answer.folder", { n: listing.total, size: total });
}

export function FilesPage() {
  const { path, parameters } = route.value;
  const [wanted, setWanted] = useState(FIRST);
  const [selected, setSelected] = useState(/** @type {Set<string>} */ (new Set()));
  const [asked, ask] = useState(/** @type {Asked} */ (null));
  const [query, setQuery] = useState("");
  const lastPicked = useRef("");
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));

  const listing = useResource(
    (signal) => listFolder(path, wanted, signal),
    [path],
    `${filesTurn.value} ${sort.value} ${order.value} ${wanted}`,
  );
  const found = useResource(
    async (signal) =>
      query.trim()
        ? /** @type {{entries: Entry[], complete: boolean}} */ (
            await read("files/search", { q: query.trim(), path, limit: 200 }, signal)
          )
        : null,
    [query.trim(), path],
    filesTurn.value,
  );
  const searching = query.trim() !== "";
  const entries = (searching ? found.data?.entries : listing.data?.entries) ?? [];
  const here = entries.filter((entry) => selected.has(entry.path));

  useEffect(() => {
    setSelected(new Set());
    setQuery("");
    setWanted(FIRST);
  }, [path]);
  useEffect(() => {
    const wish = parameters.get("ask");
    if (wish === "folder" || wish === "keep") {
      ask({ what: wish });
      replace(href("files", path));
    }
  }, [parameters.get("ask")]);
  const came = useRef(path);
  useEffect(() => {
    if (!listing.data || came.current === listing.data.path) return;
    came.current = listing.data.path;
    if (document.activeElement === document.body || document.activeElement === null)
      /** @type {HTMLElement | null} */ (document.querySelector(".files a.name, .tiles a.name"))?.focus({
        preventScroll: true,
      });
  }, [listing.data?.path]);

  /** @param {string} target @param {{range: boolean}} more */
  const select = (target, { range }) => {
    const next = new Set(selected);
    const from = entries.findIndex((entry) => entry.path === lastPicked.current);
    const to = entries.findIndex((entry) => entry.path === target);
    if (range && from >= 0)
      for (const entry of entries.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(entry.path);
    else if (!next.delete(target)) next.add(target);
    lastPicked.current = target;
    setSelected(next);
  };
  /** @param {string[]} paths */
  const remove = async (paths) => {
    if (await deletePaths(paths)) setSelected(new Set());
  };
  /** @param {string[]} paths @param {string} folder */
  const move = async (paths, folder) => {
    const elsewhere = paths.filter((candidate) => parentOf(candidate) !== folder && candidate !== folder);
    if (elsewhere.length && (await movePaths(elsewhere, folder))) setSelected(new Set());
  };
  const targets = () =>
    here.length
      ? here.map((entry) => entry.path)
      : [focusedEntry(entries)?.path].filter((candidate) => candidate !== undefined);

  useKeys({
    "/": () => search.current?.focus(),
    n: () => ask({ what: "folder" }),
    u: () => choose("files", path),
    "shift+u": () => choose("folder", path),
    "mod+a": () => setSelected(new Set(entries.map((entry) => entry.path))),
    escape: () => setSelected(new Set()),
    space: () => {
      const entry = focusedEntry(entries);
      if (entry) select(entry.path, { range: false });
    },
    backspace: () => {
      if (path !== "/") go(href("files", parentOf(path)));
    },
    delete: () => {
      const paths = targets();
      if (paths.length) void remove(paths);
    },
    f2: () => {
      const entry = here.length === 1 ? here[0] : focusedEntry(entries);
      if (entry) ask({ what: "rename", entry });
    },
    m: () => {
      const paths = targets();
      if (paths.length) ask({ what: "move", paths });
    },
    s: () => {
      const [only] = targets();
      if (only) share({ path: only });
    },
    v: () => {
      view.value = view.value === "list" ? "grid" : "list";
    },
  });

  const shown = parameters.get("show");
  const shownEntry = shown
    ? (entries.find((entry) => entry.path === shown) ?? listing.data?.entries.find((entry) => entry.name === shown))
    : undefined;
  /** @param {Entry} entry */
  const address = (entry) =>
    isFolder(entry) ? href("files", entry.path) : href("files", path, { show: searching ? entry.path : entry.name });
  const closePreview = () => replace(href("files", path));
  const title = path === "/" ? t("nav.files") : legible(lastName(path));
  const failure = searching ? found.failure : listing.failure;
  const loading = searching ? found.loading && !found.data : listing.loading && !listing.data;

  return html`<${PageHead}
      title=${title}
      answer=${listing.data ? answerOf(listing.data, path === "/") : listing.failure ? "" : null}
      long=${path === "/"}
      ><${AddButtons} folder=${path}
    /><//>
    <section class="card" aria-label=${title}>
      ${
        here.length > 0
          ? html`<${SelectionBar} selected=${here} clear=${() => setSelected(new Set())} ask=${ask} remove=${remove} />`
          : html`<div class="bar">
              ${path !== "/" && html`<${Breadcrumbs} path=${path} move=${move} />`}
              <label class="searcher"
                ><${Icon} name="search" /><input
                  ref=${search}
                  class="bare"
                  type="search"
                  placeholder=${t("files.search")}
                  aria-label=${t("files.search")}
                  value=${query}
                  onInput=${(/** @type {any} */ event) => setQuery(event.currentTarget.value)}
                  onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
                    if (event.key === "Escape") {
                      setQuery("");
                      search.current?.blur();
                    }
                  }}
                /><kbd class="wide">/</kbd></label
              >
              <${ViewButtons} />
            </div>`
      }
      ${
        failure
          ? html`<${FailureCard} failure=${failure} retry=${searching ? found.reload : listing.reload} />`
          : loading
            ? html`<${Skeleton} rows=${5} />`
            : entries.length === 0
              ? html`<${Nothing} searching=${searching} query=${query} folder=${path} />`
              : html`<${view.value === "grid" ? FileGrid : FileList}
                  entries=${entries}
                  selected=${selected}
                  select=${select}
                  address=${address}
                  move=${move}
                  places=${searching}
                  items=${(/** @type {Entry} */ entry) => itemsOf({ entry, ask, remove })}
                />`
      }
      ${
        !searching &&
        listing.data?.next &&
        html`<footer class="row spread">
          <span class="small quiet">${t("files.shown", { shown: entries.length, total: listing.data.total })}</span>
          <button type="button" class="small" onClick=${() => setWanted(wanted + 800)}>${t("action.more")}</button>
        </footer>`
      }
      ${
        searching &&
        found.data &&
        !found.data.complete &&
        html`<footer class="small quiet">${t("files.searchStopped")}</footer>`
      }
    </section>
    ${
      shownEntry &&
      listing.data &&
      html`<${PreviewDialog}
        entry=${shownEntry}
        folder=${listing.data.entry}
        neighbours=${entries.filter((entry) => !isFolder(entry))}
        close=${closePreview}
        show=${(/** @type {Entry} */ entry) => replace(address(entry))}
        items=${itemsOf({
          entry: shownEntry,
          ask: (what) => {
            closePreview();
            ask(what);
          },
          remove: (paths) => {
            closePreview();
            void remove(paths);
          },
        }).slice(2)}
      />`
    }
    ${
      asked?.what === "folder" &&
      html`<${NameDialog}
        title=${t("files.newFolder")}
        label=${t("files.name")}
        act=${t("action.make")}
        close=${() => ask(null)}
        run=${(/** @type {string} */ name) => makeFolder(below(path, name))}
      />`
    }
    ${
      asked?.what === "keep" &&
      html`<${NameDialog}
        title=${t("keep.title")}
        label=${t("keep.name")}
        act=${t("keep.act")}
        withAddress
        close=${() => ask(null)}
        run=${(/** @type {string} */ name, /** @type {string} */ cid) => keepContent(cid, below(path, name))}
      />`
    }
    ${
      asked?.what === "rename" &&
      html`<${NameDialog}
        title=${t("rename.title", { name: asked.entry.name })}
        label=${t("rename.label")}
        value=${asked.entry.name}
        act=${t("action.rename")}
        close=${() => ask(null)}
        run=${(/** @type {string} */ name) => renamePath(asked.entry.path, name)}
      />`
    }
    ${
      asked?.what === "move" &&
      html`<${MoveDialog} paths=${asked.paths} close=${() => ask(null)} done=${() => setSelected(new Set())} />`
    }`;
}
