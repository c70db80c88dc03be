// What is wrong, as sentences: the widest thing that explains it, how many of how many, since when, why.

import { element } from "./page.js";
import { badge } from "./states.js";
import { age, plural, time } from "./words.js";

/** @typedef {import("./fleet.js").Instance} Instance */
/**
 * @typedef {object} Problem
 * @property {string} state
 * @property {string} subject "zone-b", "host b1", "recording", an instance's name
 * @property {string} text
 * @property {string} effect
 * @property {string} href
 * @property {number} size
 */

const SHOWN_MAX = 6;
const BAD = new Set(["down", "degraded"]);

/**
 * Group what is bad: a zone or host that is bad as a whole first, then what is left by pool.
 * @param {Instance[]} instances
 * @param {Record<string, string[]>} callers pool to those who call it
 * @returns {Problem[]} worst and largest first
 */
export function problems(instances, callers) {
  const left = new Set(instances.filter((one) => one.state === "down"));
  const found = [];
  for (const [noun, key] of /** @type {const} */ ([
    ["zone", "zone"],
    ["host", "host"],
  ])) {
    for (const [name, all] of grouped(instances, key)) {
      const bad = all.filter((one) => left.has(one));
      if (bad.length < 2 || bad.length < all.length) continue;
      if (key === "zone" && new Set(bad.map((one) => one.host)).size < 2) continue;
      found.push(
        problem("down", `${noun} ${name}`, bad, all, `/?health=down&q=${encodeURIComponent(name)}`),
      );
      for (const one of bad) left.delete(one);
    }
  }
  const rest = instances.filter(
    (one) => left.has(one) || (BAD.has(one.state) && one.state !== "down"),
  );
  const pools = grouped(instances, "pool");
  for (const [pool, ofPool] of grouped(rest, "pool")) {
    for (const [state, bad] of grouped(ofPool, "state")) {
      const all = pools.get(pool) ?? [];
      const one = problem(state, pool, bad, all, `/pools/${encodeURIComponent(pool)}/`);
      const who = callers[pool] ?? [];
      one.effect = who.length ? `${who.join(", ")} ${who.length === 1 ? "calls" : "call"} it.` : "";
      found.push(one);
    }
  }
  return found.sort(
    (a, b) => Number(b.state === "down") - Number(a.state === "down") || b.size - a.size,
  );
}

/**
 * @param {string} state @param {string} subject
 * @param {Instance[]} bad @param {Instance[]} all @param {string} href
 * @returns {Problem}
 */
function problem(state, subject, bad, all, href) {
  const since = Math.min(...bad.map((one) => one.since));
  const whole = all.length === bad.length && all.length > 1;
  // "all down since" is true from the last one on
  const began = whole ? Math.max(...bad.map((one) => one.since)) : since;
  const counts = [...grouped(bad, "reason")].sort((a, b) => b[1].length - a[1].length);
  const [[reason, most]] = counts;
  const why = reason
    ? `: ${reason}${most.length < bad.length ? ` (${most.length} of them)` : ""}`
    : "";
  const names = [...new Set(bad.map((one) => one.pool))];
  // a host or zone that is down is told with what was on it
  const pools = names.includes(subject) ? "" : ` Pools: ${names.join(", ")}.`;
  const which = bad.length === 1 && all.length > 1 ? ` (${bad[0].host}:${bad[0].port})` : "";
  const many = whole
    ? `all ${plural(all.length, "instance")}`
    : `${bad.length} of ${plural(all.length, "instance")}`;
  const text = `${many} ${state}${which} since ${time(began * 1000)} (${age(Date.now() / 1000 - began)})${why}.${pools}`;
  return { state, subject, text, effect: "", href, size: bad.length };
}

/**
 * @template {keyof Instance} K
 * @param {Instance[]} instances @param {K} key
 * @returns {Map<string, Instance[]>}
 */
function grouped(instances, key) {
  /** @type {Map<string, Instance[]>} */
  const groups = new Map();
  for (const one of instances) {
    const name = String(one[key]);
    const group = groups.get(name);
    if (group) group.push(one);
    else groups.set(name, [one]);
  }
  return groups;
}

/** @param {Problem} one @returns {HTMLElement} */
function line({ state, subject, text, effect, href }) {
  const link = /** @type {HTMLAnchorElement} */ (element("a", "problem-subject", subject));
  link.href = href;
  const mark = badge(state);
  mark.lastChild?.remove();
  return element(
    "li",
    `problem problem-${state}`,
    mark,
    element("span", "", link, `: ${text} ${effect}`),
  );
}

/**
 * @param {HTMLElement} list
 * @param {Instance[]} instances
 * @param {Record<string, string[]>} callers
 */
export function problemsShow(list, instances, callers) {
  const found = problems(instances, callers);
  const lines = found.slice(0, SHOWN_MAX).map(line);
  if (found.length > SHOWN_MAX) {
    lines.push(
      element(
        "li",
        "problem quiet",
        `and ${found.length - SHOWN_MAX} more; the list below has them all.`,
      ),
    );
  }
  if (!found.length) {
    const doubt = instances.filter((one) => one.state === "doubt").length;
    const calm = doubt
      ? `Nothing is down; ${plural(doubt, "instance")} in doubt.`
      : instances.length
        ? `Nothing is down among ${plural(instances.length, "instance")}.`
        : "No instances yet: add a pool below.";
    lines.push(element("li", "problem quiet", calm));
  }
  list.replaceChildren(...lines);
}
