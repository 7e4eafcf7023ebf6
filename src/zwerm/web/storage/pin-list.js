/** What is pinned: kept although no file needs it. Adding by address, finding, removing with a way back. */
import { html, useState } from "../vendor/preact.js";
import { post, read, remove } from "../api.js";
import { pinsTurn } from "../events.js";
import { shortHash } from "../format.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";
import { Dialog } from "../parts/dialog.js";
import { FailureCard } from "../parts/failure-card.js";
import { HashChip } from "../parts/hash-chip.js";
import { Icon } from "../parts/icon.js";
import { notify, notifyFailure } from "../parts/notices.js";
import { Skeleton } from "../parts/skeleton.js";
import { asFailure, useResource } from "../resource.js";
import { href } from "../route.js";

/** @import {Failure} from "../api.js" */
/** @import {Pin} from "../types.d.ts" */

/** @param {{close: () => void}} props */
function AddPin({ close }) {
  const [cid, setCid] = useState("");
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState(/** @type {Failure | null} */ (null));
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      await post("pins", {
        cid: cid.trim().replace(/^(ipfs:\/\/|\/ipfs\/)/, ""),
        recursive: true,
        name: name.trim() || null,
      });
      pinsTurn.value += 1;
      notify(t("pins.added", { what: name.trim() || shortHash(cid.trim()) }));
      close();
    } catch (error) {
      setFailure(asFailure(error));
      setBusy(false);
    }
  };
  return html`<${Dialog}
    title=${t("pins.addTitle")}
    close=${close}
    footer=${html`<button type="button" onClick=${close}>${t("action.cancel")}</button
      ><button type="submit" form="pin-form" class="first" aria-busy=${busy}>${t("pins.add")}</button>`}
  >
    <form id="pin-form" class="stack" onSubmit=${submit}>
      <p class="quiet">${t("pins.text")}</p>
      <div class="stack tight">
        <label for="pin-cid">${t("keep.address")}</label
        ><input
          id="pin-cid"
          data-first
          class="field mono"
          required
          autocomplete="off"
          spellcheck=${false}
          placeholder="bafy…"
          value=${cid}
          onInput=${(/** @type {any} */ event) => setCid(event.currentTarget.value)}
        />
      </div>
      <div class="stack tight">
        <label for="pin-name">${t("pins.name")}</label
        ><input
          id="pin-name"
          class="field"
          autocomplete="off"
          value=${name}
          onInput=${(/** @type {any} */ event) => setName(event.currentTarget.value)}
        />
      </div>
      ${failure && html`<${FailureCard} failure=${failure} />`}
    </form><//
  >`;
}

/** @param {Pin} pin */
async function unpin(pin) {
  try {
    await remove("pins", { cid: pin.cid });
    pinsTurn.value += 1;
    notify(t("pins.removed", { what: pin.name ?? shortHash(pin.cid) }), {
      label: t("action.undo"),
      run: () =>
        void post("pins", { cid: pin.cid, recursive: pin.kind === "recursive", name: pin.name }).then(() => {
          pinsTurn.value += 1;
        }, notifyFailure),
    });
  } catch (error) {
    notifyFailure(error);
  }
}

export function PinList() {
  const [query, setQuery] = useState("");
  const [limit, setLimit] = useState(100);
  const [adding, setAdding] = useState(false);
  const pins = useResource(
    async (signal) => {
      const [recursive, direct] = await Promise.all(
        ["recursive", "direct"].map((kind) => read("pins", { kind, q: query.trim(), limit }, signal)),
      );
      return {
        pins: /** @type {Pin[]} */ ([...recursive.pins, ...direct.pins]),
        more: Boolean(recursive.next ?? direct.next),
      };
    },
    [query.trim()],
    `${pinsTurn.value} ${limit}`,
  );
  const kinds = { direct: t("pins.direct"), recursive: t("pins.recursive"), indirect: t("pins.indirect") };
  return html`<section class="card">
    <header>
      <h2>${t("pins.title")}</h2>
      <label class="searcher"
        ><${Icon} name="search" /><input
          class="bare"
          type="search"
          aria-label=${t("pins.search")}
          placeholder=${t("pins.search")}
          value=${query}
          onInput=${(/** @type {any} */ event) => setQuery(event.currentTarget.value)}
      /></label>
      <button type="button" onClick=${() => setAdding(true)}><${Icon} name="pin" />${t("pins.add")}</button>
    </header>
    ${
      pins.failure
        ? html`<${FailureCard} failure=${pins.failure} retry=${pins.reload} />`
        : !pins.data
          ? html`<${Skeleton} rows=${3} />`
          : pins.data.pins.length === 0
            ? query.trim()
              ? html`<${EmptyState}
                  title=${t("files.notFound", { query: query.trim() })}
                  text=${t("pins.notFoundText")}
                />`
              : html`<${EmptyState} title=${t("pins.empty")} text=${t("pins.text")}
                  ><button type="button" class="first" onClick=${() => setAdding(true)}>${t("pins.add")}</button><//
                >`
            : html`<ul class="pins">
                ${pins.data.pins.map(
                  (pin) =>
                    html`<li key=${`${pin.cid}${pin.kind}`}>
                      <${Icon} name="pin" /><span class="grow"
                        ><a class="ellipsis" href=${href("explore", pin.cid)}>${pin.name || t("pins.nameless")}</a
                        ><small class="quiet">${kinds[pin.kind]}</small></span
                      >
                      <${HashChip} hash=${pin.cid} name=${pin.name ?? ""} /><button
                        type="button"
                        class="plain square small"
                        aria-label=${t("pins.removeOne", { name: pin.name || shortHash(pin.cid) })}
                        title=${t("pins.remove")}
                        onClick=${() => unpin(pin)}
                      >
                        <${Icon} name="trash" />
                      </button>
                    </li>`,
                )}
              </ul>`
    }
    ${
      pins.data?.more &&
      html`<footer>
        <button type="button" class="small" onClick=${() => setLimit(1000)}>${t("action.more")}</button>
      </footer>`
    }
    ${adding && html`<${AddPin} close=${() => setAdding(false)} />`}
  </section>`;
}
