// Times and numbers as the screen says them.

const clockMs = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hour12: false,
});
const clockS = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});
const day = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short" });

/** @param {number} ms since the epoch @returns {string} "03:12:21.402", local time */
export function timeMs(ms) {
  return clockMs.format(ms);
}

/** @param {number} ms since the epoch @returns {string} "03:12:21", with the day when it is not today */
export function time(ms) {
  const today = new Date().toDateString() === new Date(ms).toDateString();
  return today ? clockS.format(ms) : `${day.format(ms)} ${clockS.format(ms)}`;
}

/** @param {number} seconds @returns {string} "14 s", "3 min", "2 h 5 min", "4 d" */
export function age(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d`;
}

/** @param {number} seconds @returns {string} "0.2 s" below ten, whole above */
export function ageExact(seconds) {
  return seconds < 9.95 ? `${Math.max(0, seconds).toFixed(1)} s` : age(seconds);
}

/** @param {number | null} ms @returns {string} */
export function latency(ms) {
  if (ms === null || ms === undefined) return "";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return `${Math.round(ms)} ms`;
}

/** @param {number | null} load 0..1 @returns {string} */
export function percent(load) {
  return load === null || load === undefined ? "" : `${Math.round(load * 100)} %`;
}

/** @param {number} count @param {string} noun @returns {string} "1 instance", "12 instances" */
export function plural(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
