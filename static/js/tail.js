// The live event tail: newest on top, filtered here, paused or held back while the reader is further down.

import { element, need, onFrame, pageDataOf, viewGet, viewSet } from "./page.js";
import { plural, time, timeMs } from "./words.js";

const ROWS_MAX = 200;
const KEPT_MAX = 1000;
const SAY_EVERY_MS = 5000;
const REFILL_MS = 5000;
const RANKS = ["info", "notice", "warning", "critical"];
const FILTERS = ["pool", "kind", "severity"];

/** Shape by severity, so that colour is not the only sign. @type {Record<string, string>} */
const MARKS = { info: "·", notice: "–", warning: "▲", critical: "✕" };

export class Tail {
  /** Newest first. @type {any[]} */
  #kept;
  /** Not shown yet, newest first. @type {any[]} */
  #held = [];
  #paused = false;
  #saidAt = 0;

  /**
   * @param {HTMLElement} panel
   * @param {any[]} events newest first
   */
  constructor(panel, events) {
    this.panel = panel;
    this.#kept = events;
    this.scroller = need(".tail-scroll", panel);
    this.list = need(".tail-rows", panel);
    this.pill = need(".tail-pill", panel);
    this.pause = need(".tail-pause", panel);
    this.said = need(".tail-said", panel);
    this.none = need(".tail-none", panel);
    this.draw = onFrame(() => this.#flush());
    this.#listen();
    this.#redraw();
  }

  /** @param {any[]} events new ones, in order */
  add(events) {
    const wanted = events.filter((event) => this.#wants(event)).reverse();
    this.#kept = [...[...events].reverse(), ...this.#kept].slice(0, KEPT_MAX);
    if (!wanted.length) return;
    this.#held = [...wanted, ...this.#held].slice(0, KEPT_MAX);
    this.#say(wanted);
    this.draw();
  }

  #listen() {
    for (const name of FILTERS) {
      const select = this.panel.querySelector(`select[name=${name}]`);
      if (!select) continue;
      /** @type {HTMLSelectElement} */ (select).value = viewGet(name);
      select.addEventListener("change", () => {
        viewSet({ [name]: /** @type {HTMLSelectElement} */ (select).value });
        this.#held = [];
        this.#redraw();
        this.#refill();
      });
    }
    this.pause.addEventListener("click", () => {
      this.#paused = !this.#paused;
      this.#flush();
    });
    this.pill.addEventListener("click", () => {
      this.scroller.scrollTop = 0;
      this.#paused = false;
      this.#flush();
      this.scroller.focus({ preventScroll: true });
    });
    this.scroller.addEventListener("scroll", () => this.draw(), { passive: true });
  }

  /** @param {any} event */
  #wants(event) {
    const pool = viewGet("pool");
    const kind = viewGet("kind");
    const least = RANKS.indexOf(viewGet("severity"));
    const only = this.panel.dataset.pool;
    if (only && event.pool !== only) return false;
    if (!only && pool && event.pool !== pool) return false;
    return event.kind.startsWith(kind) && RANKS.indexOf(event.severity) >= least;
  }

  /** What is here was chosen by another filter: older events that match this one are at the server. */
  async #refill() {
    const asked = location.search;
    try {
      const answer = await fetch(location.pathname + asked, {
        redirect: "manual",
        cache: "no-store",
        signal: AbortSignal.timeout(REFILL_MS),
      });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (asked !== location.search) return; // chosen again meanwhile
      const { seq } = pageDataOf(page, "snapshot");
      const younger = this.#kept.filter((event) => event.seq > seq);
      this.#kept = [...younger, ...pageDataOf(page, "tail-events")];
      this.#held = [];
      this.#redraw();
    } catch {
      // what is here stays: the indicator tells of a server that does not answer
    }
  }

  #redraw() {
    const rows = this.#kept.filter((event) => this.#wants(event)).slice(0, ROWS_MAX);
    this.list.replaceChildren(...rows.map(row));
    this.#flush();
  }

  #flush() {
    const waits = this.#paused || this.scroller.scrollTop > 4;
    if (!waits && this.#held.length) {
      const fresh = this.#held.slice(0, ROWS_MAX).map(row);
      for (const one of fresh) one.classList.add("fresh");
      this.list.prepend(...fresh);
      while (this.list.children.length > ROWS_MAX) this.list.lastElementChild.remove();
      this.#held = [];
    }
    const count = this.#held.length;
    this.pill.hidden = !count || this.#paused;
    this.pill.textContent = `${count} new ↑`;
    this.pause.setAttribute("aria-pressed", String(this.#paused));
    this.pause.textContent = this.#paused ? `Resume${count ? ` (${count} new)` : ""}` : "Pause";
    this.none.hidden = this.list.children.length > 0;
  }

  /** Said aloud at most every 5 s, and only what wants eyes. @param {any[]} fresh */
  #say(fresh) {
    const grave = fresh.filter(
      (event) => event.severity === "critical" || event.severity === "warning",
    );
    if (!grave.length || Date.now() - this.#saidAt < SAY_EVERY_MS) return;
    this.#saidAt = Date.now();
    this.said.textContent = `${plural(grave.length, "new warning")}: ${grave[0].message}`;
  }
}

/** @param {any} event @returns {HTMLElement} */
function row(event) {
  const at = Date.parse(event.at);
  const when = element("time", "tail-time", timeMs(at));
  when.setAttribute("datetime", event.at);
  when.title = `${event.at} · ${time(at)} here · number ${event.seq}`;
  const mark = element("span", "tail-mark", MARKS[event.severity] ?? "·");
  mark.title = event.severity;
  mark.append(element("span", "visually-hidden", ` ${event.severity}`));
  const kind = element("span", "tail-kind", event.kind);
  const item = element("li", `tail-row severity-${event.severity}`, when, mark);
  item.append(element("span", "tail-text", event.message, " ", kind));
  item.dataset.seq = event.seq;
  return item;
}
