// The states of an instance on the screen: words, order, shapes. dashboard/states.py says the same.

/** @type {readonly string[]} worst first */
export const STATES = [
  "down",
  "doubt",
  "degraded",
  "unknown",
  "starting",
  "draining",
  "maintenance",
  "up",
];

/** @type {Record<string, string>} */
export const WORDS = {
  down: "down",
  doubt: "in doubt",
  degraded: "degraded",
  unknown: "unknown",
  starting: "starting",
  draining: "draining",
  maintenance: "maintenance",
  up: "up",
};

/** Place in the order, worst first. @type {Record<string, number>} */
export const RANK = Object.fromEntries(STATES.map((state, rank) => [state, rank]));

/**
 * The one state that counts: what an operator ordered, then the verdict, with doubt before up.
 * @param {{life: string, override: string, health: string, failing: number}} instance
 * @returns {string}
 */
export function stateOf({ life, override, health, failing }) {
  if (override === "maintenance") return "maintenance";
  if (override === "drain" || life === "draining" || life === "terminating") return "draining";
  if (life === "lost") return "down";
  if (life === "launching") return "starting";
  if (failing && (health === "up" || health === "degraded")) return "doubt";
  return health;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * The state's shape from the page's sprite.
 * @param {string} state
 * @returns {SVGSVGElement}
 */
export function shape(state) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "shape");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#shape-${state}`);
  svg.append(use);
  return svg;
}

/**
 * Shape and word in the state's colour.
 * @param {string} state
 * @param {string} [detail] said after the word
 * @returns {HTMLElement}
 */
export function badge(state, detail = "") {
  const span = document.createElement("span");
  span.className = `state state-${state}`;
  span.append(shape(state), detail ? `${WORDS[state]} ${detail}` : WORDS[state]);
  return span;
}
