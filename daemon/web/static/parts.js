/** Parts that several views are made of: cards, tables, dialogs, and what is said when something fails. */

import { may } from "./api.js";
import { element, icon } from "./dom.js";
import { isEnglish, NOT_MEASURED, said, t } from "./i18n.js";

/** @typedef {import("./dom.js").Child} Child */

/**
 * A titled section.
 *
 * @param {string} title
 * @param {...(Child | Child[])} children
 */
export function card(title, ...children) {
  return cardWith(title, null, ...children);
}

/**
 * A titled section with something beside its title.
 *
 * @param {string} title
 * @param {Child} beside
 * @param {...(Child | Child[])} children
 */
export function cardWith(title, beside, ...children) {
  return element(
    "section",
    { class: "card" },
    element("div", { class: "card-head" }, element("h2", {}, title), beside),
    ...children,
  );
}

/**
 * Pairs of a name and its figure.
 *
 * @param {[name: string, value: Child, unit?: string][]} pairs
 * @param {string} [kind] class for those that need more room.
 */
export function figures(pairs, kind = "") {
  return element(
    "dl",
    { class: `figures ${kind}` },
    ...pairs.map(([name, value, unit]) =>
      element(
        "div",
        {},
        element("dt", {}, name),
        element("dd", {}, value ?? NOT_MEASURED, unit && value !== NOT_MEASURED && unitOf(unit)),
      ),
    ),
  );
}

/** @param {string} unit */
function unitOf(unit) {
  return element("span", { class: "unit" }, `\u00a0${unit}`);
}

/**
 * A table; numbers stand at the right.
 *
 * @param {string} caption for screen readers.
 * @param {string[]} heads
 * @param {Child[][]} rows whose first cell names the row.
 * @param {{numericFrom?: number}} [options] the first column of numbers.
 */
export function table(caption, heads, rows, { numericFrom = heads.length } = {}) {
  const kind = (/** @type {number} */ column) => (column >= numericFrom ? "numeric" : null);
  return element(
    "div",
    { class: "table-frame", tabindex: "0", role: "region", "aria-label": caption },
    element(
      "table",
      { class: "table" },
      element("caption", { class: "visually-hidden" }, caption),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ...heads.map((head, column) =>
            head === ""
              ? element("td", {})
              : element("th", { scope: "col", class: kind(column) }, head),
          ),
        ),
      ),
      element(
        "tbody",
        {},
        ...rows.map((cells) =>
          element(
            "tr",
            {},
            ...cells.map((cell, column) =>
              column === 0
                ? element("th", { scope: "row" }, cell)
                : element("td", { class: kind(column) }, cell ?? NOT_MEASURED),
            ),
          ),
        ),
      ),
    ),
  );
}

/**
 * @param {"info" | "good" | "caution" | "bad"} tone
 * @param {...Child} text
 */
export function callout(tone, ...text) {
  const symbol = { info: "info", good: "check", caution: "warning", bad: "warning" }[tone];
  const role = tone === "bad" ? "alert" : null;
  const kind = `callout callout-${tone}`;
  return element("div", { class: kind, role }, icon(symbol), element("div", {}, ...text));
}

/** What failed, and why. @param {Error & {words?: string}} problem */
export function failed({ message, words }) {
  return callout("bad", message, words && message !== words && inEnglish(words));
}

/**
 * What the service says by a code, and in words.
 *
 * @param {"caution" | "bad"} tone
 * @param {string} code
 * @param {string} words in English.
 */
export function saying(tone, code, words) {
  return callout(tone, said(code, words), !isEnglish() && inEnglish(words));
}

/** Words that are English in any language, which another page does not show before it is asked to. @param {string} words */
export function inEnglish(words) {
  const text = element("span", { lang: "en" }, words);
  if (isEnglish()) return text;
  return element("details", { class: "small" }, element("summary", {}, t("said.in_english")), text);
}

/** What had to be done to read a recording. @param {string[]} [notes] */
export function notesOf(notes = []) {
  return notes.length ? callout("info", t("said.notes"), " ", inEnglish(notes.join("; "))) : null;
}

