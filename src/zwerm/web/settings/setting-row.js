/** One setting: what it is called, why one would change it, its value, and the way back to the default. */
import { html } from "../vendor/preact.js";
import { language, t } from "../language.js";

/** @import {Setting} from "../types.d.ts" */
/** @import {Key} from "../language.js" */

/**
 * What a value of each kind looks like, said where the node's own sentence is in another language.
 * @type {Record<Setting["type"], Key>}
 */
const FAULTS = {
  text: "fault.text",
  integer: "fault.integer",
  boolean: "fault.text",
  size: "fault.size",
  duration: "fault.duration",
  list: "fault.list",
  choice: "fault.text",
  address: "fault.address",
};

/** A value as text in a field. @param {any} value */
export const asText = (value) =>
  Array.isArray(value) ? value.join("\n") : value === null || value === undefined ? "" : String(value);

/** A default as a person reads it. @param {Setting} setting */
function defaultText({ type, default: value }) {
  if (type === "boolean") return t(value ? "settings.on" : "settings.offWord");
  const text = asText(value).replaceAll("\n", ", ");
  return text === "" ? t("settings.nothing") : text;
}

/**
 * @param {{setting: Setting, value: any, change: (value: any) => void, fault: string | undefined, id: string,
 * describedBy: string}} props
 */
function Control({ setting, value, change, fault, id, describedBy }) {
  const common = { id, "aria-invalid": fault !== undefined, "aria-describedby": describedBy };
  if (setting.type === "boolean")
    return html`<input
      type="checkbox"
      class="switch"
      role="switch"
      ...${common}
      checked=${value}
      onChange=${(/** @type {any} */ event) => change(event.currentTarget.checked)}
    />`;
  if (setting.choices) {
    return html`<select
      class="field"
      ...${common}
      value=${value}
      onChange=${(/** @type {any} */ event) => change(event.currentTarget.value)}
    >
      ${setting.choices.map((choice) => html`<option value=${choice} selected=${choice === value}>${choice}</option>`)}
    </select>`;
  }
  if (setting.type === "list")
    return html`<textarea
      class="field mono"
      rows=${Math.min(5, Math.max(2, asText(value).split("\n").length))}
      spellcheck=${false}
      ...${common}
      value=${asText(value)}
      onInput=${(/** @type {any} */ event) => change(event.currentTarget.value.split("\n"))}
    />`;
  const secret = setting.key.endsWith(".token") || setting.key.endsWith(".secret");
  return html`<input
    class="field"
    type=${secret ? "password" : "text"}
    inputmode=${setting.type === "integer" ? "numeric" : null}
    autocomplete="off"
    spellcheck=${false}
    ...${common}
    value=${asText(value)}
    onInput=${(/** @type {any} */ event) => change(event.currentTarget.value)}
  />`;
}

/**
 * @param {{setting: Setting, words: [Key, Key] | undefined, value: any, changed: boolean, change: (value: any) => void,
 * reset: () => void, fault: string | undefined}} props
 */
export function SettingRow({ setting, words, value, changed, change, reset, fault }) {
  const id = `set-${setting.key}`;
  const said = fault && (language.value === "en" ? fault.replace(`${setting.key}: `, "") : t(FAULTS[setting.type]));
  const different = setting.set || changed;
  return html`<div class=${setting.type === "boolean" ? "setting boolean" : "setting"} id=${`row-${setting.key}`}>
    <div class="about">
      <label for=${id}>${words ? t(words[0]) : setting.key}</label>
      <p class="small quiet" id=${`${id}-why`}>${words ? t(words[1]) : setting.doc}</p>
      <p class="small quiet origin">
        <code>${setting.key}</code>${" · "}${t("settings.default", { value: defaultText(setting) })}
        ${setting.restart && ` · ${t("settings.restart")}`}
      </p>
    </div>
    <div class="value">
      <${Control}
        setting=${setting}
        value=${value}
        change=${change}
        fault=${fault}
        id=${id}
        describedBy=${`${id}-why${fault ? ` ${id}-fault` : ""}`}
      />
      ${said && html`<p class="fault" id=${`${id}-fault`} role="alert">${said}</p>`}
      ${
        different &&
        html`<span class="row small"
          >${
            changed
              ? html`<span class="state live">${t("settings.unsaved")}</span>`
              : html`<span class="state dusk">${t("settings.changed")}</span>`
          }<button
            type="button"
            class="link"
            onClick=${reset}
            aria-label=${t("settings.resetOne", { name: words ? t(words[0]) : setting.key })}
          >
            ${t("settings.reset")}
          </button></span
        >`
      }
    </div>
  </div>`;
}
