/** What the calls service of this node is: asked once when somebody is not signed in, and again on demand. */
import { signal } from "../vendor/preact.js";
import { Failure } from "../api.js";
import { aboutService } from "./signaling.js";

/** @import {Welcome} from "./signaling.js" */

/**
 * Null while it is not known, `off` where there is none, a failure when it does not answer.
 * @type {import("../vendor/preact.js").Signal<Welcome | "off" | Failure | null>}
 */
export const service = signal(null);

export async function ask() {
  try {
    service.value = (await aboutService()) ?? "off";
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    service.value = error;
  }
}
