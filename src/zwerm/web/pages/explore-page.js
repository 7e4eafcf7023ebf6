/**
 * Explore: what is behind this address? Any content, as a picture of its blocks, then block by block down to the bytes.
 */
import { html, useEffect, useState } from "../vendor/preact.js";
import { read } from "../api.js";
import { filesTurn } from "../events.js";
import { BlockCard } from "../explore/block-card.js";
import { GraphPicture } from "../explore/graph-picture.js";
import { lastName, shortHash, size } from "../format.js";
import { t } from "../language.js";
import { AddressBar } from "../parts/address-bar.js";
import { FailureCard } from "../parts/failure-card.js";
import { PageHead } from "../parts/page-head.js";
import { looksLikeContent } from "../parts/palette.js";
import { Skeleton } from "../parts/skeleton.js";
import { useResource } from "../resource.js";
import { go, href, replace, route } from "../route.js";

/** @import {Node, Outline} from "../types.d.ts" */
/** @import {Key} from "../language.js" */

const narrowScreen = matchMedia("(max-width: 44rem)");

/** Whether the window is a phone's. */
export function useNarrow() {
  const [narrow, setNarrow] = useState(narrowScreen.matches);
  useEffect(() => {
    const change = () => setNarrow(narrowScreen.matches);
    narrowScreen.addEventListener("change", change);
    return () => narrowScreen.removeEventListener("change", change);
  }, []);
  return narrow;
}

/** The path of the page as the API takes it: a CID without a slash before it. @param {string} path */
const askedFor = (path) => (looksLikeContent(path.slice(1)) ? path.slice(1) : path);

/** What a person typed, as the path of this page. @param {string} text */
const pathOf = (text) =>
  text
    .trim()
    .replace(/^https?:\/\/[^/]+(?=\/ip[fn]s\/)/, "")
    .replace(/^ipfs:\/\//, "/ipfs/");

/** @type {Record<Node["kind"], Key>} */
const ANSWERS = {
  file: "explore.answer.file",
  directory: "explore.answer.directory",
  hamt: "explore.answer.directory",
  symlink: "explore.answer.symlink",
  raw: "explore.answer.raw",
  node: "explore.answer.node",
};

/** What the person calls it: nothing, where only its address was given. @param {string} path */
function nameOf(path) {
  if (path === "/") return t("explore.allFiles");
  return looksLikeContent(lastName(path)) ? "" : lastName(path);
}

/** @param {Node} node @param {string} path */
function answerOf(node, path) {
  const name = nameOf(path) ? `“${nameOf(path)}”` : shortHash(node.cid);
  return t(path === "/" ? "explore.answer.all" : ANSWERS[node.kind], {
    name,
    n: node.links_total,
    size: size((node.kind === "directory" || node.kind === "hamt" ? node.total_size : node.content_size) ?? node.size),
    codec: node.codec,
  });
}

/** @param {{path: string}} props */
function Asking({ path }) {
  const [text, setText] = useState(path === "/" ? "" : askedFor(path));
  useEffect(() => setText(path === "/" ? "" : askedFor(path)), [path]);
  const submit = () => {
    go(href("explore", pathOf(text)));
  };
  return html`<${AddressBar}
    role="search"
    text=${text}
    change=${setText}
    submit=${submit}
    label=${t("explore.address")}
    placeholder=${t("explore.placeholder")}
    act=${t("explore.look")}
  />`;
}

export function ExplorePage() {
  const { path, parameters } = route.value;
  const narrow = useNarrow();
  const asked = askedFor(path);
  const turn = path.startsWith("/ipfs/") || asked !== path ? 0 : filesTurn.value;
  const found = useResource(
    async (signal) => {
      const node = /** @type {Node} */ (await read("explore", { path: asked, limit: 1 }, signal));
      const outline = /** @type {Outline} */ (
        await read("explore/outline", { cid: node.cid, depth: 4, nodes: 300 }, signal)
      );
      if (outline.nodes[0] && !outline.nodes[0].name) outline.nodes[0].name = nameOf(path);
      return { node, outline };
    },
    [asked],
    turn,
  );
  const chosen = parameters.get("block") ?? found.data?.node.cid ?? "";
  return html`<${PageHead}
      title=${t("nav.explore")}
      answer=${found.data ? answerOf(found.data.node, path) : found.failure ? t("explore.answer.failed") : null}
    />
    <${Asking} path=${path} />
    ${
      found.failure
        ? html`<section class="card"><${FailureCard} failure=${found.failure} retry=${found.reload} /></section>`
        : !found.data
          ? html`<section class="card"><${Skeleton} rows=${6} /></section>`
          : html`<section class="card">
                <header>
                  <h2>${t("explore.picture")}</h2>
                  <span class="small quiet"
                    >${t("explore.pictureText", { n: found.data.outline.nodes.length })}${found.data.outline.truncated ? t("explore.truncated") : ""}</span
                  >
                  ${
                    chosen !== found.data.node.cid &&
                    html`<a class="button small" href=${href("explore", chosen)}>${t("explore.startHere")}</a>`
                  }
                </header>
                <${GraphPicture}
                  outline=${found.data.outline}
                  chosen=${chosen}
                  narrow=${narrow}
                  choose=${(/** @type {string} */ cid) => replace(href("explore", path, { block: cid }))}
                />
              </section>
              <${BlockCard} key=${chosen} cid=${chosen} narrow=${narrow} />`
    }`;
}
