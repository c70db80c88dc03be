// The states' shapes on a canvas; templates/dashboard/shapes.html draws the same for text.

/** Colour token of each state. @type {Record<string, string>} */
const TOKENS = {
  up: "--up",
  doubt: "--doubt",
  down: "--down",
  degraded: "--degraded",
  draining: "--idle",
  starting: "--idle",
  maintenance: "--idle",
  unknown: "--idle",
};

/**
 * The colours as the page shows them now, light or dark.
 * @returns {Record<string, string>} by state, and bg, text, quiet, accent
 */
export function palette() {
  const probe = document.createElement("span");
  document.body.append(probe);
  const read = (/** @type {string} */ token) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const colours = Object.fromEntries(
    Object.entries(TOKENS).map(([state, token]) => [state, read(token)]),
  );
  Object.assign(colours, {
    bg: read("--bg"),
    text: read("--text"),
    quiet: read("--text-quiet"),
    accent: read("--accent"),
  });
  probe.remove();
  return colours;
}

/** @typedef {CanvasRenderingContext2D} Pen */

/** @type {Record<string, (pen: Pen, x: number, y: number, s: number) => void>} */
const DRAW = {
  up(pen, x, y, s) {
    const inset = s * 0.08;
    pen.fillRect(x + inset, y + inset, s - 2 * inset, s - 2 * inset);
  },
  doubt(pen, x, y, s) {
    path(pen, [
      [x + s / 2, y],
      [x + s, y + s / 2],
      [x + s / 2, y + s],
      [x, y + s / 2],
    ]);
    pen.fill();
  },
  down(pen, x, y, s) {
    const inset = s * 0.14;
    pen.lineWidth = Math.max(2, s * 0.2);
    pen.beginPath();
    pen.moveTo(x + inset, y + inset);
    pen.lineTo(x + s - inset, y + s - inset);
    pen.moveTo(x + s - inset, y + inset);
    pen.lineTo(x + inset, y + s - inset);
    pen.stroke();
  },
  degraded(pen, x, y, s) {
    frame(pen, x, y, s);
    path(pen, [
      [x + 1, y + 1],
      [x + s - 1, y + 1],
      [x + 1, y + s - 1],
    ]);
    pen.fill();
  },
  draining(pen, x, y, s) {
    pen.fillRect(x, y + s * 0.32, s, s * 0.36);
  },
  starting(pen, x, y, s) {
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.arc(x + s / 2, y + s / 2, s / 2 - 1, 0, 2 * Math.PI);
    pen.stroke();
    pen.beginPath();
    pen.moveTo(x + s / 2, y + s / 2);
    pen.arc(x + s / 2, y + s / 2, s / 2 - 1, -Math.PI / 2, 0);
    pen.fill();
  },
  maintenance(pen, x, y, s) {
    frame(pen, x, y, s);
    pen.lineWidth = 1.2;
    pen.beginPath();
    for (const share of [0.5, 1]) {
      pen.moveTo(x + 1, y + s * share - 1);
      pen.lineTo(x + s * share - 1, y + 1);
    }
    pen.moveTo(x + s / 2, y + s - 1);
    pen.lineTo(x + s - 1, y + s / 2);
    pen.stroke();
  },
  unknown(pen, x, y, s) {
    frame(pen, x, y, s);
  },
};

/** @param {Pen} pen @param {number} x @param {number} y @param {number} s */
function frame(pen, x, y, s) {
  pen.lineWidth = 1.5;
  pen.strokeRect(x + 1, y + 1, s - 2, s - 2);
}

/** @param {Pen} pen @param {number[][]} points */
function path(pen, points) {
  pen.beginPath();
  for (const [x, y] of points) pen.lineTo(x, y);
  pen.closePath();
}

/**
 * @param {Pen} pen @param {string} state @param {string} colour
 * @param {number} x @param {number} y @param {number} size
 */
export function drawShape(pen, state, colour, x, y, size) {
  pen.fillStyle = colour;
  pen.strokeStyle = colour;
  (DRAW[state] ?? DRAW.unknown)(pen, x, y, size);
}
