// The journal's page: choosing a filter is asking for it.

import { need } from "./page.js";
import { timeMs } from "./words.js";

const form = need("#events-filter");
for (const select of form.querySelectorAll("select")) {
  select.addEventListener("change", () => form.requestSubmit());
}
need("button", form).hidden = true;

// the server writes UTC; the reader's own clock stands in the title's place
for (const at of document.querySelectorAll("time[data-ms]")) {
  const element = /** @type {HTMLTimeElement} */ (at);
  element.title = `${timeMs(Number(element.dataset.ms))} here`;
}
