/** Figures in cards: heart rate variability, and the rhythm with its episodes. */

import { element, icon, write } from "../dom.js";
import { clockTime, duration, number, percent, t, word } from "../i18n.js";
import { live } from "../live.js";
import { RATE_HZ, scene } from "../scene.js";
import { KIND_COLOURS } from "./marks.js";

const SHOWN_EPISODES = 6;
const KINDS_S = 300;
/** Name, field, unit and digits of the figures of variability. */
const VARIABILITY = /** @type {const} */ ([
  ["RMSSD", "rmssd_ms", "ms", 0],
  ["SDNN", "sdnn_ms", "ms", 0],
  ["pNN50", "pnn50_percent", "%", 0],
  ["mean_rr", "mean_rr_ms", "ms", 0],
  ["LF/HF", "lf_hf", "", 1],
  ["LF", "lf_ms2", "ms²", 0],
  ["HF", "hf_ms2", "ms²", 0],
  ["SD1/SD2", "sd1_ms", "ms", 0],
]);

/** @param {AbortSignal} signal */
export function variability(signal) {
  const values = VARIABILITY.map(() => element("span"));
  const of = element("p", { class: "small soft" });
  const reason = element("p", { class: "small hrv-reason", hidden: true });
  const pairs = VARIABILITY.map(([name, , unit], at) =>
    element(
      "div",
      {},
      element("dt", {}, name === "mean_rr" ? t("hrv.mean_rr") : name),
      element("dd", {}, values[at], " ", element("span", { class: "unit" }, unit)),
    ),
  );
  const draw = (/** @type {import("../types.js").Hrv} */ hrv) => {
    VARIABILITY.forEach(([, field, , digits], at) => {
      const second = field === "sd1_ms" ? ` / ${number(hrv.sd2_ms, digits)}` : "";
      write(values[at], number(hrv[field], digits) + second);
    });
    const shares = { intervals: hrv.intervals, time: duration(hrv.duration_s) };
    write(of, t("hrv.of", { ...shares, corrected: percent(hrv.corrected) }));
    reason.hidden = hrv.reason === null;
    if (hrv.reason !== null) write(reason, word("hrv_reason", hrv.reason));
  };
  const clear = () => {
    for (const value of values) write(value, number(null));
    write(of, t("hrv.none"));
    reason.hidden = true;
  };
  clear();
  live.on("hrv", draw, signal);
  live.on("forget", clear, signal);
  return element(
    "section",
    { class: "card", "aria-labelledby": "hrv-title" },
    element("div", { class: "card-head" }, element("h2", { id: "hrv-title" }, t("hrv.title")), of),
    element("dl", { class: "figures" }, ...pairs),
    reason,
  );
}

/** @param {AbortSignal} signal */
export function rhythmCard(signal) {
  const name = element("p", { class: "rhythm-name" });
  const fibrillation = element("p", { class: "small soft" });
  const kinds = element("ul", { class: "kinds" });
  const episodes = element("ol", { class: "episodes" });
  const none = element("p", { class: "small soft" }, t("episodes.none"));
  const drawLists = () => {
    drawKinds(kinds);
    const late = scene.episodes.slice(-SHOWN_EPISODES).reverse();
    none.hidden = late.length > 0;
    episodes.replaceChildren(...late.map(episodeItem));
  };
  const draw = (/** @type {import("../types.js").Rhythm} */ rhythm) => {
    write(name, word("rhythm", rhythm.rhythm));
    write(fibrillation, t("rhythm_card.fibrillation", { share: percent(rhythm.fibrillation) }));
    drawLists();
  };
  const clear = () => {
    write(name, t("rhythm.unknown"));
    write(fibrillation, "");
    drawLists();
  };
  clear();
  live.on("rhythm", draw, signal);
  live.on("beat_kind", () => drawKinds(kinds), signal);
  live.on("forget", clear, signal);
  live.on("restarted", drawLists, signal);
  return element(
    "section",
    { class: "card rhythm-card", "aria-labelledby": "rhythm-title" },
    element(
      "div",
      { class: "card-head" },
      element("h2", { id: "rhythm-title" }, t("rhythm_card.title")),
      fibrillation,
    ),
    name,
    kinds,
    element("h3", {}, t("episodes.title")),
    none,
    episodes,
    cautionWords(),
  );
}

/** What has to stand wherever kinds of beats, the rhythm or alarms are shown. */
export function cautionWords() {
  return element(
    "p",
    { class: "caution-words" },
    icon("info"),
    element("span", {}, t("caution.words")),
  );
}

/** @param {HTMLElement} list */
function drawKinds(list) {
  const since = scene.ecg.end - KINDS_S * RATE_HZ;
  const counts = new Map([["N", 0]]);
  for (const { index, kind } of scene.beats) {
    if (index >= since && kind !== null) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const items = [...counts].map(([kind, count]) =>
    element(
      "li",
      { class: kind in KIND_COLOURS ? `kind kind-${kind}` : "kind" },
      element("b", { "aria-hidden": "true" }, kind),
      element(
        "span",
        {},
        `${number(count)} `,
        element("span", { class: "soft" }, word("kind", kind)),
      ),
    ),
  );
  list.replaceChildren(...items);
}

/** @param {import("../types.js").Episode} episode */
function episodeItem({ kind, onset, end }) {
  const lasts = end === null;
  const length = ((end ?? scene.ecg.end) - onset) / RATE_HZ;
  return element(
    "li",
    {},
    element("time", { class: "soft" }, clockTime(scene.timeOf(onset))),
    element("span", {}, word("episode", kind)),
    lasts
      ? element("span", { class: "badge badge-caution" }, t("episodes.lasts"))
      : element(
          "span",
          { class: "soft" },
          length < 10 ? `${number(length, 1)} s` : duration(length),
        ),
  );
}
