// The live socket: every journal number exactly once, and state that says how old it is.
//
// 1. Connect, subscribe after the last number seen.
// 2. Frames are contiguous: numbers seen before are dropped, a gap means subscribe again.
// 3. While the socket is away fetch the state every 2 s, and try the socket with jittered back-off.
// 4. `too_old`, or an event that changes the shape of the fleet: fetch the state again.

/**
 * @typedef {object} Handlers
 * @property {() => void} hello connected, anew or again
 * @property {(events: any[]) => void} events new ones only, in order
 * @property {(frame: any) => void} state
 * @property {(frame: any) => void} status
 * @property {(snapshot: any) => void} snapshot
 */

const POLL_MS = 2000;
const PING_MS = 2000;
const SILENT_MS = 10000;
const BACKOFF_MAX_MS = 10000;
const SEEN_MAX = 20000;
const RESHAPE_DELAY_MS = 150;
const SETTLE_MS = 1500;

export class Feed {
  lastSeq;
  /** Newest number known to exist. */
  headSeq;
  /** @type {"connecting" | "live" | "polling" | "lost" | "signed_out"} */
  phase = "connecting";
  /** When the prober last told the state of probes, ms since the epoch; 0: not known. */
  dataAt = 0;
  /** When the server last answered anything, by socket or not, ms since the epoch. */
  answeredAt = Date.now();
  /** @type {Set<number>} numbers delivered, the newest only */
  seen = new Set();
  received = 0;
  duplicates = 0;
  gaps = 0;
  behindS = 0;
  /** @type {string[] | null} */
  #pools;
  #attempt = 0;
  #heardAt = 0;
  #snapshotSeq = 0;
  /** Our clock less the server's, and the way of the message that told it, ms. */
  #ahead = Number.POSITIVE_INFINITY;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #poll;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reshape;

  /**
   * @param {string} stateUrl
   * @param {{seq: number, as_of: number, prober: {age_s: number | null}}} shown what the page was made from
   * @param {Handlers} handlers
   */
  constructor(stateUrl, shown, handlers) {
    this.stateUrl = stateUrl;
    this.handlers = handlers;
    const { pool } = document.body.dataset;
    this.#pools = pool ? [pool] : null;
    this.lastSeq = shown.seq;
    this.headSeq = shown.seq;
    // a page out of the browser's history is old: its own moment counts, not ours
    const { age_s: ageS } = shown.prober;
    if (ageS !== null) this.dataAt = Math.min(Date.now(), (shown.as_of - ageS) * 1000);
  }

