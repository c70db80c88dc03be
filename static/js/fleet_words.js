// The counts in words; dashboard/states.py says the same on the server.

import { STATES, WORDS } from "./states.js";

/** @param {Record<string, number>} counts @returns {string} */
export function fleetSentence(counts) {
  const total = STATES.reduce((sum, state) => sum + counts[state], 0);
  if (!total) return "No instances.";
  if (counts.up === total) return total > 1 ? `All ${total} instances up.` : "1 instance, up.";
  const rest = STATES.filter((state) => counts[state] && state !== "up");
  const noun = total === 1 ? "instance" : "instances";
  return `${counts.up} of ${total} ${noun} up, ${rest.map((state) => `${counts[state]} ${WORDS[state]}`).join(", ")}.`;
}
