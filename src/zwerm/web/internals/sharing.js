/**
 * The connections of the other tabs of this browser, for the one that shows Internals. Whoever looks asks once a second
 * for what is new; a tab that nobody asks says nothing.
 */
import { recordings } from "./recorder.js";
import { Recording } from "./recording.js";

const CHANNEL = "zwerm.internals";
const GONE = 5000; // ms after which a tab that does not answer is taken for closed

/** @import {Description, Entry, Stat} from "./recording.js" */
/**
 * @typedef {{noted: number, described: number, sampled: number}} Had what the asking tab has of a connection
 * @typedef {{id: string, label: string, configuration: unknown, opened: number, ended: boolean,
 * states: Record<string, string>, lasting: Stat[], log: Entry[], descriptions: Description[],
 * samples: {at: number, records: Stat[]}[]}} News
 */

const own = crypto.randomUUID?.() ?? String(Math.random());

/** @param {Recording} recording @param {Had} had @returns {News} */
function newsOf(recording, { noted, described, sampled }) {
  return {
    id: recording.id,
    label: recording.label,
    configuration: recording.configuration,
    opened: recording.opened,
    ended: recording.ended,
    states: recording.states,
    lasting: [...recording.lasting.values()],
    log: recording.log.slice(Math.max(0, recording.log.length - (recording.noted - noted))),
    descriptions: recording.descriptions.slice(
      Math.max(0, recording.descriptions.length - (recording.described - described)),
    ),
    samples: recording.samples
      .filter((sample) => sample.at > sampled)
      .map(({ at, records }) => ({ at, records: [...records.values()] })),
  };
}

/** Take over what another tab told. @param {Recording} recording @param {News} news */
function apply(recording, news) {
  for (const { type, value, at } of news.log) recording.note(type, value, at);
  for (const { side, type, sdp, at } of news.descriptions) recording.describe(side, type, sdp, at);
  for (const { at, records } of news.samples) recording.sample([...records, ...news.lasting], at);
  recording.label = news.label;
  recording.states = news.states;
  recording.ended = news.ended;
}

const NOTHING = { noted: 0, described: 0, sampled: 0 };

/** Answer whoever looks, for as long as the page lives. */
export function answerOthers() {
  if (!globalThis.BroadcastChannel) return;
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", ({ data }) => {
    if (data.asker === undefined || data.asker === own || recordings.value.length === 0) return;
    const news = recordings.value.map((each) => newsOf(each, data.had[`${own}/${each.id}`] ?? NOTHING));
    channel.postMessage({ to: data.asker, from: own, news });
  });
}

/** The connections of other tabs, as far as they answer. */
export class Others {
  constructor() {
    /** @type {Map<string, Recording>} */
    this.recordings = new Map();
    /** @type {Map<string, number>} when each tab last answered */
    this._heard = new Map();
    this._channel = globalThis.BroadcastChannel ? new BroadcastChannel(CHANNEL) : null;
    this._channel?.addEventListener("message", ({ data }) => {
      if (data.to === own) this._take(data.from, data.news);
    });
  }

  /** Ask them all for what is new. */
  ask() {
    const now = Date.now();
    for (const [key, recording] of this.recordings)
      if (now - (this._heard.get(key.split("/")[0]) ?? now) > GONE) recording.ended = true;
    const had = Object.fromEntries(
      [...this.recordings].map(([key, { noted, described, samples }]) => [
        key,
        { noted, described, sampled: samples.at(-1)?.at ?? 0 },
      ]),
    );
    this._channel?.postMessage({ asker: own, had });
  }

  close() {
    this._channel?.close();
  }

  /** @param {string} from @param {News[]} news */
  _take(from, news) {
    this._heard.set(from, Date.now());
    for (const each of news) {
      const key = `${from}/${each.id}`;
      let recording = this.recordings.get(key);
      if (!recording) {
        recording = new Recording(key, "browser", each.label, each.configuration);
        recording.opened = each.opened;
        this.recordings.set(key, recording);
      }
      apply(recording, each);
    }
  }
}
