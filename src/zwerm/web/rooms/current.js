/** The one room that this page is in. It goes on while other pages of the app are shown. */
import { signal } from "../vendor/preact.js";
import { guestSession, session } from "../calls/session.js";

/** @import {Devices} from "../stage/devices.js" */
/** @import {Room} from "./room.js" */

/** @type {import("../vendor/preact.js").Signal<Room | null>} */
export const current = signal(null);

/** What one is called in rooms. @type {import("../vendor/preact.js").Signal<string>} */
export const ownLabel = signal(localStorage.getItem("zwerm.label") ?? "");

/** Fetch the code of a room, with all that a call has: who is asked for a name need not wait for it. */
export const prepare = async () => {
  const [{ Room }] = await Promise.all([import("./room.js"), import("./room-view.js")]);
  return Room;
};

/**
 * Come into a room, or before its door.
 * @param {string} link @param {string} label @param {Devices} devices
 */
export async function join(link, label, devices) {
  quit();
  ownLabel.value = label;
  localStorage.setItem("zwerm.label", label);
  const [Room, phone] = await Promise.all([prepare(), session.peek() ? import("../calls/phone.js") : null]);
  await phone?.hangUp(); // one talks in one place at a time
  const account = session.value;
  const signaling = account ?? (await guestSession(link, label));
  const media = { audio: devices.microphone.value !== null, video: devices.camera.value !== null };
  const room = new Room({ signaling, link, label, devices, media, policy: policy() });
  if (!account)
    room.state.subscribe((state) => {
      if (state === "over") setTimeout(() => signaling.stop(), 1000); // so that the farewell goes out first
    });
  current.value = room;
}

/** For finding out whether a relay works: `?relay` in the address before the `#`. @returns {RTCIceTransportPolicy} */
const policy = () => (new URLSearchParams(location.search).has("relay") ? "relay" : "all");

/** Go, and let camera and microphone go. */
export function quit() {
  const room = current.value;
  if (!room) return;
  if (room.state.value !== "over") room.leave();
  room.close();
  current.value = null;
}

addEventListener("pagehide", () => {
  if (current.value && current.value.state.value !== "over") current.value.leave();
});
