/** Captures of what the node's WebRTC connections send and receive: begin, end, take along, delete. */
import { html, useState } from "../vendor/preact.js";
import { post, remove, request } from "../api.js";
import { size } from "../format.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";
import { notify, notifyFailure } from "../parts/notices.js";
import { saveFile } from "./save-file.js";

/** @typedef {{running: string | null, failure: string, files: {name: string, size: number}[]}} Capture */

/** @param {{capture: Capture, reload: () => void}} props */
export function CaptureCard({ capture, reload }) {
  const [keys, setKeys] = useState(false);
  /** @param {() => Promise<unknown>} act */
  const attempt = async (act) => {
    try {
      await act();
    } catch (error) {
      notifyFailure(error);
    }
    reload();
  };
  /** @param {string} name */
  const download = async (name) => saveFile(await (await request("GET", `captures/${name}`)).blob(), name);
  /** @param {string} name */
  const erase = async (name) => {
    await remove(`captures/${name}`);
    notify(t("internals.capture.deleted", { name }));
  };
  return html`<section class="card">
    <header>
      <h2>${t("internals.capture")}</h2>
      ${
        capture.running
          ? html`<button type="button" onClick=${() => attempt(() => post("captures/stop", {}))}>
              ${t("internals.capture.stop")}
            </button>`
          : html`<button type="button" onClick=${() => attempt(() => post("captures", { keys }))}>
              ${t("internals.capture.start")}
            </button>`
      }
    </header>
    <div class="body">
      <p class="quiet">${t("internals.capture.text")}</p>
      ${
        capture.running
          ? html`<p role="status">
              <span class="state live">${t("internals.capture.running")}</span> ${capture.failure}
            </p>`
          : html`<label class="row"
              ><input
                type="checkbox"
                checked=${keys}
                onChange=${(/** @type {any} */ event) => setKeys(event.currentTarget.checked)}
              /><span>${t("internals.capture.keys")}</span></label
            >`
      }
      <ul class="candidates">
        ${capture.files.map(
          ({ name, size: bytes }) =>
            html`<li key=${name} class="row spread">
              <span><b class="mono">${name}</b> <small class="quiet">${size(bytes)}</small></span>
              <span class="row">
                <button
                  type="button"
                  class="bare"
                  aria-label=${t("internals.capture.download", { name })}
                  onClick=${() => attempt(() => download(name))}
                >
                  <${Icon} name="download" />
                </button>
                <button
                  type="button"
                  class="bare"
                  aria-label=${t("internals.capture.delete", { name })}
                  onClick=${() => attempt(() => erase(name))}
                >
                  <${Icon} name="trash" />
                </button>
              </span>
            </li>`,
        )}
      </ul>
    </div>
  </section>`;
}
