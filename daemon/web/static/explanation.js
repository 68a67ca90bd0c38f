/** Why the last decision: the mean beat, shaded by what the score loses where it is hidden. */

import { get } from "./api.js";
import { element, svg } from "./dom.js";
import { number, t } from "./i18n.js";
import { button, callout, cardWith, tried } from "./parts.js";
import { axisFor, line, plot } from "./plots.js";

/** Where the waves lie at rest, in milliseconds from the R peak (model/explanation.py). */
const WAVES = /** @type {const} */ ([
  ["p", -280, -60],
  ["qrs", -60, 60],
  ["st", 60, 140],
  ["t", 140, 420],
]);

/** @typedef {{state: string, person: string | null, ecg_mv: number[], weights: number[], offsets_s: number[]}} Explanation */

/**
 * A card that explains, on demand: it costs the service some work.
 *
 * @param {AbortSignal} signal
 */
export function explanationCard(signal) {
  const body = element(
    "div",
    { class: "stack-wide" },
    element("p", { class: "soft" }, t("why.what")),
  );
  const again = button(
    t("why.explain"),
    async () => {
      const place = element("div", {});
      const told = await tried(place, () => get("/explanation", signal));
      body.replaceChildren(place, ...(told ? shown(told) : []));
    },
    { kind: "button-small" },
  );
  return cardWith(t("why.title"), again, body);
}

/** @param {Explanation} told */
function shown({ state, person, ecg_mv, weights, offsets_s }) {
  const offsets_ms = offsets_s.map((offset_s) => 1000 * offset_s);
  const shares = sharesOf(weights, offsets_ms);
  const most = shares.reduce((best, each) => (each.share > best.share ? each : best));
  const sentence = t("why.sentence", {
    wave: t(`why.${most.wave}`),
    share: number(100 * most.share),
  });
  const strongest = Math.max(...weights.map(Math.abs), 1e-9);
  const up = axisFor(ecg_mv, t("why.height"), 1);
  const across = {
    from: offsets_ms[0],
    to: offsets_ms[offsets_ms.length - 1],
    ticks: [-200, 0, 200, 400],
    label: t("why.ms"),
  };
  return [
    element("p", {}, whose(state, person)),
    element(
      "div",
      { class: "pictures" },
      plot(sentence, across, up, (scale) => [
        ...weights.map((weight, index) => {
          const at_ms = offsets_ms[index];
          const next_ms = offsets_ms[index + 1] ?? at_ms;
          return svg("rect", {
            class: weight < 0 ? "against" : "for",
            x: scale.x(at_ms),
            y: 10,
            width: Math.max(0, scale.x(next_ms) - scale.x(at_ms)),
            height: 216,
            "fill-opacity": (0.75 * Math.abs(weight)) / strongest,
          });
        }),
        line(
          scale,
          offsets_ms.map((at_ms, index) => [at_ms, ecg_mv[index]]),
        ),
      ]),
      element(
        "dl",
        { class: "shares" },
        ...shares.map(({ wave, share }) => shareOf(t(`why.${wave}`), share)),
      ),
    ),
    callout("info", sentence),
  ];
}

/**
 * @param {string} state of the decision.
 * @param {string | null} person whom the beats are compared with.
 */
function whose(state, person) {
  if (person === null) return t("why.nobody");
  return state === "accepted" ? t("why.taken_for", { person }) : t("why.nearest", { person });
}

/**
 * @param {string} name
 * @param {number} share
 */
function shareOf(name, share) {
  const bar = element("span", { class: "share-bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", String(share));
  return element(
    "div",
    {},
    element("dt", {}, name),
    element("dd", {}, bar, `${number(100 * share)} %`),
  );
}

/**
 * Each wave's part of all that spoke for the decision.
 *
 * @param {number[]} weights
 * @param {number[]} offsets_ms
 */
function sharesOf(weights, offsets_ms) {
  const speaking = weights.map((weight) => Math.max(weight, 0));
  const all = speaking.reduce((sum, weight) => sum + weight, 0) || 1;
  return WAVES.map(([wave, from, to]) => ({
    wave,
    share:
      speaking.reduce(
        (sum, weight, n) => (offsets_ms[n] >= from && offsets_ms[n] < to ? sum + weight : sum),
        0,
      ) / all,
  }));
}
