/** Analyse: drop a recording, and get its beats, whose they are, variability and rhythm; or compare two. */

import { may, post } from "../api.js";
import { element, icon } from "../dom.js";
import { duration, number, percent, t, word } from "../i18n.js";
import { card, cautionWords, failed, figures, notAllowed, notesOf, table } from "../parts.js";
import { phrase } from "../phrases.js";
import { axisFor, dots, line, plot } from "../plots.js";

const MOST_ROWS = 500; // of a table of beats
const MOST_MARKED = 200; // beats in a picture

/** @typedef {{at_s: number, rr_s: number | null, quality?: number, flaws?: string[]}} Beat */

/**
 * @typedef {{from_s: number, to_s: number, step_s: number, min: (number | null)[], max: (number | null)[]}} Stretch
 */

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
        dropZone("file", t("analyse.drop"), (files) => analyse(files, results, signal)),
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
 */
function dropZone(id, text, taken) {
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
    element("span", { class: "soft small" }, t("analyse.formats")),
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
    await asked(results, question, content, show, signal);
    if (signal.aborted || results.dataset.run !== run) return;
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
    if (signal.aborted) return;
    body.replaceChildren(failed(/** @type {Error} */ (problem)));
  }
  made.setAttribute("aria-busy", "false");
}

/** @param {{duration_s: number, beats: Beat[], ecg_mv?: Stretch, notes?: string[]}} answer */
function beatsOf({ duration_s, beats, ecg_mv, notes = [] }) {
  const intervals = beats.filter((beat) => beat.rr_s);
  const mean_s = intervals.reduce((sum, beat) => sum + (beat.rr_s ?? 0), 0) / intervals.length;
  const good = beats.filter((beat) => !beat.flaws?.length).length;
  return [
    figures([
      [t("result.length"), duration(duration_s)],
      [t("result.beats"), number(beats.length)],
      [t("result.good"), beats.length ? percent(good / beats.length) : null],
      [t("result.rate"), intervals.length ? number(60 / mean_s) : null, t("unit.bpm")],
    ]),
    notesOf(notes),
    ecg_mv ? strip(ecg_mv, beats) : null,
    intervals.length > 1 ? tachogram(intervals) : null,
    element(
      "details",
      {},
      element("summary", {}, t("result.each_beat")),
      table(
        t("result.each_beat"),
        [t("result.at"), t("result.interval"), t("result.quality"), t("result.flaws")],
        beats
          .slice(0, MOST_ROWS)
          .map((beat) => [
            `${number(beat.at_s, 3)} s`,
            beat.rr_s ? `${number(1000 * beat.rr_s)} ms` : null,
            number(beat.quality, 2),
            (beat.flaws ?? []).map((flaw) => word("flaw", flaw)).join(", "),
          ]),
      ),
      beats.length > MOST_ROWS &&
        element(
          "p",
          { class: "soft small" },
          t("result.more", { count: beats.length - MOST_ROWS }),
        ),
    ),
  ];
}

/**
 * The whole ECG, and where its beats are.
 *
 * @param {Stretch} ecg
 * @param {Beat[]} beats
 */
function strip({ from_s, to_s, step_s, min, max }, beats) {
  /** @type {[number, number][]} */
  const points = [];
  max.forEach((high, index) => {
    const low = min[index];
    const at_s = from_s + index * step_s;
    if (high !== null && low !== null) points.push([at_s, high], [at_s, low]);
  });
  if (!points.length) return null;
  const across = { ...axisFor([from_s, to_s], t("result.at_s")), from: from_s, to: to_s };
  const up = axisFor(
    points.map(([, mv]) => mv),
    t("result.mv"),
    1,
  );
  across.ticks = across.ticks.filter((tick) => tick >= from_s && tick <= to_s);
  const marked = beats.length > MOST_MARKED ? [] : beats;
  return picture(
    t("result.strip"),
    plot(
      t("result.strip_told", { beats: beats.length }),
      across,
      up,
      (scale) => [
        line(scale, points, "thin"),
        dots(
          scale,
          marked.map(({ at_s }) => [at_s, up.to]),
          "second",
          3,
        ),
      ],
      { width: 1120 },
    ),
  );
}

/** @param {Beat[]} beats */
function tachogram(beats) {
  const points = beats.map(
    (beat) => /** @type {[number, number]} */ ([beat.at_s, 1000 * (beat.rr_s ?? 0)]),
  );
  const lengths = points.map(([, rr_ms]) => rr_ms);
  const told = t("result.tachogram_told", {
    least: number(Math.min(...lengths)),
    most: number(Math.max(...lengths)),
  });
  const pairs = lengths
    .slice(1)
    .map((next, index) => /** @type {[number, number]} */ ([lengths[index], next]));
  const rr = axisFor(lengths, t("result.rr_ms"));
  return element(
    "div",
    { class: "pictures" },
    picture(
      t("result.tachogram"),
      plot(
        told,
        axisFor(
          points.map(([at]) => at),
          t("result.at_s"),
        ),
        rr,
        (scale) => [line(scale, points), dots(scale, points)],
      ),
    ),
    picture(
      t("result.poincare"),
      plot(
        t("result.poincare_told"),
        rr,
        { ...rr, label: t("result.next_rr_ms") },
        (scale) => [
          line(
            scale,
            [
              [rr.from, rr.from],
              [rr.to, rr.to],
            ],
            "faint",
          ),
          dots(scale, pairs, "", 3),
        ],
        { width: 320, height: 260 },
      ),
    ),
  );
}

