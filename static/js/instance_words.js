// One instance in one line.

import { WORDS } from "./states.js";
import { age, time } from "./words.js";

/** @typedef {import("./fleet.js").Instance} Instance */

/** @param {Instance} one @returns {string} "failing 1/2" while in doubt */
export function doubt({ failing, of, health }) {
  return failing && health !== "down" ? `failing ${failing}/${of}` : "";
}

/** @param {Instance} one @returns {string} why it is in its state */
export function why(one) {
  if (one.life === "lost") return `lost; ${one.reason}`;
  if (one.life === "standby") return one.reason ? `standby; ${one.reason}` : "standby";
  if (one.state === "draining" || one.state === "maintenance") {
    return one.health === "up" ? "" : `${one.health}${one.reason ? `: ${one.reason}` : ""}`;
  }
  return one.reason;
}

/** @param {Instance} one @returns {string} */
export function sentence(one) {
  const doubted = doubt(one);
  const reason = why(one);
  const since = `since ${time(one.since * 1000)} (${age(Date.now() / 1000 - one.since)})`;
  const state = one.state === "doubt" ? `in doubt, ${doubted}` : `${WORDS[one.state]} ${since}`;
  return `${one.name} · ${state}${reason ? `: ${reason}` : ""}`;
}

/** @param {Instance} one @returns {string} its row on its pool's page */
export function instanceHref(one) {
  return `/pools/${encodeURIComponent(one.pool)}/#${encodeURIComponent(one.name)}`;
}
