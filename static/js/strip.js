// The last probes of an instance as a strip of ticks, oldest left, newest right.

const SVG = "http://www.w3.org/2000/svg";
const LENGTH = 60;
const STEP = 3;
const HEIGHT = 16;

/**
 * @param {string} strip '.' ok, 'x' failed, '?' nothing learned
 * @param {[number, string][]} reasons
 * @returns {SVGSVGElement}
 */
export function stripDraw(strip, reasons) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "strip");
  svg.setAttribute("viewBox", `0 0 ${LENGTH * STEP} ${HEIGHT}`);
  svg.setAttribute("role", "img");
  const words = stripWords(strip, reasons);
  svg.setAttribute("aria-label", words);
  const title = document.createElementNS(SVG, "title");
  title.textContent = words;
  svg.append(
    title,
    ticks(strip, ".", "strip-ok", 4),
    ticks(strip, "?", "strip-unknown", 2),
    ticks(strip, "x", "strip-failed", 0),
  );
  return svg;
}

/** One path for all ticks of a kind: a thousand strips stay light. */
/** @param {string} strip @param {string} sign @param {string} className @param {number} top */
function ticks(strip, sign, className, top) {
  const path = document.createElementNS(SVG, "path");
  const start = LENGTH - strip.length;
  let d = "";
  for (let at = 0; at < strip.length; at += 1) {
    if (strip[at] === sign)
      d += `M${(start + at) * STEP} ${top}h2V${HEIGHT - (sign === "x" ? 0 : 4)}h-2z`;
  }
  path.setAttribute("class", className);
  path.setAttribute("d", d);
  return path;
}

/** @param {string} strip @param {[number, string][]} reasons @returns {string} */
export function stripWords(strip, reasons) {
  if (!strip) return "not probed yet";
  const failed = [...strip].filter((sign) => sign === "x").length;
  const first = `last ${strip.length} probes: ${strip.length - failed} ok, ${failed} failed`;
  const newest = reasons.at(-1);
  return failed && newest ? `${first}; newest failure: ${newest[1]}` : first;
}
