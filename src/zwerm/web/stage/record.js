/** Beginning and ending a recording: the recorder comes when it is first wanted. */
import { node } from "../events.js";
import { t } from "../language.js";
import { notify, notifyFailure } from "../parts/notices.js";
import { keep } from "./disk.js";
import { keepInFiles, save } from "./save.js";

/** @import {Item} from "../parts/menu.js" */
/** @import {Meeting} from "./meeting.js" */
/** @typedef {"file" | "files"} Target */

const FOLDER = "/Recordings";

const mayRecord = () =>
  typeof MediaRecorder === "function" && typeof HTMLCanvasElement.prototype.captureStream === "function";

/** What the menu offers. @param {Meeting} meeting @returns {Item[]} */
export function recordItems(meeting) {
  if (!mayRecord()) return [];
  const recorder = meeting.recorder.value;
  if (recorder) return [{ label: t("record.stop"), icon: "record", run: () => recorder.stop() }];
  /** @type {Item[]} */
  const items = [{ label: t("record.file"), icon: "record", run: () => void record(meeting, "file") }];
  if (node.value) items.push({ label: t("record.files"), icon: "record", run: () => void record(meeting, "files") });
  return items;
}

/** Record until it is stopped or the call is over. @param {Meeting} meeting @param {Target} target */
async function record(meeting, target) {
  try {
    const { Recorder } = await import("./recorder.js");
    const keeping = await keep();
    if (!meeting.isOpen.value || meeting.recorder.value) {
      await keeping.drop(); // the call is over, or another press was quicker
      return;
    }
    const recorder = new Recorder(meeting, t("stage.you"), keeping);
    meeting.recorder.value = recorder; // in the same turn: none runs of which nobody knows
    const file = await recorder.file.finally(() => (meeting.recorder.value = null));
    if (target === "file") {
      save(file, file.name);
      notify(t("record.saved", { name: file.name }));
      return;
    }
    await keepInFiles(file, FOLDER, t("record.kept"));
  } catch (error) {
    notifyFailure(error);
  }
}
