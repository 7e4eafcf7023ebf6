/** Before a room: how one looks and sounds, what one is called, and the way in. */
import { html, useEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { device } from "../calls/session.js";
import { obstacle } from "../calls/obstacle.js";
import { t } from "../language.js";
import { notifyFailure } from "../parts/notices.js";
import { DevicePreview, DeviceTroubles } from "../stage/device-preview.js";
import { Devices } from "../stage/devices.js";
import { current, join, ownLabel, prepare } from "./current.js";

/** @param {{link: string}} props */
export function JoinCard({ link }) {
  const devices = useMemo(() => new Devices(), [link]);
  const [label, setLabel] = useState(ownLabel.value || device.value?.name || "");
  const [isBusy, setBusy] = useState(false);
  const isTaken = useRef(false);
  useEffect(
    () => () => {
      if (!isTaken.current) devices.close();
    },
    [devices],
  );
  useEffect(() => void prepare().catch(() => undefined), []); // what fails now fails in words when one comes in
  const isPossible = obstacle() === null;
  useEffect(() => {
    if (!isPossible) void devices.open({ audio: true, video: true });
  }, [devices]);
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    if (!label.trim() || isBusy) return;
    setBusy(true);
    isTaken.current = true;
    try {
      await join(link, label.trim(), devices);
    } catch (error) {
      isTaken.current = false;
      setBusy(false);
      notifyFailure(error);
    }
  };
  return html`<section class="card join">
    ${
      isPossible
        ? html`<${DevicePreview} devices=${devices} />`
        : html`<div class="body"><${DeviceTroubles} devices=${devices} /></div>`
    }
    <form class="body stack" onSubmit=${submit}>
      <div class="stack tight">
        <label for="own-label">${t("rooms.label")}</label>
        <input
          id="own-label"
          class="field"
          maxlength="64"
          autocomplete="name"
          value=${label}
          onInput=${(/** @type {any} */ event) => setLabel(event.currentTarget.value)}
        />
        <small class="quiet">${t("rooms.label.text")}</small>
      </div>
      <button
        type="submit"
        class="first"
        disabled=${!isPossible || !label.trim() || isBusy || current.value?.state.value === "joining"}
      >
        ${t("rooms.join")}
      </button>
      <small class="quiet">${t("rooms.straight")}</small>
    </form>
  </section>`;
}
