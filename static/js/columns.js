// The columns of instance tables, made once for the overview and the pool page.

import { doubt, instanceHref, why } from "./instance_words.js";
import { element } from "./page.js";
import { badge } from "./states.js";
import { stripDraw } from "./strip.js";
import { made, text } from "./table.js";
import { age, latency, percent, time } from "./words.js";

/** @typedef {import("./fleet.js").Instance} Instance */

/** @param {Instance} one */
function stateBadge(one) {
  return badge(one.state, one.state === "doubt" ? doubt(one) : "");
}

/** @param {Instance} one */
function sinceTime(one) {
  const at = element("time", "", age(Date.now() / 1000 - one.since));
  const iso = new Date(one.since * 1000).toISOString();
  at.setAttribute("datetime", iso);
  at.title = `${iso} · ${time(one.since * 1000)} here`;
  return at;
}

const state = made((one) => `${one.state}${doubt(one)}`, stateBadge, "cell-state");
const reason = text(why, "cell-reason");
const answered = text((one) => latency(one.latency_ms), "number");
const load = text((one) => percent(one.load), "number");
// the age moves on its own; a key by the half minute keeps the cell from being made each frame
const since = made((one) => `${one.since}|${ageStep(one.since)}`, sinceTime, "number");

/** @param {number} from unix seconds */
function ageStep(from) {
  const seconds = Date.now() / 1000 - from;
  return seconds < 60 ? Math.round(seconds) : Math.floor(seconds / 30);
}

/** @param {Instance} one */
function link(one) {
  const to = /** @type {HTMLAnchorElement} */ (element("a", "cell-link", one.name));
  to.href = instanceHref(one);
  return to;
}

/** @param {Instance} one */
function tripwire(one) {
  if (one.tripwire === null || one.health === "down" || one.health === "unknown") return "";
  return one.tripwire ? "on" : "off";
}

/** The overview's: which, state, why, where, how long. */
export const OVERVIEW = [
  made((one) => one.name, link),
  state,
  reason,
  text((one) => one.zone),
  answered,
  load,
  since,
];

/** The pool page's: everything known of an instance. */
export const POOL = [
  text((one) => `${one.host}:${one.port}`),
  state,
  reason,
  made(
    (one) => `${one.strip}|${one.strip_reasons?.length}`,
    (one) => stripDraw(one.strip ?? "", one.strip_reasons ?? []),
  ),
  answered,
  load,
  since,
  text((one) => one.zone),
  text((one) => `${one.address}:${one.port}`, "mono"),
  text((one) => one.build ?? "", "mono"),
  // what is down has no process that a signal could reach, and no connection to watch
  text((one) => (one.pid && one.health !== "down" ? String(one.pid) : ""), "number"),
  text(tripwire),
];
