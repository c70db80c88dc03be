// What the server put into the page, and the view that stands in its URL.

const HIDDEN_MS = 1000;
const FRAME_MS = 16;
const REST = 10;

/**
 * @param {string} id of a JSON block
 * @returns {any} null when the page has none
 */
export function pageData(id) {
  return pageDataOf(document, id);
}

/**
 * @param {Document} page
 * @param {string} id of a JSON block
 * @returns {any} null when the page has none
 */
export function pageDataOf(page, id) {
  const block = page.getElementById(id);
  return block ? JSON.parse(block.textContent ?? "null") : null;
}

/**
 * An element the page's template promises.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {any}
 */
export function need(selector, within = document) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

/** @param {string} name @returns {string} */
export function viewGet(name) {
  return new URLSearchParams(location.search).get(name) ?? "";
}

/**
 * Put a part of the view into the URL; empty values leave it.
 * @param {Record<string, string>} parts
 */
export function viewSet(parts) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(parts)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  history.replaceState(
    null,
    "",
    text ? `?${text}${location.hash}` : location.pathname + location.hash,
  );
}

/**
 * @param {string} tag
 * @param {string} [className]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/**
 * Run `work` once, on the next frame, however often it is asked for until then, and not again
 * before as long as ten times what it took: a large fleet never takes the page. A hidden page
 * draws no frames; a timer keeps it from falling behind for ever.
 * @param {() => void} work
 * @returns {() => void}
 */
export function onFrame(work) {
  let asked = false;
  let restUntil = 0;
  const run = () => {
    if (!asked) return;
    asked = false;
    const began = performance.now();
    work();
    const ended = performance.now();
    restUntil = ended + REST * (ended - began);
  };
  return () => {
    if (asked) return;
    asked = true;
    const rest = restUntil - performance.now();
    if (document.hidden) setTimeout(run, HIDDEN_MS);
    else if (rest > FRAME_MS) setTimeout(() => requestAnimationFrame(run), rest - FRAME_MS);
    else requestAnimationFrame(run);
  };
}
