// The header's counts: how many of each state, each a filter of what is below.

import { need, viewGet, viewSet } from "./page.js";
import { STATES } from "./states.js";

/**
 * @param {HTMLElement} bar with a link for each state
 * @param {() => void} filtered called when the reader chose another
 * @returns {(counts: Record<string, number>) => void}
 */
export function countsBar(bar, filtered) {
  const links = new Map(STATES.map((state) => [state, need(`[data-state=${state}]`, bar)]));
  const mark = () => {
    for (const [state, link] of links) {
      if (viewGet("health") === state) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  for (const [state, link] of links) {
    link.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      viewSet({ health: viewGet("health") === state ? "" : state });
      mark();
      filtered();
    });
  }
  mark();
  return (counts) => {
    for (const [state, link] of links) {
      const count = counts[state] ?? 0;
      const text = count.toLocaleString("en");
      const number = need(".count-number", link);
      if (number.textContent !== text) number.textContent = text;
      link.classList.toggle("count-none", count === 0);
    }
  };
}
