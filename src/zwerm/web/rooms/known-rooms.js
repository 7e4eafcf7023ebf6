/** The links of rooms that were opened in this browser: the service tells a link once and keeps a hash of it only. */
import { signal } from "../vendor/preact.js";

const KEPT = "zwerm.rooms";
const MAX_KEPT = 100;

/** @typedef {{room: string, link: string, title: string}} KnownRoom */

/** @returns {KnownRoom[]} */
function read() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(found) ? found : [];
  } catch {
    return []; // written by somebody else
  }
}

/** @type {import("../vendor/preact.js").Signal<KnownRoom[]>} */
export const knownRooms = signal(read());

/** @param {KnownRoom[]} rooms */
function write(rooms) {
  knownRooms.value = rooms;
  localStorage.setItem(KEPT, JSON.stringify(rooms));
}

/** @param {KnownRoom} room */
export function remember(room) {
  write([...knownRooms.value.filter((known) => known.room !== room.room), room].slice(-MAX_KEPT));
}

/** @param {string} room */
export function forget(room) {
  write(knownRooms.value.filter((known) => known.room !== room));
}

/** The address of a room's page, to give away. @param {string} link */
export const addressOf = (link) => `${location.origin}/#/rooms/${link}`;

/** The link in what somebody pasted: an address, or the link alone. @param {string} text */
export const linkIn = (text) => /(?:^|#\/rooms\/)([A-Za-z0-9_-]{22,64})$/.exec(text.trim())?.[1] ?? null;
