/** Model: what decides, how well it does so, and which part of the beat carried the last decision. */

import { get, may } from "../api.js";
import { element } from "../dom.js";
import { dateAndTime, number, t, word } from "../i18n.js";
import { explanationCard } from "../explanation.js";
import { callout, card, cautionWords, inEnglish, table, tried } from "../parts.js";
import { confusion, dots, line, normalDeviate, plot, words } from "../plots.js";
import { pair } from "../replay.js";

const DET_TICKS = [0.1, 0.5, 1, 2, 5, 10, 20, 40];
const STYLES = ["first", "second", "third"];
const HERE = /** @type {const} */ ({
  from: 0.1,
  to: 40,
  ticks: DET_TICKS,
  digits: 1,
  place: normalDeviate,
});

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export async function mount(root, signal) {
  const failure = element("div", {});
  root.append(element("h1", {}, t("nav.model")), failure);
  const told = await tried(failure, () =>
    Promise.all([get("/models", signal), get("/figures", signal)]),
  );
  if (!told || signal.aborted) return;
  const [models, figures] = told;
  const cards = element("div", { class: "cards" });
  root.append(cards);
  if (models.identity) cards.append(passportCard(t("model.identity"), models.identity));
  if (models.beats) cards.append(passportCard(t("model.beats"), models.beats, cautionWords()));
  if (may("live")) root.append(explanationCard(signal));
  if (figures.identity?.by_beats) root.append(identityCard(t("model.errors"), figures.identity));
  if (figures.own_error) {
    root.append(callout("caution", t("model.own_error"), " ", inEnglish(figures.own_error)));
  }
  if (figures.own?.by_beats) root.append(identityCard(t("model.errors_own"), figures.own));
  if (figures.beats?.confusion) root.append(kindsCard(figures.beats));
}

/**
 * @param {string} title
 * @param {any} model
 * @param {import("../dom.js").Child} [beneath]
 */
function passportCard(title, model, beneath) {
  return card(
    title,
    element(
      "dl",
      { class: "pairs" },
      pair(t("model.name"), model.name),
      pair(t("model.kind"), word("model_kind", model.kind)),
      pair(t("model.data"), [model.data].flat().join(", ")),
      pair(t("model.licence"), model.licence),
      pair(t("model.created"), model.created_utc && dateAndTime(new Date(model.created_utc))),
      pair(t("model.runtime"), model.runtime),
      pair("SHA-256", model.sha256),
    ),
    beneath,
  );
}

/**
 * @param {string} title
 * @param {any} figures
 */
function identityCard(title, figures) {
  const rows = Object.entries(/** @type {Record<string, any>} */ (figures.by_beats));
  return card(
    title,
    figures.protocol &&
      element("p", { class: "soft small" }, t("model.protocol"), " ", inEnglish(figures.protocol)),
    element(
      "div",
      { class: "pictures" },
      element("figure", {}, element("figcaption", {}, t("model.det")), det(rows)),
      table(
        title,
        ["by_beats", "eer", "across_days", "fmr", "fnmr", "rank_1"].map((head) =>
          t(`model.${head}`),
        ),
        rows.map(([beats, of]) => [
          beats,
          withInterval(of.eer),
          withInterval(of.across_days?.eer),
          rateOf(of.at_thresholds_of_other_folds?.fmr ?? of.fmr),
          rateOf(of.at_thresholds_of_other_folds?.fnmr ?? of.fnmr),
          rateOf(of.rank_1),
        ]),
      ),
    ),
    element("p", { class: "soft small" }, t("model.how_to_read")),
  );
}

/** @param {any} rate a number, or a number with its interval. */
function rateOf(rate) {
  return typeof rate === "number" ? `${number(rate, 1)}\u00a0%` : withInterval(rate);
}

/** @param {{percent: number, interval_95?: [number, number]} | null | undefined} rate */
function withInterval(rate) {
  if (!rate) return null;
  const [least, most] = rate.interval_95 ?? [null, null];
  const around = least === null ? "" : ` (${number(least, 1)}–${number(most, 1)})`;
  return `${number(rate.percent, 1)}\u00a0%${around}`;
}

/**
 * The errors of one kind against those of the other, on normal deviate axes: a curve where there is one,
 * else the points that were measured.
 *
 * @param {[string, any][]} rows
 */
function det(rows) {
  const told = rows
    .map(([beats, { eer }]) => t("model.det_told", { beats, eer: number(eer?.percent, 1) }))
    .join(" ");
  return plot(
    told,
    { ...HERE, label: t("model.fmr_axis") },
    { ...HERE, label: t("model.fnmr_axis") },
    (scale) => [
      line(
        scale,
        [
          [0.1, 0.1],
          [40, 40],
        ],
        "faint",
      ),
      ...rows.flatMap(([beats, of], index) => curve(scale, beats, of, index)),
    ],
    { width: 480, height: 420 },
  );
}

/**
 * @param {import("../plots.js").Scale} scale
 * @param {string} beats
 * @param {any} of
 * @param {number} index
 */
function curve(scale, beats, of, index) {
  const points = pointsOf(of).filter((pair_) => pair_.every((each) => each >= 0.1 && each <= 40));
  if (!points.length) return [];
  const style = STYLES[index % STYLES.length];
  const [x, y] = points[0];
  return [
    line(scale, points, style),
    of.det ? null : dots(scale, points, style, 4),
    words(
      t("model.of_beats", { beats }),
      scale.x(x) + (index < 2 ? 6 : -8),
      scale.y(y) + (index < 2 ? -6 : 4),
      index < 2 ? "start" : "end",
      style,
    ),
  ];
}

/**
 * @param {any} of
 * @returns {[number, number][]} percent of false matches and of false non-matches.
 */
function pointsOf(of) {
  if (of.det)
    return of.det.fmr.map((/** @type {number} */ fmr, /** @type {number} */ n) => [
      fmr,
      of.det.fnmr[n],
    ]);
  const decided = of.at_thresholds_of_other_folds;
  return /** @type {[number, number][]} */ (
    [
      decided && [decided.fmr, decided.fnmr],
      of.fmr_at_fnmr_5 !== undefined && [of.fmr_at_fnmr_5, 5],
      of.eer && [of.eer.percent, of.eer.percent],
    ].filter(Boolean)
  ).sort(([one], [other]) => one - other);
}

/** @param {any} figures */
function kindsCard({ kinds, confusion: sets }) {
  const body = element("div", {});
  const show = (/** @type {string} */ set) =>
    body.replaceChildren(
      confusion(
        t("model.confusion_of", { set }),
        t("model.true_said"),
        kinds.map((/** @type {string} */ kind) => (kind === "-" ? t("model.no_beat") : kind)),
        sets[set],
      ),
    );
  const names = Object.keys(sets);
  const select = element(
    "select",
    { id: "set", onchange: () => show(/** @type {HTMLSelectElement} */ (select).value) },
    ...names.map((name) => element("option", { value: name }, name)),
  );
  const first = names.includes("mitdb") ? "mitdb" : names[0];
  /** @type {HTMLSelectElement} */ (select).value = first;
  show(first);
  return card(
    t("model.confusion"),
    cautionWords(),
    element("label", { class: "field field-short", for: "set" }, t("model.set"), select),
    body,
    element(
      "p",
      { class: "soft small" },
      kinds
        .filter((/** @type {string} */ kind) => kind !== "-")
        .map((/** @type {string} */ kind) => `${kind}: ${word("kind", kind)}`)
        .join(" · "),
    ),
  );
}
