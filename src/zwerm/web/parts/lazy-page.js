/** A page whose code is fetched when it is first opened; meanwhile its name stands there. */
import { html, useEffect, useLayoutEffect, useState } from "../vendor/preact.js";
import { Failure } from "../api.js";
import { t } from "../language.js";
import { FailureCard } from "./failure-card.js";
import { PageHead } from "./page-head.js";
import { Skeleton } from "./skeleton.js";

/** @import {Key} from "../language.js" */

/**
 * @param {Key} title
 * @param {() => Promise<() => any>} load
 * @returns {() => any} a component
 */
export function lazyPage(title, load) {
  /** @type {(() => any) | null} */
  let view = null;
  return function LazyPage() {
    const [arrived, setArrived] = useState({ heldFocus: false });
    const [failure, setFailure] = useState(/** @type {Failure | null} */ (null));
    useEffect(() => {
      if (view) return;
      load().then(
        (found) => {
          view = found;
          setArrived({ heldFocus: document.activeElement?.matches("main h1") ?? false });
        },
        (error) =>
          setFailure(new Failure({ code: "offline", what: String(error), why: null, do: null, details: null }, 0)),
      );
    }, []);
    useLayoutEffect(() => {
      // The name that had the focus went with what stood here before; later than now, the focus may be where a person put it.
      if (arrived.heldFocus)
        /** @type {HTMLElement} */ (document.querySelector("main h1")).focus({ preventScroll: true });
    }, [arrived]);
    if (view) return html`<${view} />`;
    return html`<${PageHead} title=${t(title)} answer=${failure ? "" : null} />
      <section class="card">
        ${
          failure
            ? html`<${FailureCard} failure=${failure} retry=${() => location.reload()} />`
            : html`<${Skeleton} rows=${6} />`
        }
      </section>`;
  };
}
