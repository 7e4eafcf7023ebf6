/** How good a connection is, and why not better: read from the browser's own statistics, once a second. */

/** @typedef {"good" | "fair" | "poor"} Grade */
/** @typedef {"none" | "loss" | "delay" | "processor" | "bandwidth" | "relay" | "silent"} Reason */
/**
 * @typedef {object} Quality
 * @property {Grade} grade
 * @property {Reason} reason
 * @property {number} loss part of the packets that did not arrive, the worse way; 0 to 1
 * @property {number} roundTrip seconds
 * @property {number} received bits a second
 * @property {number} sent bits a second
 * @property {number | null} available bits a second that could be sent; null where the browser does not say
 * @property {boolean} isRelayed
 * @property {boolean} isLimited whether this page's own processor is too slow
 * @property {number} level of their sound, 0 to 1
 * @property {{width: number, height: number, frames: number} | null} picture of theirs
 */

/** @typedef {Record<string, any>} Entry */

const OLD = 6_000; // milliseconds, more than between two reports; what is not sent any more is not reported on any more

/** Counts that only grow, and what came since the last look. */
class Growth {
  #before = new Map();

  /** @param {string} name @param {number} value */
  since(name, value) {
    const before = this.#before.get(name) ?? value;
    this.#before.set(name, value);
    return Math.max(0, value - before);
  }
}

/** @param {Entry[]} entries @param {string} type */
const of = (entries, type) => entries.filter((entry) => entry.type === type);

/** The pair of addresses in use. @param {Entry[]} entries */
function pairOf(entries) {
  const [transport] = of(entries, "transport");
  const pairs = of(entries, "candidate-pair");
  return (
    pairs.find(({ id }) => id === transport?.selectedCandidatePairId) ??
    pairs.find(({ selected, nominated, state }) => selected ?? (nominated && state === "succeeded"))
  );
}

/** @param {{loss: number, roundTrip: number, isLimited: boolean, isShort: boolean, isRelayed: boolean}} facts */
function judge({ loss, roundTrip, isLimited, isShort, isRelayed }) {
  /** @type {[boolean, Grade, Reason][]} the first that holds */
  const rules = [
    [loss > 0.1, "poor", "loss"],
    [roundTrip > 0.8, "poor", "delay"],
    [loss > 0.03, "fair", "loss"],
    [roundTrip > 0.4, "fair", "delay"],
    [isLimited, "fair", "processor"],
    [isShort, "fair", "bandwidth"],
    [isRelayed, "good", "relay"],
  ];
  const [, grade, reason] = rules.find(([holds]) => holds) ?? [true, "good", "none"];
  return /** @type {{grade: Grade, reason: Reason}} */ ({ grade, reason });
}

export class Gauge {
  #growth = new Growth();
  #last = 0;

  /**
   * @param {Entry[]} entries the records of one `getStats`
   * @param {number} now milliseconds
   * @returns {Quality}
   */
  read(entries, now) {
    const seconds = this.#last ? Math.max(0.1, (now - this.#last) / 1000) : 1;
    this.#last = now;
    const [incoming, outgoing] = [of(entries, "inbound-rtp"), of(entries, "outbound-rtp")];
    /** @param {Entry[]} some @param {string} field */
    const grown = (some, field) =>
      some.reduce((sum, entry) => sum + this.#growth.since(`${entry.id} ${field}`, entry[field] ?? 0), 0);
    const [lost, arrived] = [grown(incoming, "packetsLost"), grown(incoming, "packetsReceived")];
    const lossIn = lost + arrived > 20 ? lost / (lost + arrived) : 0;
    const remote = of(entries, "remote-inbound-rtp");
    const newest = Math.max(...entries.map(({ timestamp }) => timestamp ?? 0));
    const lossOut = Math.max(
      0,
      ...remote.filter(({ timestamp }) => newest - timestamp < OLD).map(({ fractionLost }) => fractionLost ?? 0),
    );
    const pair = pairOf(entries);
    const ends = [pair?.localCandidateId, pair?.remoteCandidateId];
    const facts = {
      loss: Math.max(lossIn, lossOut),
      roundTrip: pair?.currentRoundTripTime ?? Math.max(0, ...remote.map(({ roundTripTime }) => roundTripTime ?? 0)),
      isLimited: outgoing.some(({ qualityLimitationReason }) => qualityLimitationReason === "cpu"),
      isShort: outgoing.some(({ qualityLimitationReason }) => qualityLimitationReason === "bandwidth"),
      isRelayed: entries.some(({ id, candidateType }) => ends.includes(id) && candidateType === "relay"),
    };
    const sound = incoming.find(({ kind, audioLevel }) => kind === "audio" && audioLevel !== undefined);
    const picture = incoming.find(({ kind, frameWidth }) => kind === "video" && frameWidth);
    return {
      ...judge(facts),
      ...facts,
      received: (8 * grown(incoming, "bytesReceived")) / seconds,
      sent: (8 * grown(outgoing, "bytesSent")) / seconds,
      available: pair?.availableOutgoingBitrate ?? null,
      level: sound?.audioLevel ?? 0,
      picture: picture
        ? { width: picture.frameWidth, height: picture.frameHeight, frames: picture.framesPerSecond ?? 0 }
        : null,
    };
  }
}
