// The fleet as this page knows it: a snapshot, and what events and state frames changed since.

import { STATES, stateOf } from "./states.js";

/**
 * @typedef {object} Instance
 * @property {string} id
 * @property {string} name
 * @property {string} pool
 * @property {string} host
 * @property {string} zone
 * @property {string} address
 * @property {number} port
 * @property {string} life
 * @property {string} override
 * @property {string} health
 * @property {number} since unix seconds
 * @property {string} reason
 * @property {number} failing
 * @property {number} of
 * @property {number | null} latency_ms
 * @property {number | null} load
 * @property {string} state derived
 * @property {string} [build]
 * @property {number | null} [pid]
 * @property {boolean | null} [tripwire]
 * @property {string} [strip]
 * @property {[number, string][]} [strip_reasons]
 */

/**
 * @typedef {object} Change
 * @property {boolean} reshaped the set of instances is another; `instances` is then empty
 * @property {Set<Instance>} instances
 */

const STRIP_LENGTH = 60;
const RECENT_MAX = 2000;
const FRAMES_KEPT_MS = 5000;

/** Life cycle after an event of that kind. @type {Record<string, string>} */
const LIFE_AFTER = {
  "instance.launched": "launching",
  "instance.in_service": "in_service",
  "instance.standby": "standby",
  "instance.draining": "draining",
  "instance.terminating": "terminating",
  "instance.lost": "lost",
};

/** Kinds that change what only a new snapshot knows. */
const RESHAPES =
  /^(instance\.(registered|changed|terminated)|(pool|host|zone|maintenance|control)\.)/;

export class Fleet {
  /** @type {Map<string, Instance>} */
  byId = new Map();
  /** @type {Map<string, Instance>} */
  byName = new Map();
  /** Events up to this number are in the snapshot already. */
  seq = 0;
  /** @type {Record<string, number>} */
  counts = {};
  /** @type {((change: Change) => void)[]} */
  #listeners = [];
  /** What a snapshot that was under way when they came may not have yet. @type {any[]} */
  #recent = [];
  /** State frames of the last seconds: the store that snapshots are made from is that much behind. */
  /** @type {{heardAt: number, frame: any}[]} */
  #frames = [];

  /** @param {(change: Change) => void} listener */
  onChange(listener) {
    this.#listeners.push(listener);
  }

  /** @returns {Instance[]} by zone, host and name */
  get instances() {
    return [...this.byId.values()];
  }

