/** Fetch: what is this content, and who gave it? The tab itself is the peer that fetches it. */
import { html, useEffect, useState } from "../vendor/preact.js";
import { ContentCard } from "../fetch/content-card.js";
import { begin, failure, forget, got, kept, state, total } from "../fetch/fetching.js";
import { PeersCard } from "../fetch/peers-card.js";
import { percent, shortHash, size } from "../format.js";
import { t } from "../language.js";
import { AddressBar } from "../parts/address-bar.js";
import { EmptyState } from "../parts/empty-state.js";
import { FailureCard } from "../parts/failure-card.js";
import { PageHead } from "../parts/page-head.js";
import { go, href, route } from "../route.js";

/** What a person typed, as the path of this page: an address, a link of a gateway or a CID. @param {string} text */
const pathOf = (text) =>
  text
    .trim()
    .replace(/^https?:\/\/[^/]+(?=\/ip[fn]s\/)/, "")
    .replace(/^ipfs:\/\//, "")
    .replace(/^\/ipfs\//, "");

/** @param {string} cid */
function answerOf(cid) {
  const about = { what: shortHash(cid) };
  switch (state.value) {
    case "idle":
      return t(kept.value ? "fetch.answer.seeding" : "fetch.answer.idle", { size: size(kept.value) });
    case "fetching":
      return t("fetch.answer.fetching", { ...about, part: percent(total.value ? got.value / total.value : 0) });
    case "done":
      return t("fetch.answer.done", about);
    case "failed":
    case "stopped":
      return t("fetch.answer.failed", about);
    default:
      return t("fetch.answer.looking", about);
  }
}

/** @param {{text: string}} props */
function Asking({ text: given }) {
  const [text, setText] = useState(given);
  useEffect(() => setText(given), [given]);
  const submit = () => {
    const wanted = pathOf(text);
    if (!wanted) return;
    const address = href("fetch", wanted);
    if (address === location.hash) void beginPath(`/${wanted}`);
    else go(address);
  };
  return html`<${AddressBar}
    role="search"
    text=${text}
    change=${setText}
    submit=${submit}
    label=${t("fetch.address")}
    placeholder=${t("fetch.placeholder")}
    act=${t("fetch.begin")}
  />`;
}

/** @param {string} path @returns {[string, string]} */
const split = (path) => {
  const [cid = "", ...rest] = path.split("/").filter(Boolean);
  return [cid, rest.join("/")];
};

/** @param {string} path */
const beginPath = (path) => begin(...split(path));

export function FetchPage() {
  const { path } = route.value;
  const [cid, below] = split(path);
  useEffect(() => {
    if (cid) void beginPath(path);
    else forget();
  }, [path]);
  return html`<${PageHead} title=${t("nav.fetch")} answer=${answerOf(cid)} long />
    <${Asking} text=${path.slice(1)} />
    ${
      cid
        ? html`${
              failure.value
                ? html`<section class="card">
                    <${FailureCard} failure=${failure.value} retry=${() => void beginPath(path)} />
                  </section>`
                : html`<${ContentCard} cid=${cid} path=${below} />`
            } <${PeersCard} />`
        : html`<section class="card">
              <${EmptyState} title=${t("fetch.empty.title")} text=${t("fetch.empty.text")} />
            </section>
            ${kept.value > 0 && html`<${PeersCard} />`}`
    }`;
}
