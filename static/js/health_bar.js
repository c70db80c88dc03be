// The health bar: shares of a line; templates/dashboard/health_bar.html draws the same.

import { STATES } from "./states.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 100;
const ORDER = ["up", ...STATES.filter((state) => state !== "up")];

/** @param {SVGElement} svg @param {Record<string, number>} counts */
export function healthBar(svg, counts) {
  const total = ORDER.reduce((sum, state) => sum + counts[state], 0);
  const key = ORDER.map((state) => counts[state]).join();
  if (svg.dataset.key === key) return;
  svg.dataset.key = key;
  let x = 0;
  const parts = [];
  for (const state of ORDER) {
    const width = (WIDTH * counts[state]) / total;
    if (!width) continue;
    const part = document.createElementNS(SVG, "rect");
    part.setAttribute("class", `bar-${state}`);
    part.setAttribute("x", String(x));
    part.setAttribute("width", String(width));
    part.setAttribute("height", "8");
    parts.push(part);
    x += width;
  }
  svg.replaceChildren(...parts);
}
