// Instances as a table: not-up first, rows reused, order kept while the reader is in it.

import { element, onFrame } from "./page.js";
import { RANK } from "./states.js";

/** @typedef {import("./fleet.js").Instance} Instance */
/** @typedef {{className?: string, fill: (cell: HTMLElement, one: Instance) => void}} Column */

const ROWS_STEP = 200;

export class InstanceTable {
  /** @type {Instance[]} */
  #all = [];
  /** @type {Map<string, HTMLTableRowElement>} */
  #rows = new Map();
  /** @type {Set<Instance>} */
  #dirty = new Set();
  /** @type {Instance[]} those with a row */
  #shown = [];
  #unsorted = false;
  #limit = ROWS_STEP;

  /**
   * @param {HTMLElement} box with a table, a count, a sentence for no match and a button for more
   * @param {Column[]} columns the first is the row's heading
   * @param {(one: Instance) => boolean} wanted
   */
  constructor(box, columns, wanted) {
    this.box = box;
    this.columns = columns;
    this.wanted = wanted;
    this.body = /** @type {HTMLElement} */ (box.querySelector("tbody"));
    this.count = /** @type {HTMLElement} */ (box.querySelector(".table-count"));
    this.none = /** @type {HTMLElement} */ (box.querySelector(".table-none"));
    this.more = /** @type {HTMLButtonElement} */ (box.querySelector(".table-more"));
    this.draw = onFrame(() => this.#draw());
    this.more.addEventListener("click", () => {
      this.#limit += ROWS_STEP;
      this.arrange();
    });
    for (const left of ["pointerleave", "focusout"]) {
      this.body.addEventListener(left, () => this.#unsorted && this.draw());
    }
  }

  /** @param {Instance[]} instances */
  show(instances) {
    this.#all = instances;
    this.arrange();
  }

  /** Choose and order the rows anew. */
  arrange() {
    this.#unsorted = false;
    const matching = this.#all.filter(this.wanted);
    matching.sort((a, b) => RANK[a.state] - RANK[b.state]);
    const shown = matching.slice(0, this.#limit);
    const rows = new Map();
    for (const one of shown) {
      const row = this.#rows.get(one.id) ?? this.#make(one);
      this.#fill(row, one);
      rows.set(one.id, row);
    }
    this.#rows = rows;
    this.#shown = shown;
    // moving a row that is in place already would take its focus and hover
    const want = [...rows.values()];
    const same =
      want.length === this.body.children.length &&
      want.every((row, at) => row === this.body.children[at]);
    if (!same) this.body.replaceChildren(...want);
    this.#dirty.clear();
    this.#say(shown.length, matching.length);
  }

  /** @param {Iterable<Instance>} changed */
  update(changed) {
    for (const one of changed) this.#dirty.add(one);
    this.draw();
  }

  /** Ages move on without any frame. */
  tick() {
    this.update(this.#shown);
  }

  #draw() {
    for (const one of this.#dirty) {
      const row = this.#rows.get(one.id);
      if (!row) this.#unsorted ||= this.wanted(one);
      else {
        this.#unsorted ||= row.dataset.state !== one.state;
        this.#fill(row, one);
      }
    }
    this.#dirty.clear();
    if (this.#unsorted && !this.#read()) this.arrange();
  }

  /** Whether the reader is in the rows: then nothing moves. */
  #read() {
    return this.body.matches(":hover") || this.body.contains(document.activeElement);
  }

  /** @param {Instance} one @returns {HTMLTableRowElement} */
  #make(one) {
    const row = /** @type {HTMLTableRowElement} */ (element("tr"));
    row.id = one.name;
    row.dataset.instance = one.name;
    for (const [at, { className = "" }] of this.columns.entries()) {
      const cell = element(at ? "td" : "th", className);
      if (!at) cell.setAttribute("scope", "row");
      row.append(cell);
    }
    return row;
  }

  /** @param {HTMLTableRowElement} row @param {Instance} one */
  #fill(row, one) {
    row.dataset.state = one.state;
    for (const [at, { fill }] of this.columns.entries())
      fill(/** @type {HTMLElement} */ (row.children[at]), one);
  }

  /** @param {number} shown @param {number} matching */
  #say(shown, matching) {
    const all = this.#all.length;
    const part = shown < matching ? `first ${shown} of ${matching}` : `${matching}`;
    this.count.textContent = matching === all && shown === all ? `${all}` : `${part} of ${all}`;
    this.more.hidden = shown >= matching;
    this.none.hidden = matching > 0 || all === 0;
  }
}

/**
 * A cell of plain text, written only when it changes.
 * @param {(one: Instance) => string} say @param {string} [className] @returns {Column}
 */
export function text(say, className = "") {
  return {
    className,
    fill(cell, one) {
      const words = say(one);
      if (cell.textContent !== words) cell.textContent = words;
    },
  };
}

/**
 * A cell made of elements, made anew only when its key changes.
 * @param {(one: Instance) => string} key @param {(one: Instance) => Node} make
 * @param {string} [className] @returns {Column}
 */
export function made(key, make, className = "") {
  return {
    className,
    fill(cell, one) {
      const now = key(one);
      if (cell.dataset.key === now) return;
      cell.dataset.key = now;
      cell.replaceChildren(make(one));
    },
  };
}
