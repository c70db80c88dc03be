// One page's live data: feed, fleet, the indicator top right and the banners about what is wrong.

import { Feed } from "./feed.js";
import { Fleet } from "./fleet.js";
import { need, pageData } from "./page.js";
import { age, ageExact, time } from "./words.js";

const INDICATOR_MS = 200;
/** The prober tells the state at least once a second; later than this something is wrong. */
const STATE_SILENT_MS = 3000;
const LOOK_MS = 500;
const RESTART_MS = 2500;
const LATE = "◐";
/** What everybody must see, not only who looks at the corner. */
const AWAY = new Set(["lost", "signed_out"]);

/** What each degraded store means for the reader. @type {Record<string, string>} */
const DEGRADED = {
  database:
    "The database does not answer: probing goes on, nothing can be changed, events come late.",
  live_store: "The live store does not answer: verdicts and latencies shown are the last known.",
};

/**
 * @param {{events?: (events: any[]) => void}} [also] what the page does with new events
 * @returns {{feed: Feed, fleet: Fleet, start: () => void}}
 */
export function livePage({ events = () => {} } = {}) {
  const shown = pageData("snapshot");
  const fleet = new Fleet();
  const prober = banner("prober");
  const stores = banner("degraded");
  const connection = banner("connection");
  const demo = document.getElementById("banner-demo");
  const title = document.title;
  let stateAt = Date.now();
  let askedAt = 0;
  let proberAway = false;

  const feed = new Feed(document.body.dataset.stateUrl ?? "/fleet.json", shown, {
    hello() {
      fleet.forgetFrames();
      stores(""); // a status frame follows if anything is degraded
    },
    events(fresh) {
      if (fleet.applyEvents(fresh)) feed.refetchSoon();
      // another process: its id reaches the registry a moment after its first answer
      if (fresh.some(({ kind }) => kind === "instance.restarted")) feed.refetchSoon(RESTART_MS);
      events(fresh);
    },
    state(frame) {
      stateAt = Date.now();
      fleet.applyState(frame);
    },
    status: (frame) => stores(statusWords(frame)),
    snapshot(snapshot) {
      fleet.load(snapshot);
      judge(snapshot);
    },
  });

  /** @param {{prober: {alive: boolean}}} snapshot */
  function judge(snapshot) {
    proberAway = fleet.byId.size > 0 && !snapshot.prober.alive;
    prober(proberAway ? proberWords(feed.dataAt) : "");
  }

  /** Whether the prober is gone, or back, is only in a snapshot: ask, but not all the time. */
  function lookAfterProber() {
    const now = Date.now();
    const silent = fleet.byId.size > 0 && now - stateAt > STATE_SILENT_MS;
    if (feed.phase !== "live" || now - askedAt < STATE_SILENT_MS) return;
    if (!silent && !proberAway) return;
    askedAt = now;
    feed.refetchSoon();
  }

  fleet.onChange(() => {
    const { down = 0 } = fleet.counts;
    document.title = down ? `(${down} down) ${title}` : title;
    if (demo && location.pathname === "/") {
      const pools = new Set(fleet.instances.map(({ pool }) => pool));
      demo.hidden = !(demo.dataset.pools ?? "").split(" ").some((pool) => pools.has(pool));
    }
  });

  function start() {
    fleet.load(shown);
    judge(shown);
    feed.start();
    indicate(feed, fleet, connection);
    setInterval(lookAfterProber, LOOK_MS);
  }

  // read by the browser tests: what was received, and how often
  Object.assign(window, { poolManager: { feed, fleet } });
  return { feed, fleet, start };
}

/** @param {string} id @returns {(text: string) => void} */
function banner(id) {
  const box = need(`#banner-${id}`);
  return (text) => {
    if (box.textContent !== text) box.textContent = text;
    box.hidden = !text;
  };
}

/** @param {{degraded: string[], since: string | null}} frame */
function statusWords({ degraded, since }) {
  if (!degraded.length) return "";
  const from = since ? ` Since ${time(Date.parse(since))}.` : "";
  return degraded.map((store) => DEGRADED[store] ?? `${store} does not answer.`).join(" ") + from;
}

/**
 * A moment, not an age: the banner is said aloud whenever its words change.
 * @param {number} reportedAt ms since the epoch; 0: not known
 */
function proberWords(reportedAt) {
  // the same report is read a few ms earlier or later each time
  const since = reportedAt ? ` since ${time(Math.round(reportedAt / 1000) * 1000)}` : "";
  return `No prober has reported${since}. Health stays as last judged and ages.`;
}

/** @param {Feed} feed @param {Fleet} fleet @param {(text: string) => void} banner */
function indicate(feed, fleet, banner) {
  const box = need("#indicator");
  const said = need("#indicator-said");
  let phaseSaid = feed.phase;
  const show = () => {
    const { mark, text } = words(feed, fleet.byId.size > 0);
    // what lags is not shown in the colour of what is live
    box.dataset.phase = mark === LATE ? "polling" : feed.phase;
    document.body.dataset.phase = feed.phase;
    const whole = `${mark} ${text}`;
    if (box.textContent !== whole) box.textContent = whole;
    if (feed.phase !== phaseSaid) {
      phaseSaid = feed.phase;
      said.textContent = PHASES[feed.phase];
      banner(AWAY.has(feed.phase) ? PHASES[feed.phase] : "");
    }
  };
  show();
  setInterval(show, INDICATOR_MS);
}

/** @type {Record<string, string>} for those who hear the page */
const PHASES = {
  connecting: "Connecting.",
  live: "Live.",
  polling: "The live connection is away; the state is fetched every 2 seconds.",
  lost: "No connection; what is shown is the last known.",
  signed_out: "Signed out; reload the page to log in.",
};

/**
 * The age is that of the probe state; a fleet without instances has none, so the server's word counts.
 * @param {Feed} feed @param {boolean} probed @returns {{mark: string, text: string}}
 */
function words(feed, probed) {
  const knownAt = probed ? feed.dataAt : feed.answeredAt;
  const old = (Date.now() - knownAt) / 1000;
  if (feed.phase === "connecting") return { mark: "○", text: "connecting" };
  if (feed.phase === "polling")
    return {
      mark: "○",
      text: knownAt ? `polling, data ${age(old)} old` : "polling, no probe data",
    };
  if (feed.phase === "lost")
    return { mark: "✕", text: knownAt ? `last known ${time(knownAt)}` : "no connection" };
  if (feed.phase === "signed_out") return { mark: "✕", text: "signed out, reload to log in" };
  const behind = feed.headSeq - feed.lastSeq;
  if (behind > 0) return { mark: LATE, text: `${behind} behind` };
  if (feed.behindS >= 1) return { mark: LATE, text: `${age(feed.behindS)} behind` };
  if (!knownAt) return { mark: LATE, text: "no probe data" };
  if (old * 1000 > STATE_SILENT_MS) return { mark: LATE, text: `data ${age(old)} old` };
  return { mark: "●", text: `live · ${ageExact(old)}` };
}
