/** Analyse: drop a recording, and get its beats, whose they are, variability and rhythm; or compare two. */

import { may, post } from "../api.js";
import { element, icon } from "../dom.js";
import { t } from "../i18n.js";
import { card, failed, notAllowed } from "../parts.js";
import { beatsOf, rhythmOf, sameOf, variabilityOf, whoseOf } from "../results.js";
import { isPage, pageReader } from "../scan.js";

/** What is asked of each file, in this order; a small board does one at a time. */
const QUESTIONS = /** @type {const} */ ([
  ["detect", beatsOf],
  ["identify", whoseOf],
  ["variability", variabilityOf],
  ["anomaly", rhythmOf],
]);

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function mount(root, signal) {
  root.append(element("h1", {}, t("nav.analyse")));
  if (!may("recordings")) {
    root.append(notAllowed("recordings"));
    return;
  }
  const results = element("div", { class: "results" });
  const comparison = element("div", { class: "results" });
  root.append(
    element("p", { class: "soft" }, t("analyse.what")),
    element(
      "div",
      { class: "cards" },
      card(
        t("analyse.one"),
        dropZone("file", t("analyse.drop"), (files) => takeOne(files, results, signal), [
          t("analyse.formats"),
          t("analyse.pages"),
        ]),
      ),
      card(t("analyse.two"), pairOfFiles(comparison, signal)),
    ),
    comparison,
    results,
  );
}

/**
 * A place to drop files on, or to choose them at.
 *
 * @param {string} id
 * @param {string} text
 * @param {(files: File[]) => unknown} taken
 * @param {string[]} formats
 */
function dropZone(id, text, taken, formats = [t("analyse.formats")]) {
  const input = /** @type {HTMLInputElement} */ (
    element("input", { id, type: "file", multiple: true, class: "visually-hidden" })
  );
  const chosen = element("span", { class: "soft small" });
  const take = (/** @type {Iterable<File>} */ files) => {
    const all = [...files];
    if (!all.length) return;
    chosen.textContent = all.map((file) => file.name).join(", ");
    taken(all);
  };
  input.addEventListener("change", () => {
    take(input.files ?? []);
    input.value = "";
  });
  const zone = element(
    "label",
    { class: "drop", for: id },
    icon("analyse"),
    element("strong", {}, text),
    formats.map((each) => element("span", { class: "soft small" }, each)),
    chosen,
    input,
  );
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("drop-over");
    });
  }
  zone.addEventListener("dragleave", () => zone.classList.remove("drop-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("drop-over");
    take(event.dataTransfer?.files ?? []);
  });
  return zone;
}

/**
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 */
function pairOfFiles(place, signal) {
  /** @type {File[][]} */
  const both = [[], []];
  const take = (/** @type {number} */ which) => async (/** @type {File[]} */ files) => {
    both[which] = files;
    if (!both[0].length || !both[1].length) return;
    const content = new FormData();
    addFiles(content, "first", both[0]);
    addFiles(content, "second", both[1]);
    place.replaceChildren();
    await asked(place, "verify", content, sameOf, signal);
  };
  return element(
    "div",
    { class: "two" },
    dropZone("first", t("analyse.first"), take(0)),
    dropZone("second", t("analyse.second"), take(1)),
  );
}

/**
 * Analyse a recording; a picture of paper becomes one first.
 *
 * @param {File[]} files
 * @param {HTMLElement} results
 * @param {AbortSignal} signal
 */
function takeOne(files, results, signal) {
  if (files.length !== 1 || !isPage(files[0])) return analyse(files, results, signal);
  const read = element("div", { class: "results" });
  const reader = pageReader(files[0], signal, (recording) => analyse([recording], read, signal));
  results.dataset.run = "";
  results.replaceChildren(reader, read);
  reader.scrollIntoView({ block: "nearest" });
}

/**
 * @param {File[]} files
 * @param {HTMLElement} results
 * @param {AbortSignal} signal
 */
async function analyse(files, results, signal) {
  const run = String(Math.random());
  results.dataset.run = run;
  results.replaceChildren();
  for (const [question, show] of QUESTIONS) {
    const content = new FormData();
    addFiles(content, "file", files);
    const problem = await asked(results, question, content, show, signal);
    if (signal.aborted || results.dataset.run !== run) return;
    if (question === "detect" && problem?.code.startsWith("recording_")) return; // nobody can read it
  }
}

/**
 * Add a recording of one or more files: of a WFDB record, the header comes first.
 *
 * @param {FormData} content
 * @param {string} name
 * @param {File[]} files
 */
function addFiles(content, name, files) {
  const [first, ...more] = files.toSorted(
    (one, other) => Number(other.name.endsWith(".hea")) - Number(one.name.endsWith(".hea")),
  );
  content.append(name, first);
  for (const file of more) content.append(name === "file" ? "more" : `${name}_more`, file);
}

/**
 * Ask one question, and show its answer, or why there is none.
 *
 * @param {HTMLElement} place
 * @param {string} question
 * @param {FormData} content
 * @param {(answer: any) => import("../dom.js").Child[]} show
 * @param {AbortSignal} signal
 * @returns {Promise<import("../api.js").Problem | null>} why there is no answer.
 */
async function asked(place, question, content, show, signal) {
  const body = element(
    "div",
    { class: "stack-wide" },
    element("p", { class: "soft" }, t("analyse.busy")),
  );
  const made = card(t(`analyse.${question}`), body);
  made.dataset.question = question;
  made.setAttribute("aria-busy", "true");
  place.append(made);
  try {
    const answer = await post(`/${question}`, content, signal);
    body.replaceChildren();
    for (const part of show(answer)) if (part instanceof Node) body.append(part);
  } catch (problem) {
    if (signal.aborted) return null;
    body.replaceChildren(failed(/** @type {Error} */ (problem)));
    return /** @type {import("../api.js").Problem} */ (problem);
  } finally {
    made.setAttribute("aria-busy", "false");
  }
  return null;
}
