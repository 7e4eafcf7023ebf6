/** Saying outside of the window that somebody rings, while the window is not looked at. */
import { computed, effect, signal } from "../vendor/preact.js";
import { t } from "../language.js";
import { subscribe } from "../push.js";
import { account, past } from "./account.js";
import { incoming } from "./phone.js";
import { session } from "./session.js";

/** Whether the person has allowed it: `unsupported` where the browser cannot. */
export const permission = signal(
  /** @type {NotificationPermission | "unsupported"} */ (
    typeof Notification === "undefined" ? "unsupported" : Notification.permission
  ),
);

/** Ask the person, from a gesture; then for push messages, too, which arrive while no page is open. */
export async function allow() {
  permission.value = await Notification.requestPermission();
  const mine = session.peek();
  if (permission.value === "granted" && mine) await subscribe(mine).catch(() => undefined); // pushState says it
}

const LATER = "zwerm.notify.later";

/** Whether the person wants not to be asked. */
const isLater = signal(localStorage.getItem(LATER) !== null);

/** Whether it is the moment to ask: somebody has an account and talks with people, and the browser was told nothing yet. */
export const isMoment = computed(
  () =>
    permission.value === "default" &&
    !isLater.value &&
    ((past.value?.length ?? 0) > 0 || Object.values(account.value?.contacts ?? {}).includes("contact")),
);

export function notNow() {
  isLater.value = true;
  localStorage.setItem(LATER, "1");
}

/** @type {Map<string, Notification>} */
const shown = new Map();

effect(() => {
  const ringing = incoming.value;
  for (const [call, notification] of shown) {
    if (ringing.some((each) => each.call === call)) continue;
    notification.close();
    shown.delete(call);
  }
  if (permission.value !== "granted" || document.visibilityState === "visible") return;
  for (const { call, from, media } of ringing) {
    if (shown.has(call)) continue;
    try {
      const notification = new Notification(t("calls.rings", { name: from.name ?? from.label }), {
        tag: `zwerm ${call}`, // one for all tabs of this browser
        body: t(media.includes("video") ? "calls.rings.picture" : "calls.rings.sound"),
        icon: "/favicon.svg",
        requireInteraction: true,
      });
      notification.onclick = () => {
        focus();
        notification.close();
      };
      shown.set(call, notification);
    } catch {
      permission.value = "unsupported"; // telephones show those of a service worker only
    }
  }
});
