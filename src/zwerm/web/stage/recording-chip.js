/** Who records this call: everybody sees it, and who does can stop it. */
import { html, useEffect, useState } from "../vendor/preact.js";
import { size } from "../format.js";
import { t } from "../language.js";
import { Icon } from "../parts/icon.js";

/** @import {Meeting} from "./meeting.js" */
/** @import {Recorder} from "./recorder.js" */

/** @param {{recorder: Recorder}} props */
function Own({ recorder }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.floor((now - recorder.since) / 1000));
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return html`<span class="state bad" role="status"><${Icon} name="record" />${t("record.own")}</span>
    <span class="recording-time">${time} · ${size(recorder.size.value)}</span>
    <button type="button" class="small" onClick=${() => recorder.stop()}>${t("record.stop")}</button>`;
}

/** @param {{meeting: Meeting}} props */
export function RecordingChip({ meeting }) {
  const recorder = meeting.recorder.value;
  const others = meeting.people.value.filter((person) => person.shown.value.records);
  return html`${recorder && html`<${Own} recorder=${recorder} />`}
  ${others.map(
    (person) =>
      html`<span class="state bad" role="status" key=${person.endpoint}
        ><${Icon} name="record" />${t("record.other", { name: person.label.value })}</span
      >`,
  )}`;
}