/** What has to stand wherever kinds of beats, rhythm or alarms are shown. @param {string} [told] */
export function cautionWords(told) {
  return element("p", { class: "caution-words" }, icon("warning"), told ?? t("caution.words"));
}

/** Why a view is empty for this browser. @param {string} scope */
export function notAllowed(scope) {
  return callout("info", t("shell.not_allowed", { scope }));
}

/** @param {string} text */
export function empty(text) {
  return element("p", { class: "empty" }, text);
}

/**
 * A button.
 *
 * @param {string} text
 * @param {(event: Event) => unknown} pressed if it returns a promise, the button rests until then.
 * @param {{kind?: string, scope?: string, name?: string, symbol?: string}} [options] the scope that it takes;
 *   its name for screen readers, where the text alone does not say what it is about.
 */
export function button(text, pressed, { kind = "", scope, name, symbol } = {}) {
  const made = /** @type {HTMLButtonElement} */ (
    element(
      "button",
      { type: "button", class: `button ${kind}`, "aria-label": name },
      symbol && icon(symbol),
      text,
    )
  );
  const allowed = scope === undefined || may(scope);
  made.disabled = !allowed;
  if (!allowed) made.title = t("shell.not_allowed", { scope: String(scope) });
  made.addEventListener("click", async (event) => {
    made.disabled = true;
    try {
      await pressed(event);
    } finally {
      made.disabled = false;
    }
  });
  return made;
}

/**
 * Do something, and show in a place why it failed.
 *
 * @template T
 * @param {HTMLElement} place emptied first.
 * @param {() => Promise<T>} action
 * @returns {Promise<T | undefined>}
 */
export async function tried(place, action) {
  place.replaceChildren();
  try {
    return await action();
  } catch (problem) {
    if (/** @type {Error} */ (problem).name === "AbortError") return undefined;
    place.replaceChildren(failed(/** @type {Error} */ (problem)));
    return undefined;
  }
}

/**
 * Call something now and every so often, one call after the other, until the signal is aborted.
 *
 * @param {number} every_s
 * @param {() => Promise<unknown>} action
 * @param {AbortSignal} signal
 */
export async function repeatedly(every_s, action, signal) {
  while (!signal.aborted) {
    await action();
    await new Promise((resolve) => setTimeout(resolve, every_s * 1000));
  }
}

/**
 * Ask in a dialog, until it is obeyed or given up.
 *
 * @param {object} question
 * @param {string} question.title
 * @param {Child | Child[]} question.text
 * @param {string} question.label of the field.
 * @param {string} question.action what the button says.
 * @param {string} [question.value] what the field holds first.
 * @param {string} [question.expected] what has to be typed before the button works.
 * @param {boolean} [question.danger]
 * @param {(typed: string) => Promise<unknown>} question.obey its failure is shown, and the dialog stays.
 */
export function ask({ title, text, label, action, value = "", expected, danger, obey }) {
  const field = /** @type {HTMLInputElement} */ (
    element("input", { id: "asked", required: true, autocomplete: "off", spellcheck: "false" })
  );
  field.value = value;
  const go = /** @type {HTMLButtonElement} */ (
    element("button", { class: `button button-${danger ? "danger" : "primary"}` }, action)
  );
  const enable = () => (go.disabled = expected !== undefined && field.value.trim() !== expected);
  field.addEventListener("input", enable);
  enable();
  const failure = element("div", {});
  const dialog = /** @type {HTMLDialogElement} */ (
    element(
      "dialog",
      { class: "dialog", "aria-labelledby": "asked-title", onclose: () => dialog.remove() },
      element(
        "form",
        { class: "stack", onsubmit: submit },
        element("h2", { id: "asked-title" }, title),
        element("div", { class: "soft" }, text),
        element("label", { class: "field", for: "asked" }, label, field),
        failure,
        element(
          "div",
          { class: "row" },
          go,
          button(t("shell.cancel"), () => dialog.close()),
        ),
      ),
    )
  );
  document.body.append(dialog);
  dialog.showModal();
  field.select();

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    const done = await tried(failure, async () => {
      await obey(field.value.trim());
      return true;
    });
    if (done) dialog.close();
  }
}
