// The fleet as a canvas: one cell an instance, only changed cells drawn anew.

import { drawShape, palette } from "./cell_shapes.js";
import { layout } from "./grid_layout.js";
import { onFrame } from "./page.js";

/** @typedef {import("./fleet.js").Instance} Instance */
/** @typedef {import("./grid_layout.js").Cell} Cell */

const GLOW_MS = 900;
const FADED = 0.22;
const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

export class Grid {
  /** @type {Instance[]} */
  #instances = [];
  /** @type {import("./grid_layout.js").Layout} */
  #layout = { cells: [], labels: [], pitch: 24, size: 18, height: 0 };
  /** @type {Map<Instance, number>} place of an instance's cell */
  #places = new Map();
  /** @type {Set<number>} */
  #dirty = new Set();
  /** Cells that just changed, and when. @type {Map<number, number>} */
  #glow = new Map();
  #cursor = -1;
  #width = 0;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {object} options
   * @param {"zone" | "pool"} options.by
   * @param {(one: Instance) => boolean} options.wanted others are drawn faint
   * @param {(one: Instance | null) => void} options.point what pointer or keys are on
   * @param {(one: Instance) => void} options.open
   */
  constructor(canvas, { by, wanted, point, open }) {
    this.canvas = canvas;
    this.by = by;
    this.wanted = wanted;
    this.point = point;
    this.open = open;
    this.pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.colours = palette();
    this.paint = onFrame(() => this.#paintDirty());
    this.#listen();
  }

  /** @param {Instance[]} instances */
  show(instances) {
    this.#instances = instances;
    this.arrange();
  }

  /** @param {Iterable<Instance>} changed */
  update(changed) {
    const now = performance.now();
    for (const one of changed) {
      const place = this.#places.get(one);
      if (place === undefined) continue;
      this.#dirty.add(place);
      if (!this.#calm.matches) this.#glow.set(place, now);
    }
    this.paint();
  }

  /** Lay out and draw everything: another shape of fleet, width, grouping, filter or scheme. */
  arrange() {
    const width = Math.floor(/** @type {HTMLElement} */ (this.canvas.parentElement).clientWidth);
    if (!width) return;
    this.#width = width;
    this.pen.font = FONT;
    const kept = this.#layout.cells[this.#cursor]?.one;
    this.#layout = layout(
      this.#instances,
      this.by,
      width,
      (text) => this.pen.measureText(text).width,
    );
    this.#places = new Map(this.#layout.cells.map(({ one }, place) => [one, place]));
    this.#cursor = kept ? (this.#places.get(kept) ?? -1) : -1;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(Math.max(1, this.#layout.height) * ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${this.#layout.height}px`;
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#paintAll();
  }

  #paintAll() {
    const { pen, colours } = this;
    pen.fillStyle = colours.bg;
    pen.fillRect(0, 0, this.#width, this.#layout.height);
    pen.textBaseline = "middle";
    for (const { text, x, y, strong } of this.#layout.labels) {
      pen.font = strong ? `600 ${FONT}` : FONT;
      pen.fillStyle = strong ? colours.text : colours.quiet;
      pen.fillText(text, x, y);
    }
    this.#dirty.clear();
    for (const place of this.#layout.cells.keys()) this.#paintCell(place, 0);
    this.#paintCursor();
  }

  #paintDirty() {
    const now = performance.now();
    for (const [place, since] of this.#glow) {
      this.#dirty.add(place);
      if (now - since > GLOW_MS) this.#glow.delete(place);
    }
    for (const place of this.#dirty) {
      const since = this.#glow.get(place);
      this.#paintCell(place, since === undefined ? 0 : 1 - (now - since) / GLOW_MS);
    }
    this.#dirty.clear();
    this.#paintCursor();
    if (this.#glow.size) this.paint();
  }

  /** @param {number} place @param {number} glow 0..1 */
  #paintCell(place, glow) {
    const cell = this.#layout.cells[place];
    if (!cell) return;
    const { pen, colours } = this;
    const { pitch, size } = this.#layout;
    const inset = (pitch - size) / 2;
    pen.fillStyle = colours.bg;
    pen.fillRect(cell.x, cell.y, pitch, pitch);
    if (glow > 0) {
      pen.globalAlpha = 0.45 * glow;
      pen.fillStyle = colours[cell.one.state];
      pen.fillRect(cell.x, cell.y, pitch, pitch);
    }
    pen.globalAlpha = this.wanted(cell.one) ? 1 : FADED;
    drawShape(pen, cell.one.state, colours[cell.one.state], cell.x + inset, cell.y + inset, size);
    pen.globalAlpha = 1;
  }

  #paintCursor() {
    const cell = this.#layout.cells[this.#cursor];
    if (!cell) return;
    this.pen.strokeStyle = this.colours.accent;
    this.pen.lineWidth = 2;
    this.pen.strokeRect(cell.x + 1, cell.y + 1, this.#layout.pitch - 2, this.#layout.pitch - 2);
  }

  /** @param {number} place */
  #move(place) {
    if (place === this.#cursor) return;
    this.#dirty.add(this.#cursor);
    this.#cursor = place;
    this.paint();
    this.point(this.#layout.cells[place]?.one ?? null);
  }

  /** @param {number} x @param {number} y @returns {number} -1 where no cell is */
  #at(x, y) {
    const { cells, pitch } = this.#layout;
    return cells.findIndex(
      (cell) => x >= cell.x && x < cell.x + pitch && y >= cell.y && y < cell.y + pitch,
    );
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("pointermove", (event) =>
      this.#move(this.#at(event.offsetX, event.offsetY)),
    );
    canvas.addEventListener(
      "pointerleave",
      () => document.activeElement !== canvas && this.#move(-1),
    );
    canvas.addEventListener("click", (event) => {
      const cell = this.#layout.cells[this.#at(event.offsetX, event.offsetY)];
      if (cell) this.open(cell.one);
    });
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#move(-1));
    new ResizeObserver(() => {
      const width = Math.floor(/** @type {HTMLElement} */ (canvas.parentElement).clientWidth);
      if (width !== this.#width) this.arrange();
    }).observe(/** @type {HTMLElement} */ (canvas.parentElement));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.colours = palette();
      this.arrange();
    });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { cells } = this.#layout;
    if (!cells.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.#cursor;
    if (event.key === "Enter" && cells[at]) this.open(cells[at].one);
    else if (event.key === "Escape") this.#move(-1);
    else {
      const next = this.#next(event.key, at);
      if (next === undefined) return;
      this.#move(Math.max(0, Math.min(cells.length - 1, next)));
    }
    event.preventDefault();
  }

  /** @param {string} key @param {number} at @returns {number | undefined} */
  #next(key, at) {
    const last = this.#layout.cells.length - 1;
    if (key === "ArrowRight") return at + 1;
    if (key === "ArrowLeft") return at - 1;
    if (key === "Home") return 0;
    if (key === "End") return last;
    if (key === "ArrowDown") return at < 0 ? 0 : this.#beside(at, 1);
    if (key === "ArrowUp") return at < 0 ? 0 : this.#beside(at, -1);
    if (key === "n") return this.#nextProblem(at);
    return undefined;
  }

  /** The nearest cell in the row above or below. @param {number} at @param {number} step */
  #beside(at, step) {
    const { cells } = this.#layout;
    const { x, row } = cells[at];
    let best = at;
    for (const [place, cell] of cells.entries()) {
      if (cell.row !== row + step) continue;
      if (best === at || Math.abs(cell.x - x) < Math.abs(cells[best].x - x)) best = place;
    }
    return best;
  }

  /** @param {number} at */
  #nextProblem(at) {
    const { cells } = this.#layout;
    for (let step = 1; step <= cells.length; step += 1) {
      const place = (at + step + cells.length) % cells.length;
      if (cells[place].one.state !== "up") return place;
    }
    return at;
  }
}
