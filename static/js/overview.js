// The overview page.

import { OVERVIEW } from "./columns.js";
import { countsBar } from "./counts.js";
import { Grid } from "./grid.js";
import { instanceHref, sentence } from "./instance_words.js";
import { livePage } from "./live.js";
import { need, onFrame, pageData, viewGet, viewSet } from "./page.js";
import { problemsShow } from "./problems.js";
import { InstanceTable } from "./table.js";
import { Tail } from "./tail.js";

const SECOND_MS = 1000;
const POINT_NOTHING = "Point at a cell, or use the arrow keys; n is the next that is not up.";

/** @typedef {import("./fleet.js").Instance} Instance */

const search = need("#fleet-search");

/** What the view in the URL asks for, read once a change of it. */
const view = { state: "", words: /** @type {string[]} */ ([]) };

function viewRead() {
  view.state = viewGet("health");
  view.words = viewGet("q").toLowerCase().split(/\s+/).filter(Boolean);
}

/** @param {Instance} one @returns {boolean} */
function wanted(one) {
  if (view.state && one.state !== view.state) return false;
  if (!view.words.length) return true;
  const text = `${one.name} ${one.zone} ${one.address} ${one.reason}`.toLowerCase();
  return view.words.every((word) => text.includes(word));
}

viewRead();
const tail = new Tail(need("#tail"), pageData("tail-events"));
const { fleet, start } = livePage({ events: (fresh) => tail.add(fresh) });
const line = need("#grid-line");
/** @type {Instance | null} */
let pointed = null;

const grid = new Grid(need("#grid"), {
  by: viewGet("group") === "pool" ? "pool" : "zone",
  wanted,
  point(one) {
    pointed = one;
    line.textContent = one ? sentence(one) : POINT_NOTHING;
  },
  open: (one) => location.assign(instanceHref(one)),
});
const table = new InstanceTable(need("#fleet-table"), OVERVIEW, wanted);
const counts = countsBar(need("#counts"), filtered);
const callers = pageData("page-data").callers;
const problems = onFrame(() => problemsShow(need("#problems"), fleet.instances, callers));

function filtered() {
  viewRead();
  grid.arrange();
  table.arrange();
}

function grouped() {
  const by = viewGet("group") === "pool" ? "pool" : "zone";
  for (const link of document.querySelectorAll("[data-group]")) {
    if (/** @type {HTMLElement} */ (link).dataset.group === by)
      link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  grid.by = by;
}

for (const link of document.querySelectorAll("[data-group]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const group = /** @type {HTMLElement} */ (link).dataset.group ?? "";
    viewSet({ group: group === "zone" ? "" : group });
    grouped();
    grid.arrange();
  });
}
search.value = viewGet("q");
search.addEventListener("input", () => {
  viewSet({ q: search.value.trim() });
  filtered();
});
search.form.addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());

fleet.onChange(({ reshaped, instances }) => {
  counts(fleet.counts);
  problems();
  if (reshaped) {
    grid.show(fleet.instances);
    table.show(fleet.instances);
    need("#fleet-empty").hidden = fleet.byId.size > 0;
    need("#fleet-shown").hidden = fleet.byId.size === 0;
  } else {
    grid.update([...instances].filter(moved));
    table.update(instances);
  }
  if (pointed && instances.has(pointed)) line.textContent = sentence(pointed);
});

/** States last drawn: latency and load change often and are not in the grid. @type {Map<string, string>} */
const drawn = new Map();

/** @param {Instance} one */
function moved(one) {
  if (drawn.get(one.id) === one.state) return false;
  drawn.set(one.id, one.state);
  return true;
}

grouped();
line.textContent = POINT_NOTHING;
start();
for (const one of fleet.instances) drawn.set(one.id, one.state);
// ages in sentences and rows move on without any frame
setInterval(() => {
  problems();
  table.tick();
}, SECOND_MS);
