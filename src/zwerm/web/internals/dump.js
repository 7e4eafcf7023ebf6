/**
 * Dumps in the form of chrome://webrtc-internals, written and read, so that tools for those read ours, and this page
 * theirs.
 */
import { Failure } from "../api.js";
import { Recording } from "./recording.js";

/** @import {Stat} from "./recording.js" */

export const MOST_BYTES = 64 * 1024 * 1024;
const MOST_CONNECTIONS = 100;

const STATES = /** @type {Record<string, string>} */ ({
  signalingstatechange: "signalingState",
  icegatheringstatechange: "iceGatheringState",
  iceconnectionstatechange: "iceConnectionState",
  connectionstatechange: "connectionState",
});

/** What the dump calls by the name of its handler. */
const EVENTS = new Set([
  ...Object.keys(STATES),
  "icecandidate",
  "icecandidateerror",
  "negotiationneeded",
  "track",
  "datachannel",
]);

/** @param {number} at */
const moment = (at) => new Date(at).toISOString();

/** @param {Recording} recording */
function statsOf(recording) {
  /** @type {Record<string, {startTime: string, endTime: string, statsType: string, values: unknown[]}>} */
  const series = {};
  for (const { at, records } of recording.samples)
    for (const record of [...records.values(), ...recording.lasting.values()])
      for (const [member, value] of Object.entries(record)) {
        if (member === "id" || member === "type") continue;
        const one = (series[`${record.id}-${member}`] ??= {
          startTime: moment(at),
          endTime: moment(at),
          statsType: record.type,
          values: [],
        });
        one.endTime = moment(at);
        one.values.push(value);
      }
  return Object.fromEntries(
    Object.entries(series).map(([name, one]) => [name, { ...one, values: JSON.stringify(one.values) }]),
  );
}

const DESCRIBED = /^type: (\w+), sdp: ([\s\S]*)$/;

/** What a log entry says, as the dump has it: JSON. @param {string} type @param {string} text */
function valueOf(type, text) {
  const described = DESCRIBED.exec(text);
  if (described) return JSON.stringify({ type: described[1], sdp: described[2] });
  if (type.endsWith("andidate")) return JSON.stringify({ candidate: text });
  return text && JSON.stringify(text);
}

/** @param {Recording[]} recordings @returns {string} */
export function dumpOf(recordings) {
  const connections = recordings.map((recording, index) => [
    `1-${index + 1}`,
    {
      pid: 0,
      rtcConfiguration: JSON.stringify(recording.configuration),
      stats: statsOf(recording),
      updateLog: recording.log.map(({ at, type, value }) => ({
        type: EVENTS.has(type) ? `on${type}` : type,
        value: valueOf(type, value),
        timestamp: at,
      })),
      url: recording.label,
    },
  ]);
  const dump = {
    timestamp: Date.now(),
    getUserMedia: [],
    PeerConnections: Object.fromEntries(connections),
    UserAgent: navigator.userAgent,
  };
  return JSON.stringify(dump, null, 1);
}

/** @param {string} why @returns {Failure} */
const refusal = (why) => new Failure({ code: "bad-dump", what: why, why: null, do: null, details: why }, 0);

/** Without the timestamp of a whole connection, one sample a second is what dumps have. */
const STEP = 1000;

/** @param {Recording} recording @param {Record<string, any>} stats */
function takeStats(recording, stats) {
  /** @type {Map<number, Map<string, Stat>>} */
  const samples = new Map();
  for (const [name, one] of Object.entries(stats)) {
    const dash = name.lastIndexOf("-");
    const values = typeof one.values === "string" ? JSON.parse(one.values) : one.values;
    if (dash < 0 || !Array.isArray(values)) continue;
    const [id, member] = [name.slice(0, dash), name.slice(dash + 1)];
    const [start, end] = [Date.parse(one.startTime), Date.parse(one.endTime)];
    const step = values.length > 1 && end > start ? (end - start) / (values.length - 1) : STEP;
    values.forEach((value, index) => {
      const at = Math.round((start + index * step) / STEP) * STEP;
      if (!Number.isFinite(at) || value === null) return;
      const records = samples.get(at) ?? new Map();
      samples.set(at, records);
      const record = records.get(id) ?? { id, type: String(one.statsType), timestamp: at };
      record[member] = value;
      records.set(id, record);
    });
  }
  for (const at of [...samples.keys()].sort((a, b) => a - b))
    recording.sample(/** @type {Map<string, Stat>} */ (samples.get(at)).values(), at);
}

/** A value as text: JSON since Chromium writes it, a text before. @param {unknown} value */
function textOf(value) {
  const text = String(value ?? "");
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    return text;
  }
  if (typeof found === "string") return found;
  if (typeof found?.sdp === "string") return `type: ${found.type}, sdp: ${found.sdp}`;
  return typeof found?.candidate === "string" ? found.candidate : text;
}

/** @param {Recording} recording @param {any[]} log */
function takeLog(recording, log) {
  for (const { timestamp, time, type, value } of log) {
    const at = timestamp ?? (Date.parse(time) || 0); // milliseconds since Chromium writes JSON, a text before
    const name = EVENTS.has(String(type).slice(2)) ? String(type).slice(2) : String(type);
    const text = textOf(value);
    if (STATES[name]) recording.states[STATES[name]] = text;
    recording.note(name, text, at);
    const described = DESCRIBED.exec(text);
    const side = /^set(Local|Remote)Description$/.exec(name)?.[1];
    if (described && side) recording.describe(side === "Local" ? "local" : "remote", described[1], described[2], at);
  }
}

/**
 * Read a dump of Chromium's or ours.
 * @param {string} text
 * @param {string} file its name
 * @returns {Recording[]}
 * @throws {Failure} bad-dump
 */
export function readDump(text, file) {
  let document;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw refusal(String(error));
  }
  const connections = document?.PeerConnections;
  if (typeof connections !== "object" || connections === null) throw refusal("PeerConnections");
  try {
    return Object.entries(connections)
      .slice(0, MOST_CONNECTIONS)
      .map(([id, one]) => {
        const recording = new Recording(`${file}/${id}`, "file", one.url || id, one.rtcConfiguration);
        takeLog(recording, one.updateLog ?? []);
        takeStats(recording, one.stats ?? {});
        recording.opened = recording.log[0]?.at ?? recording.samples[0]?.at ?? 0;
        recording.ended = true;
        return recording;
      });
  } catch (error) {
    throw refusal(String(error));
  }
}