  /**
   * Take a snapshot: equal shape becomes a change of instances, so that nothing is drawn anew.
   * @param {{seq: number, fields: string[], instances: any[][]}} shown
   */
  load({ seq, fields, instances }) {
    const same =
      instances.length === this.byId.size && instances.every(([id]) => this.byId.has(id));
    const before = this.byId;
    const was = new Map(this.instances.map((one) => [one, this.#shown(one)]));
    this.seq = seq;
    this.byId = new Map();
    this.byName = new Map();
    for (const values of instances) {
      const one = /** @type {Instance} */ (before.get(values[0]) ?? {});
      for (const [at, field] of fields.entries()) /** @type {any} */ (one)[field] = values[at];
      one.state = stateOf(one);
      this.byId.set(one.id, one);
      this.byName.set(one.name, one);
    }
    for (const { frame } of this.#frames) this.#applyFrame(frame, { strips: false });
    for (const event of this.#recent) {
      const one = event.seq > seq && event.instance && this.byName.get(event.instance);
      if (one && applyEvent(one, event)) one.state = stateOf(one);
    }
    const changed = new Set(this.instances.filter((one) => was.get(one) !== this.#shown(one)));
    this.#tell(
      same ? { reshaped: false, instances: changed } : { reshaped: true, instances: new Set() },
    );
  }

  /**
   * @param {any[]} events in order
   * @returns {boolean} whether a new snapshot is needed
   */
  applyEvents(events) {
    let stale = false;
    const changed = new Set();
    this.#recent = [...this.#recent, ...events].slice(-RECENT_MAX);
    for (const event of events) {
      if (event.seq <= this.seq) continue;
      if (RESHAPES.test(event.kind)) stale = true;
      const one = event.instance && this.byName.get(event.instance);
      if (one && applyEvent(one, event)) changed.add(one);
    }
    this.#changed(changed);
    return stale;
  }

  /** @param {any} frame */
  applyState(frame) {
    const now = Date.now();
    this.#frames = this.#frames.filter(({ heardAt }) => now - heardAt < FRAMES_KEPT_MS);
    this.#frames.push({ heardAt: now, frame });
    this.#changed(this.#applyFrame(frame, { strips: true }));
  }

  /** Frames were missed: those before them must not be laid over a snapshot. */
  forgetFrames() {
    this.#frames = [];
  }

  /**
   * @param {{as_of: number, instances?: any[][], doubt?: any[][], strips?: any[][]}} frame
   * @param {{strips: boolean}} parts strips append, so they are taken once
   * @returns {Set<Instance>}
   */
  #applyFrame({ as_of: asOf, instances = [], doubt = [], strips = [] }, parts) {
    const changed = new Set();
    for (const [id, health, load, latencyMs] of instances) {
      const one = this.byId.get(id);
      if (!one) continue;
      one.load = load;
      one.latency_ms = latencyMs;
      if (health !== one.health && asOf >= one.since) {
        one.health = health;
        one.since = asOf;
        if (health === "up") one.reason = "";
      }
      changed.add(one);
    }
    for (const [id, failing, of, reason] of doubt) {
      const one = this.byId.get(id);
      if (!one) continue;
      one.failing = failing;
      one.of = of;
      if (failing) one.reason = reason;
      else if (one.health === "up") one.reason = "";
      changed.add(one);
    }
    for (const [id, more] of parts.strips ? strips : []) {
      const one = this.byId.get(id);
      if (one?.strip === undefined) continue;
      extendStrip(one, more);
      changed.add(one);
    }
    for (const one of changed) one.state = stateOf(one);
    return changed;
  }

  /** @param {Instance} one @returns {string} */
  #shown(one) {
    return `${one.state}|${one.failing}|${one.reason}|${one.latency_ms}|${one.load}|${one.strip}|${one.since}|${one.pid}|${one.tripwire}`;
  }

  /** @param {Set<Instance>} changed */
  #changed(changed) {
    if (!changed.size) return;
    for (const one of changed) one.state = stateOf(one);
    this.#tell({ reshaped: false, instances: changed });
  }

  /** @param {Change} change */
  #tell(change) {
    const counts = Object.fromEntries(STATES.map((state) => [state, 0]));
    for (const one of this.byId.values()) counts[one.state] += 1;
    this.counts = counts;
    for (const listener of this.#listeners) listener(change);
  }
}

/**
 * @param {Instance} one
 * @param {any} event
 * @returns {boolean} whether it was about the instance's state
 */
function applyEvent(one, { kind, at, data }) {
  const life = LIFE_AFTER[kind];
  if (life) {
    one.life = life;
    return true;
  }
  const verdict = { "instance.up": "up", "instance.down": "down", "instance.degraded": "degraded" }[
    kind
  ];
  if (verdict) {
    one.health = verdict;
    one.since = Date.parse(at) / 1000;
    one.reason = verdict === "up" ? "" : (data.reason ?? "");
    if (verdict === "up") one.failing = 0;
    return true;
  }
  if (kind === "probe.failed") {
    one.failing = data.count ?? 1;
    one.of = data.of ?? one.of;
    one.reason = data.reason ?? one.reason;
    return true;
  }
  if (kind === "probe.recovered") {
    one.failing = 0;
    if (one.health === "up") one.reason = "";
    return true;
  }
  return false;
}

/** @param {Instance} one @param {string} more newest last */
function extendStrip(one, more) {
  const whole = (one.strip ?? "") + more;
  const cut = Math.max(0, whole.length - STRIP_LENGTH);
  one.strip = whole.slice(cut);
  one.strip_reasons = (one.strip_reasons ?? [])
    .map(([at, reason]) => /** @type {[number, string]} */ ([at - cut, reason]))
    .filter(([at]) => at >= 0);
}
