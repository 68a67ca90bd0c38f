/** English phrases without a code, of recordings and of the tools, in the page's language. */

import { hasText, t, word } from "./i18n.js";

/** What phrases look like that have a figure or a name in them, and how the page says them. */
const PATTERNS = /** @type {[RegExp, (parts: Record<string, string>) => string][]} */ ([
  [/^Identity (?<state>\w+)(: (?<person>.+?))?( \((?<hint>[a-z_]+)\))?$/, identity],
  [/^Beat (?<kind>[SVF])$/, ({ kind }) => t("phrase.beat", { kind: word("kind", kind) })],
  [/^End of (?<episode>[a-z ]+)$/, ({ episode }) => t("phrase.end", { what: phrase(episode) })],
  [/^(?<count>\d+) (?<topic>\w+) messages? lost$/, (parts) => t("phrase.messages_lost", parts)],
  [/^needs (?<needed>\d+) s, there are (?<there>\d+)$/, (parts) => t("phrase.seconds", parts)],
  [
    /^needs (?<needed>\d+) s without a break, there are (?<there>\d+)$/,
    (parts) => t("phrase.unbroken_seconds", parts),
  ],
  [
    /^needs (?<needed>\d+) intervals, there are (?<there>\d+)$/,
    (parts) => t("phrase.intervals", parts),
  ],
  [
    /^(?<share>\d+)% of the intervals are corrected, more than (?<most>\d+)%$/,
    (parts) => t("phrase.corrected", parts),
  ],
]);

/**
 * A phrase in the page's language; what is not known, such as people's own words, stays as it is.
 *
 * @param {string} text
 */
export function phrase(text) {
  for (const [pattern, say] of PATTERNS) {
    const groups = pattern.exec(text)?.groups;
    if (groups) return say(groups);
  }
  const code = text.toLowerCase().replaceAll(" ", "_");
  if (hasText("phrase", code)) return word("phrase", code);
  return hasText("episode", code) ? word("episode", code) : text;
}

/** @param {Record<string, string>} parts */
function identity({ state, person, hint }) {
  const who = person ?? word("who", state);
  return t("phrase.identity", { who: hint ? `${who}. ${word("hint", hint)}` : who });
}