  start() {
    this.#connect();
    setInterval(() => this.#watch(), PING_MS);
    addEventListener("online", () => this.#retryNow());
    addEventListener("offline", () => this.#socket?.close());
    document.addEventListener("visibilitychange", () => !document.hidden && this.#retryNow());
  }

  /** Ask for a new snapshot soon; many asks in a row become one. */
  refetchSoon(delayMs = RESHAPE_DELAY_MS) {
    this.#reshape ??= setTimeout(() => {
      this.#reshape = undefined;
      this.#fetch();
    }, delayMs);
  }

  #connect() {
    if (this.#socket) return;
    const socket = new WebSocket(
      `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live/`,
    );
    this.#socket = socket;
    this.#heardAt = Date.now();
    socket.addEventListener("open", () => this.#subscribe());
    socket.addEventListener("message", (message) => {
      if (this.#socket === socket) this.#frame(JSON.parse(message.data));
    });
    socket.addEventListener("close", () => {
      if (this.#socket === socket) this.#closed();
    });
  }

  #subscribe() {
    const ask = {
      type: "subscribe",
      after: this.lastSeq,
      // a pool's page asks for its pool: it gets the strips of probes too
      pools: this.#pools,
      kinds: null,
      min_severity: null,
    };
    this.#socket?.send(JSON.stringify(ask));
  }

  #closed() {
    this.#socket = null;
    if (this.phase === "signed_out") return;
    if (this.phase !== "lost") this.phase = "polling";
    this.#pollSoon(0);
    // full jitter: a thousand pages that lost one server do not come back at the same moment
    const ceiling = Math.min(BACKOFF_MAX_MS, 500 * 2 ** this.#attempt);
    this.#attempt += 1;
    setTimeout(() => this.#connect(), 100 + Math.random() * ceiling);
  }

  #retryNow() {
    if (!this.#socket && this.phase !== "signed_out") this.#connect();
  }

  /** A socket that says nothing although asked is as good as closed. */
  #watch() {
    const socket = this.#socket;
    if (!socket) return;
    if (Date.now() - this.#heardAt > SILENT_MS) {
      this.#socket = null;
      socket.close();
      this.#closed();
    } else if (socket.readyState === WebSocket.OPEN) {
      socket.send('{"type":"ping"}');
    }
  }

  /** @param {any} frame */
  #frame(frame) {
    this.#heardAt = Date.now();
    this.answeredAt = this.#heardAt;
    if (frame.type === "hello") this.#live(frame.seq);
    else if (frame.type === "events") this.#events(frame);
    else if (frame.type === "state") {
      this.dataAt = this.#ours(frame.as_of);
      this.handlers.state(frame);
    } else if (frame.type === "status") {
      this.behindS = frame.journal_behind_s ?? 0;
      this.handlers.status(frame);
    } else if (frame.type === "too_old") this.#tooOld();
  }

  /** The server's clock in ours: no message took less than no time. @param {number} seconds */
  #ours(seconds) {
    const there = seconds * 1000;
    this.#ahead = Math.min(this.#ahead, Date.now() - there);
    return there + this.#ahead;
  }

  /** @param {number} seq */
  #live(seq) {
    const again = this.phase !== "connecting";
    this.phase = "live";
    this.#attempt = 0;
    this.headSeq = Math.max(this.headSeq, seq);
    clearTimeout(this.#poll);
    this.#poll = undefined;
    this.handlers.hello();
    // state frames before this one were missed, and the store that pages read is a moment behind
    if (again) this.#fetch();
    setTimeout(() => this.#fetch(), SETTLE_MS);
  }

  /** @param {{from: number, to: number, events: any[]}} frame */
  #events({ from, to, events }) {
    if (from > this.lastSeq + 1) {
      this.gaps += 1;
      this.#subscribe();
      return;
    }
    const fresh = events.filter((event) => event.seq > this.lastSeq);
    this.duplicates += events.length - fresh.length;
    this.lastSeq = Math.max(this.lastSeq, to);
    this.headSeq = Math.max(this.headSeq, this.lastSeq);
    for (const { seq } of fresh) this.seen.add(seq);
    this.received += fresh.length;
    for (const seq of this.seen) {
      if (this.seen.size <= SEEN_MAX) break;
      this.seen.delete(seq);
    }
    if (fresh.length) this.handlers.events(fresh);
  }

  /** The journal is below what was seen: it is another one. @param {number} seq */
  #begunAnew(seq) {
    this.lastSeq = seq;
    this.headSeq = seq;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#subscribe();
  }

  async #tooOld() {
    const shown = await this.#fetch();
    if (!shown) return this.#socket?.close();
    this.lastSeq = Math.max(this.lastSeq, shown.seq);
    this.#subscribe();
  }

  /** @param {number} delayMs */
  #pollSoon(delayMs) {
    clearTimeout(this.#poll);
    this.#poll = setTimeout(async () => {
      if (this.phase === "live" || this.phase === "signed_out") return;
      const shown = await this.#fetch();
      // the socket may be back by now, or the session gone
      const phase = /** @type {string} */ (this.phase);
      if (phase === "live" || phase === "signed_out") return;
      this.phase = shown ? "polling" : "lost";
      this.#pollSoon(POLL_MS);
    }, delayMs);
  }

  /** @param {{as_of: number, prober: {age_s: number | null}}} shown */
  #aged({ as_of: asOf, prober }) {
    this.answeredAt = Date.now();
    // afresh, so that a clock that was set does not count for ever
    this.#ahead = Date.now() - asOf * 1000;
    // a prober long gone has no age any more; the last known goes on ageing
    if (prober.age_s !== null) this.dataAt = Date.now() - prober.age_s * 1000;
  }

  /** @returns {Promise<any>} null when it did not come */
  async #fetch() {
    const known = this.lastSeq;
    try {
      const answer = await fetch(this.stateUrl, {
        redirect: "manual",
        cache: "no-store",
        signal: AbortSignal.timeout(5000),
      });
      if (answer.type === "opaqueredirect" || answer.status === 403) {
        this.phase = "signed_out";
        this.#socket?.close();
        return null;
      }
      if (!answer.ok) return null;
      const shown = await answer.json();
      if (shown.seq < known) this.#begunAnew(shown.seq);
      else if (shown.seq < this.#snapshotSeq) return shown; // overtaken by a younger one
      this.#snapshotSeq = shown.seq;
      this.headSeq = Math.max(this.headSeq, shown.seq);
      this.#aged(shown);
      this.handlers.snapshot(shown);
      return shown;
    } catch {
      return null;
    }
  }
}
