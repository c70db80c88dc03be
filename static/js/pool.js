// The page of one pool.

import { POOL } from "./columns.js";
import { countsBar } from "./counts.js";
import { fleetSentence } from "./fleet_words.js";
import { healthBar } from "./health_bar.js";
import { livePage } from "./live.js";
import { need, pageData, viewGet } from "./page.js";
import { InstanceTable } from "./table.js";
import { Tail } from "./tail.js";

const SECOND_MS = 1000;

const tail = new Tail(need("#tail"), pageData("tail-events"));
const { fleet, start } = livePage({
  events(fresh) {
    tail.add(fresh);
    const deleted = fresh.some(({ kind }) => kind === "pool.deleted");
    if (deleted) need("#pool-deleted").hidden = false;
  },
});
const table = new InstanceTable(
  need("#pool-table"),
  POOL,
  (one) => !viewGet("health") || one.state === viewGet("health"),
);
const counts = countsBar(need("#counts"), () => table.arrange());
const bar = need("#health-bar");
const said = need("#pool-sentence");

fleet.onChange(({ reshaped, instances }) => {
  counts(fleet.counts);
  healthBar(bar, fleet.counts);
  const words = fleetSentence(fleet.counts);
  if (said.textContent !== words) said.textContent = words;
  need("#pool-empty").hidden = fleet.byId.size > 0;
  need("#pool-shown").hidden = fleet.byId.size === 0;
  if (reshaped) table.show(fleet.instances);
  else table.update(instances);
});

start();
// ages move on without any frame
setInterval(() => table.tick(), SECOND_MS);

const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
if (named) {
  named.classList.add("row-named");
  named.scrollIntoView({ block: "center" });
}
