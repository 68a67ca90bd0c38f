/** The page's language: texts from `LANGUAGE.json`, numbers and times as the language writes them. */

/** Languages with a catalogue; the first is taken where the browser asks for none of them. */
export const LANGUAGES = ["en", "de"];
const KEPT_AS = "qrsd.language";

/** @type {Record<string, string>} */
let texts = {};
let language = LANGUAGES[0];

/** Load the catalogue of the language that the user chose, or the browser prefers. */
export async function loadLanguage() {
  const wanted = [
    localStorage.getItem(KEPT_AS),
    ...navigator.languages.map((tag) => tag.slice(0, 2)),
  ];
  language = wanted.find((each) => each !== null && LANGUAGES.includes(each)) ?? LANGUAGES[0];
  const answer = await fetch(`/static/${language}.json`);
  texts = await answer.json();
  document.documentElement.lang = language;
}

/** @param {string} chosen one of `LANGUAGES`; the page is loaded anew. */
export function chooseLanguage(chosen) {
  localStorage.setItem(KEPT_AS, chosen);
  location.reload();
}

export function currentLanguage() {
  return language;
}

/**
 * The text of a key, with `{name}` replaced by what is given; an unknown key stands for itself.
 *
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * The text of a key with a code of the protocol as its last part. A code that this page does not know
 * is shown as it is.
 *
 * @param {string} family such as `hint`.
 * @param {string} code
 */
export function word(family, code) {
  return texts[`${family}.${code}`] ?? code.replaceAll("_", " ");
}

/** Whether the page is in the language that service and server speak. */
export function isEnglish() {
  return language === "en";
}

/**
 * What the service or the server says: in its own words where the page is English, else by its code.
 *
 * @param {string} code
 * @param {string} [words] in English; they stand for a code that this page does not know.
 */
export function said(code, words) {
  const own = texts[`code.${code}`];
  return (isEnglish() ? (words ?? own) : (own ?? words)) ?? code;
}

/**
 * Whether there is a text of a family for a code.
 *
 * @param {string} family
 * @param {string} code
 */
export function hasText(family, code) {
  return `${family}.${code}` in texts;
}

/** Translate what stands in index.html, where `data-t` names the key. */
export function translatePage() {
  for (const node of document.querySelectorAll("[data-t]")) {
    node.textContent = t(node.getAttribute("data-t") ?? "");
  }
}

/** What stands for a number that was not measured. */
export const NOT_MEASURED = "–";

/**
 * @param {number | null | undefined} value
 * @param {number} [digits] after the decimal point.
 */
export function number(value, digits = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return NOT_MEASURED;
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString(language, format).replace("-", "−");
}

/**
 * @param {number | null | undefined} share from 0 to 1; never rounded up to a certainty.
 */
export function percent(share) {
  if (share === null || share === undefined) return NOT_MEASURED;
  const digits = share > 0.99 && share < 1 ? 1 : 0;
  const floored = Math.floor(share * 100 * 10 ** digits) / 10 ** digits;
  return `${number(floored, digits)}\u00a0%`;
}

/** @param {Date} when */
export function clockTime(when) {
  return when.toLocaleTimeString(language, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
}

/** @param {Date} when */
export function day(when) {
  return when.toLocaleDateString(language, { dateStyle: "medium" });
}

/** @param {Date} when */
export function dateAndTime(when) {
  return when.toLocaleString(language, {
    dateStyle: "medium",
    timeStyle: "medium",
    hourCycle: "h23",
  });
}

/**
 * A length of time, in the two largest units: `42 s`, `3 min 05 s`, `2 h 04 min`.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
