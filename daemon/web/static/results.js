/** What is shown of the answer to each question about a file. */

import { element, icon } from "./dom.js";
import { duration, number, percent, t, word } from "./i18n.js";
import { cautionWords, figures, notesOf, table } from "./parts.js";
import { phrase } from "./phrases.js";
import { axisFor, dots, line, plot } from "./plots.js";

const MOST_ROWS = 500; // of a table of beats
const MOST_MARKED = 200; // beats in a picture

/** @typedef {{at_s: number, rr_s: number | null, quality?: number, flaws?: string[]}} Beat */

/**
 * @typedef {{from_s: number, to_s: number, step_s: number, min: (number | null)[], max: (number | null)[]}} Stretch
 */

/** @param {{duration_s: number, beats: Beat[], ecg_mv?: Stretch, notes?: string[]}} answer */
export function beatsOf({ duration_s, beats, ecg_mv, notes = [] }) {
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
export function whoseOf({ state, person, confidence, beats, good_beats, seconds }) {
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
export function sameOf({ same, score, ln_likelihood_ratio, probability, beats }) {
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
export function variabilityOf(answer) {
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
export function rhythmOf({ caution, beats, abnormal_share, episodes }) {
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
