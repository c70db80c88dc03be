// The list of pools: the server's table, kept true.

import { fleetSentence } from "./fleet_words.js";
import { healthBar } from "./health_bar.js";
import { livePage } from "./live.js";
import { need, onFrame } from "./page.js";
import { STATES } from "./states.js";

const { fleet, start } = livePage();

const draw = onFrame(() => {
  /** @type {Map<string, Record<string, number>>} */
  const pools = new Map();
  for (const one of fleet.byId.values()) {
    if (!pools.has(one.pool))
      pools.set(one.pool, Object.fromEntries(STATES.map((state) => [state, 0])));
    /** @type {Record<string, number>} */ (pools.get(one.pool))[one.state] += 1;
  }
  for (const [slug, counts] of pools) {
    const row = document.querySelector(`tr[data-pool="${slug}"]`);
    if (!row) continue; // made after this page
    healthBar(need(".health-bar", row), counts);
    const said = need(".pool-said", row);
    const words = fleetSentence(counts);
    if (said.textContent !== words) said.textContent = words;
  }
});

fleet.onChange(draw);
start();