/**
 * @param {string} title
 * @param {Element} drawn
 */
function picture(title, drawn) {
  return element("figure", {}, element("figcaption", {}, title), drawn);
}

/** @param {any} answer */
function whoseOf({ state, person, confidence, beats, good_beats, seconds }) {
  const who = state === "accepted" && person ? person : word("identity", state);
  return [
    element(
      "p",
      { class: `verdict verdict-${state}` },
      icon(state === "accepted" ? "person" : "stranger"),
      who,
    ),
    figures([
      [t("result.confidence"), percent(confidence)],
      [t("result.evidence"), number(beats)],
      [t("result.good_beats"), number(good_beats)],
      [t("result.length"), seconds === undefined ? null : duration(seconds)],
    ]),
  ];
}

/** @param {any} answer */
function sameOf({ same, score, ln_likelihood_ratio, probability, beats }) {
  const verdict =
    { true: "same", false: "different", null: "undecided" }[String(same)] ?? "undecided";
  return [
    element(
      "p",
      { class: `verdict verdict-${verdict}` },
      icon(same ? "person" : "stranger"),
      t(`result.${verdict}`),
    ),
    figures([
      [t("result.probability"), percent(probability)],
      [t("result.times"), timesAsLikely(ln_likelihood_ratio)],
      [t("result.score"), number(score, 3)],
      [t("result.good_beats"), number(beats)],
    ]),
    element("p", { class: "soft small" }, t("result.same_how")),
  ];
}

/** @param {number | null} ln_ratio */
function timesAsLikely(ln_ratio) {
  if (ln_ratio === null || ln_ratio === undefined) return null;
  const ratio = Math.exp(ln_ratio);
  return ratio >= 10 ? number(ratio) : Number(ratio.toPrecision(2)).toLocaleString();
}

/** @param {any} answer */
function variabilityOf(answer) {
  const { corrections, reasons = {}, duration_s, intervals } = answer;
  const measures = Object.keys(answer.needs ?? {}).filter((name) => name in answer);
  const told = measures.filter((name) => answer[name] !== null);
  const missing = measures.filter((name) => answer[name] === null);
  return [
    figures([
      [t("result.length"), duration(duration_s)],
      [t("result.intervals"), number(intervals)],
      [t("result.corrected"), percent(corrections?.share)],
      [t("result.rate"), number(answer.heart_rate_bpm, 1), t("unit.bpm")],
      [t("hrv.sdnn_ms"), number(answer.sdnn_ms, 1), "ms"],
      [t("hrv.rmssd_ms"), number(answer.rmssd_ms, 1), "ms"],
    ]),
    table(
      t("analyse.variability"),
      [t("result.measure"), t("result.value")],
      told.map((name) => [word("hrv", name), withUnit(name, answer[name])]),
    ),
    missing.length
      ? element(
          "details",
          {},
          element("summary", {}, t("result.missing", { count: missing.length })),
          table(
            t("result.missing", { count: missing.length }),
            [t("result.measure"), t("result.why_not")],
            missing.map((name) => [word("hrv", name), phrase(reasons[name] ?? "")]),
          ),
        )
      : null,
  ];
}

/**
 * @param {string} name ends in its unit.
 * @param {number | null} value
 */
function withUnit(name, value) {
  const [, unit = ""] = /_(ms2|ms|percent|bpm)$/.exec(name) ?? [];
  const text = number(value, unit === "ms2" || unit === "percent" || unit === "ms" ? 1 : 2);
  /** @type {Record<string, string>} */
  const written = { ms2: "ms²", ms: "ms", percent: "%", bpm: t("unit.bpm") };
  return value === null || !unit ? text : `${text} ${written[unit]}`;
}

/** @param {any} answer */
function rhythmOf({ caution, beats, abnormal_share, episodes }) {
  const kinds = Object.entries(/** @type {Record<string, number>} */ (beats ?? {}));
  return [
    cautionWords(caution && t("caution.words")),
    figures([
      ...kinds.map(
        ([kind, count]) =>
          /** @type {[string, string]} */ ([`${kind}: ${word("kind", kind)}`, number(count)]),
      ),
      [t("result.abnormal"), percent(abnormal_share)],
    ]),
    episodes?.length
      ? table(
          t("result.episodes"),
          [t("result.episode"), t("result.from"), t("result.length")],
          episodes.map((/** @type {any} */ each) => [
            word("episode", each.kind),
            duration(each.onset_s),
            duration(each.end_s - each.onset_s),
          ]),
        )
      : element("p", {}, t("result.no_episodes")),
  ];
}
