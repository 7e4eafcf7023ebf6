/** Every record of getStats as it stands now. */
import { html } from "../vendor/preact.js";
import { t } from "../language.js";
import { EmptyState } from "../parts/empty-state.js";

/** @import {Recording} from "./recording.js" */

/** @param {unknown} value */
const text = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

/** @param {{recording: Recording, turn: number}} props */
export function RecordsView({ recording }) {
  const records = [...recording.records.values()].sort(
    (a, b) => a.type.localeCompare(b.type) || a.id.localeCompare(b.id),
  );
  if (!records.length)
    return html`<${EmptyState} title=${t("internals.records.none")} text=${t("internals.records.none.text")} />`;
  return html`<div class="body records">
    ${records.map(
      (record) =>
        html`<details key=${record.id}>
          <summary><b>${record.type}</b> <small class="quiet mono">${record.id}</small></summary>
          <dl>
            ${Object.entries(record)
              .filter(([name]) => name !== "id" && name !== "type")
              .map(
                ([name, value]) =>
                  html`<dt key=${name}>${name}</dt>
                    <dd class="mono">${text(value)}</dd>`,
              )}
          </dl>
        </details>`,
    )}
  </div>`;
}
