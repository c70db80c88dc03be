// One page's live data: feed, fleet, the indicator top right and the banners about what is wrong.

import { Feed } from "./feed.js";
import { Fleet } from "./fleet.js";
import { need, pageData } from "./page.js";
import { age, ageExact, time } from "./words.js";

const INDICATOR_MS = 200;
const STATE_SILENT_MS = 10000;
const RESTART_MS = 2500;
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
      prober(proberWords(snapshot.prober, fleet.byId.size));
    },
  });

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
    prober(proberWords(shown.prober, fleet.byId.size));
    feed.start();
    indicate(feed, connection);
    setInterval(() => {
      const silent = Date.now() - stateAt > STATE_SILENT_MS;
      if (feed.phase === "live" && fleet.byId.size && silent) feed.refetchSoon();
    }, STATE_SILENT_MS);
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

/** @param {{alive: boolean, age_s: number | null}} prober @param {number} instances */
function proberWords(prober, instances) {
  if (prober.alive || !instances) return "";
  const last =
    prober.age_s === null
      ? "No prober has reported."
      : `The last prober reported ${age(prober.age_s)} ago.`;
  return `${last} Health stays as last judged and ages.`;
}

/** @param {Feed} feed @param {(text: string) => void} banner */
function indicate(feed, banner) {
  const box = need("#indicator");
  const said = need("#indicator-said");
  let phaseSaid = feed.phase;
  const show = () => {
    const { mark, text } = words(feed);
    box.dataset.phase = feed.phase;
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

/** @param {Feed} feed @returns {{mark: string, text: string}} */
function words(feed) {
  const old = (Date.now() - feed.dataAt) / 1000;
  if (feed.phase === "connecting") return { mark: "○", text: "connecting" };
  if (feed.phase === "polling") return { mark: "○", text: `polling, data ${age(old)} old` };
  if (feed.phase === "lost") return { mark: "✕", text: `last known ${time(feed.dataAt)}` };
  if (feed.phase === "signed_out") return { mark: "✕", text: "signed out, reload to log in" };
  const behind = feed.headSeq - feed.lastSeq;
  if (behind > 0) return { mark: "◐", text: `${behind} behind` };
  if (feed.behindS >= 1) return { mark: "◐", text: `${age(feed.behindS)} behind` };
  return { mark: "●", text: `live · ${ageExact(old)}` };
}
