// Where each cell of the fleet's grid stands: groups (zones or pools), in them blocks (hosts or zones).

/** @typedef {import("./fleet.js").Instance} Instance */
/** @typedef {{one: Instance, x: number, y: number, row: number}} Cell */
/** @typedef {{text: string, x: number, y: number, strong: boolean}} Label */
/** @typedef {{cells: Cell[], labels: Label[], pitch: number, size: number, height: number}} Layout */

const GROUP_GAP = 10;
const LABEL_COLUMN = 92;
const NARROW = 520;
const BLOCK_GAP = 14;

/** Cells are as large as the fleet allows. @param {number} count @returns {[number, number]} pitch, size */
function measure(count) {
  if (count <= 200) return [24, 18];
  if (count <= 800) return [16, 13];
  if (count <= 3000) return [12, 10];
  return [9, 8];
}

/**
 * @param {Instance[]} instances by zone, host, name
 * @param {"zone" | "pool"} by
 * @param {number} width
 * @param {(text: string) => number} textWidth
 * @returns {Layout}
 */
export function layout(instances, by, width, textWidth) {
  const [pitch, size] = measure(instances.length);
  const narrow = width < NARROW;
  const left = narrow ? 0 : LABEL_COLUMN;
  const line = Math.max(pitch, 18);
  /** @type {Layout} */
  const made = { cells: [], labels: [], pitch, size, height: 0 };
  let y = 0;
  let row = 0;
  for (const [group, blocks] of groups(instances, by)) {
    made.labels.push({ text: group, x: 0, y: y + line / 2, strong: true });
    if (narrow) y += 20;
    let x = left;
    for (const [block, members] of blocks) {
      const labelled = textWidth(block) + 8;
      const whole = labelled + members.length * pitch;
      if (x > left && x + whole > width) {
        x = left;
        y += line;
        row += 1;
      }
      made.labels.push({ text: block, x, y: y + line / 2, strong: false });
      const start = x + labelled;
      x = start;
      for (const one of members) {
        if (x + pitch > width && x > start) {
          x = start;
          y += pitch;
          row += 1;
        }
        made.cells.push({ one, x, y: y + (line - pitch) / 2, row });
        x += pitch;
      }
      x += BLOCK_GAP;
    }
    y += line + GROUP_GAP;
    row += 1;
  }
  made.height = Math.max(0, y - GROUP_GAP);
  return made;
}

/**
 * @param {Instance[]} instances @param {"zone" | "pool"} by
 * @returns {Map<string, Map<string, Instance[]>>}
 */
function groups(instances, by) {
  /** @type {Map<string, Map<string, Instance[]>>} */
  const found = new Map();
  for (const one of instances) {
    const [group, block] = by === "pool" ? [one.pool, one.zone] : [one.zone, one.host];
    if (!found.has(group)) found.set(group, new Map());
    const blocks = /** @type {Map<string, Instance[]>} */ (found.get(group));
    if (!blocks.has(block)) blocks.set(block, []);
    /** @type {Instance[]} */ (blocks.get(block)).push(one);
  }
  return by === "pool" ? new Map([...found].sort(([a], [b]) => a.localeCompare(b))) : found;
}
