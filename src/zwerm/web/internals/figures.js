/** What can be drawn of a recording: lines over time, made of the counters that getStats gives. */

/** @import {Line} from "../parts/line-plot.js" */
/** @import {Recording, Sample, Stat} from "./recording.js" */

/**
 * @typedef {"bits" | "percent" | "ms" | "fps" | "pixels" | "bytes"} Unit
 * @typedef {{title: import("../language.js").Key, of: string, unit: Unit, lines: Line[]}} Figure
 */

/** @param {Sample[]} samples @param {string} type @returns {string[]} ids of the records of a type that there ever were */
function idsOf(samples, type) {
  const ids = new Set();
  for (const { records } of samples)
    for (const record of records.values()) if (record.type === type) ids.add(record.id);
  return [...ids].sort();
}

/**
 * How fast something grows, a second, from sample to sample.
 * @param {Sample[]} samples @param {(sample: Sample) => number | null} count
 * @returns {[number, number | null][]}
 */
function rateOf(samples, count) {
  /** @type {[number, number | null][]} */
  const points = [];
  for (let index = 1; index < samples.length; index += 1) {
    const [before, after] = [count(samples[index - 1]), count(samples[index])];
    const seconds = (samples[index].at - samples[index - 1].at) / 1000;
    const known = before !== null && after !== null && seconds > 0 && after >= before;
    points.push([samples[index].at, known ? (after - before) / seconds : null]);
  }
  return points;
}

/** @param {string} id @param {string} member @returns {(sample: Sample) => number | null} */
const member = (id, member) => (sample) => sample.records.get(id)?.[member] ?? null;

/** @param {Sample[]} samples @param {string} id @param {string} name @param {number} [factor] @returns {Line["points"]} */
const valuesOf = (samples, id, name, factor = 1) =>
  samples.map((sample) => {
    const value = sample.records.get(id)?.[name];
    return [sample.at, typeof value === "number" ? value * factor : null];
  });

/** The share of packets that were lost, from sample to sample. @param {Sample[]} samples @param {string} id @returns {Line["points"]} */
function lossOf(samples, id) {
  const lost = rateOf(samples, member(id, "packetsLost"));
  const came = rateOf(samples, member(id, "packetsReceived"));
  return lost.map(([at, value], index) => {
    const all = (value ?? 0) + (came[index][1] ?? 0);
    return [at, value === null || came[index][1] === null || all === 0 ? null : (100 * value) / all];
  });
}

/** @param {Line[]} lines */
const drawable = (lines) => lines.filter((line) => line.points.some(([, value]) => value !== null));

/** The sum of a counter over the records of the first type that has it. @param {string[]} types @param {string} name */
const total = (types, name) => (/** @type {Sample} */ sample) => {
  for (const type of types) {
    const counts = [...sample.records.values()].filter((record) => record.type === type && record[name] !== undefined);
    if (counts.length) return counts.reduce((sum, record) => sum + record[name], 0);
  }
  return null;
};

const WAYS = ["transport", "candidate-pair", "data-channel"];

/** @param {Sample[]} samples @returns {Figure[]} */
function figuresOfConnection(samples) {
  /** @type {(points: Line["points"]) => Line["points"]} */
  const bits = (points) => points.map(([at, value]) => [at, value === null ? null : value * 8]);
  const pairs = idsOf(samples, "candidate-pair");
  const sctp = idsOf(samples, "sctp-transport");
  return [
    {
      title: "internals.figure.rate",
      of: "",
      unit: "bits",
      lines: [
        { name: "down", points: bits(rateOf(samples, total(WAYS, "bytesReceived"))) },
        { name: "up", points: bits(rateOf(samples, total(WAYS, "bytesSent"))) },
      ],
    },
    {
      title: "internals.figure.trip",
      of: "",
      unit: "ms",
      lines: [
        ...pairs.map((id) => ({ name: id, points: valuesOf(samples, id, "currentRoundTripTime", 1000) })),
        ...sctp.map((id) => ({ name: "SCTP", points: valuesOf(samples, id, "smoothedRoundTripTime", 1000) })),
      ],
    },
    {
      title: "internals.figure.available",
      of: "",
      unit: "bits",
      lines: [
        ...pairs.map((id) => ({ name: "up", points: valuesOf(samples, id, "availableOutgoingBitrate") })),
        ...pairs.map((id) => ({ name: "down", points: valuesOf(samples, id, "availableIncomingBitrate") })),
      ],
    },
    {
      title: "internals.figure.window",
      of: "SCTP",
      unit: "bytes",
      lines: sctp.map((id) => ({ name: "", points: valuesOf(samples, id, "congestionWindow") })),
    },
  ];
}

/** @param {Sample[]} samples @param {Stat} stream @returns {Figure[]} */
function figuresOfStream(samples, stream) {
  const { id, kind = stream.mediaType ?? "", type } = stream;
  const incoming = type === "inbound-rtp";
  const of = `${incoming ? "←" : "→"} ${kind} ${stream.mid ?? ""}`.trim();
  /** @type {(title: Figure["title"], unit: Unit, points: Line["points"]) => Figure} */
  const one = (title, unit, points) => ({ title, of, unit, lines: [{ name: "", points }] });
  const bytes = rateOf(samples, member(id, incoming ? "bytesReceived" : "bytesSent"));
  const figures = [
    one(
      "internals.figure.rate",
      "bits",
      bytes.map(([at, value]) => [at, value === null ? null : value * 8]),
    ),
  ];
  if (incoming)
    figures.push(
      one("internals.figure.loss", "percent", lossOf(samples, id)),
      one("internals.figure.jitter", "ms", valuesOf(samples, id, "jitter", 1000)),
    );
  const told = samples.at(-1)?.records.get(stream.remoteId);
  if (told && !incoming)
    figures.push(
      one("internals.figure.loss", "percent", valuesOf(samples, told.id, "fractionLost", 100)),
      one("internals.figure.trip", "ms", valuesOf(samples, told.id, "roundTripTime", 1000)),
    );
  if (kind === "video")
    figures.push(
      one("internals.figure.frames", "fps", valuesOf(samples, id, "framesPerSecond")),
      one("internals.figure.height", "pixels", valuesOf(samples, id, "frameHeight")),
    );
  return figures;
}

/** Everything that can be drawn, what moves most people first. @param {Recording} recording @returns {Figure[]} */
export function figuresOf(recording) {
  const { samples } = recording;
  const streams = [...recording.of("inbound-rtp"), ...recording.of("outbound-rtp")];
  return [...figuresOfConnection(samples), ...streams.flatMap((stream) => figuresOfStream(samples, stream))]
    .map((figure) => ({ ...figure, lines: drawable(figure.lines) }))
    .filter((figure) => figure.lines.length);
}
