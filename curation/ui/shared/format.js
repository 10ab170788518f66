// Numbers, money, time and answers as people read them.

const whole = new Intl.NumberFormat("en-US");

/** @param {number | null | undefined} n */
export const number = (n) => (n === null || n === undefined ? "–" : whole.format(Math.round(n)));
/** @param {number | null | undefined} n */
export const fixed = (n, digits = 3) => (n === null || n === undefined ? "–" : n.toFixed(digits).replace("-", "−"));
/** @param {number | null | undefined} n */
export const signed = (n, digits = 3) => (n === null || n === undefined ? "–" : `${n < 0 ? "−" : "+"}${Math.abs(n).toFixed(digits)}`);
/** @param {number | null | undefined} share */
export const percent = (share, digits = 0) => (share === null || share === undefined ? "–" : `${(100 * share).toFixed(digits)} %`);
/**
 * @param {number} n
 * @param {string} singular
 */
export const plural = (n, singular, many = `${singular}s`) => `${number(n)} ${n === 1 ? singular : many}`;

/** The letter of a choice, A for the first. @param {number} index */
export const letter = (index) => String.fromCharCode(65 + index);
/** "A. red  B. blue" @param {string[]} list */
export const choices = (list) => list.map((text, index) => `${letter(index)}. ${text}`).join("  ");

/**
 * Dollars; null is "unpriced": where no price is known none is guessed.
 * @param {number | null | undefined} amount
 * @returns {string}
 */
export function usd(amount) {
  if (amount === null || amount === undefined) return "unpriced";
  if (amount === 0) return "$0";
  if (amount < 0.005) return `$${amount.toPrecision(1)}`;
  return `$${amount.toFixed(amount < 100 ? 2 : 0).replace(/\B(?=(\d{3})+(?!\d))/g, ",")}`;
}

/** @param {[number, number] | null | undefined} range */
export function usdRange(range) {
  if (!range) return "unpriced";
  const [low, high] = range;
  return usd(low) === usd(high) ? usd(high) : `${usd(low)} – ${usd(high).slice(1)}`;
}

/** @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${(seconds / 3600).toFixed(1)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** @param {string | number | Date} when */
export function ago(when) {
  const seconds = (Date.now() - new Date(when).getTime()) / 1000;
  return seconds < 5 ? "just now" : `${duration(seconds)} ago`;
}

const CLOCK = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
/** @param {string | number | Date} when */
export const clock = (when) => CLOCK.format(new Date(when));

/** @param {number} n */
export function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = n ? Math.min(units.length - 1, Math.floor(Math.log10(n) / 3)) : 0;
  return `${(n / 1000 ** step).toFixed(step && n / 1000 ** step < 10 ? 1 : 0)} ${units[step]}`;
}

/**
 * An answer; the letter of a multiple choice with what it stands for, "B. blue", and "(no answer)" where it is empty.
 * @param {string | null} text
 * @param {string[]} [choices]
 */
export function answer(text, choices = []) {
  const index = text && /^[A-Z]$/.test(text) ? text.charCodeAt(0) - 65 : -1;
  return choices[index] ? `${text}. ${choices[index]}` : text || "(no answer)";
}
