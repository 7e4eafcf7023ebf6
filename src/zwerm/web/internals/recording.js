/**
 * What is kept of one connection: its log, its samples and its descriptions. Everything has a bound, so a connection of
 * a week takes no more than one of five minutes.
 */

/**
 * @typedef {{id: string, type: string, timestamp: number} & Record<string, any>} Stat a record of getStats
 * @typedef {{at: number, records: Map<string, Stat>}} Sample
 * @typedef {{at: number, type: string, value: string}} Entry
 * @typedef {{at: number, side: "local" | "remote", type: string, sdp: string}} Description
 * @typedef {"browser" | "node" | "file"} Kind
 */

export const MOST_SAMPLES = 300; // five minutes of one a second
export const MOST_ENTRIES = 1000;
export const MOST_DESCRIPTIONS = 40;
const MOST_VALUE = 65_536; // characters

/** Records that say the same each time: kept once, with the newest sample. */
const LASTING = new Set(["certificate", "codec", "local-candidate", "remote-candidate", "media-playout"]);

export class Recording {
  /** @param {string} id @param {Kind} kind @param {string} label @param {unknown} [configuration] shown as it is */
  constructor(id, kind, label, configuration = {}) {
    this.id = id;
    this.kind = kind;
    this.label = label;
    this.configuration = configuration;
    this.opened = Date.now();
    this.ended = false;
    /** @type {Record<string, string>} the states of the connection as last told */
    this.states = {};
    /** @type {Entry[]} */
    this.log = [];
    /** @type {Sample[]} */
    this.samples = [];
    /** @type {Map<string, Stat>} */
    this.lasting = new Map();
    /** @type {Description[]} */
    this.descriptions = [];
    this.noted = 0; // entries of the log that there ever were
    this.described = 0; // descriptions that there ever were
    /** Grows with each change, for whoever draws it. */
    this.turn = 0;
  }

  /** @param {string} type @param {string} [value] @param {number} [at] */
  note(type, value = "", at = Date.now()) {
    this.log.push({ at, type, value: value.slice(0, MOST_VALUE) });
    if (this.log.length > MOST_ENTRIES) this.log.shift();
    this.noted += 1;
    this.turn += 1;
  }

  /** @param {Iterable<Stat>} records @param {number} [at] */
  sample(records, at = Date.now()) {
    /** @type {Map<string, Stat>} */
    const moving = new Map();
    const lasting = new Map();
    for (const record of records) (LASTING.has(record.type) ? lasting : moving).set(record.id, record);
    this.lasting = lasting;
    this.samples.push({ at, records: moving });
    if (this.samples.length > MOST_SAMPLES) this.samples.shift();
    this.turn += 1;
  }

  /** @param {"local" | "remote"} side @param {string} type @param {string} sdp @param {number} [at] */
  describe(side, type, sdp, at = Date.now()) {
    this.descriptions.push({ at, side, type, sdp: sdp.slice(0, MOST_VALUE) });
    if (this.descriptions.length > MOST_DESCRIPTIONS) this.descriptions.shift();
    this.described += 1;
    this.turn += 1;
  }

  /** A state of the connection changed. @param {string} name @param {string} value @param {number} [at] */
  state(name, value, at) {
    this.states[name] = value;
    this.note(`${name.toLowerCase()}change`, value, at);
  }

  /** The records of now, those that last among them. @returns {Map<string, Stat>} */
  get records() {
    return new Map([...(this.samples.at(-1)?.records ?? []), ...this.lasting]);
  }

  /** The newest records of a type. @param {string} type @returns {Stat[]} */
  of(type) {
    return [...this.records.values()].filter((record) => record.type === type);
  }

  /**
   * The pair that carries data now, with both of its candidates.
   * @returns {{pair: Stat, local: Stat | null, remote: Stat | null} | null}
   */
  get selected() {
    const records = this.records;
    const named = this.of("transport")
      .map((transport) => records.get(transport.selectedCandidatePairId))
      .find(Boolean);
    // Firefox has no record of the transport's pair, and says it of the pair itself
    const pair =
      named ??
      this.of("candidate-pair").find((each) => each.selected || (each.nominated && each.state === "succeeded"));
    if (!pair) return null;
    return {
      pair,
      local: records.get(pair.localCandidateId) ?? null,
      remote: records.get(pair.remoteCandidateId) ?? null,
    };
  }
}
