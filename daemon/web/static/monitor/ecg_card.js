/** The traces: ECG on millimetre paper and breathing below it, with speed, gain, freeze and caliper. */

import { element, icon, write } from "../dom.js";
import { number, t, word } from "../i18n.js";
import { live } from "../live.js";
import { RATE_HZ, scene } from "../scene.js";
import { Caliper } from "./caliper.js";
import { Sweep } from "./sweep.js";

const SPEEDS = [25, 50];
const GAINS = [5, 10, 20];
const KEPT_AS = "qrsd.paper";
const ECG_MM = 40;
const BREATH_MM = 16;
const BREATH_MM_PER_S = 6.25;
const MOST_MM_PER_MV = 3000; // beyond, it would be the converter's noise
const WORDS_EVERY_MS = 5000;

/** @param {AbortSignal} signal */
export function ecgCard(signal) {
  const kept = keptLook();
  const paper = stage("paper-ecg", t("ecg.trace"), "ecg-words");
  const ecg = new Sweep(
    paper.canvas,
    paper.dot,
    scene.ecg,
    { ...kept, height_mm: ECG_MM, zero: 0.62, colour: "trace" },
    () => scene.beats,
    signal,
  );
  const breath = breathing(signal);
  const caliper = new Caliper(paper.stage, ecg, signal);
  const back = lookBack(ecg, caliper);
  const buttons = stopping(ecg, caliper, back);
  animate([ecg, breath.sweep], breath.scale, signal);
  live.on("r_peak", ({ index }) => ecg.drawBeat(index), signal);
  live.on("beat_kind", ({ r_index }) => ecg.drawBeat(r_index), signal);
  return element(
    "section",
    { class: "card ecg-card", "aria-labelledby": "ecg-title" },
    element(
      "div",
      { class: "ecg-head" },
      element("h2", { id: "ecg-title" }, t("ecg.title")),
      caliper.readout,
    ),
    element("div", { class: "row ecg-tools" }, choices(ecg, kept), ...buttons),
    paper.stage,
    back,
    breath.part,
    element("p", { class: "small soft legend" }, t("ecg.legend")),
    inWords(signal),
  );
}

function keptLook() {
  let kept = { mm_per_s: SPEEDS[0], mm_per_mv: GAINS[1] };
  try {
    kept = { ...kept, ...JSON.parse(localStorage.getItem(KEPT_AS) ?? "{}") };
  } catch {
    localStorage.removeItem(KEPT_AS);
  }
  return kept;
}

/**
 * @param {string} name its class.
 * @param {string} label
 * @param {string} described id of its text alternative.
 */
function stage(name, label, described) {
  const canvas = /** @type {HTMLCanvasElement} */ (
    element("canvas", { role: "img", "aria-label": label, "aria-describedby": described })
  );
  const dot = element("i", { class: "sweep-dot", hidden: true });
  return { canvas, dot, stage: element("div", { class: `paper ${name}` }, canvas, dot) };
}

/** @param {AbortSignal} signal */
function breathing(signal) {
  const paper = stage("paper-breath", t("breath.trace"), "ecg-words");
  const look = { mm_per_s: BREATH_MM_PER_S, mm_per_mv: 10, height_mm: BREATH_MM, zero: 0.5 };
  const sweep = new Sweep(
    paper.canvas,
    paper.dot,
    scene.respiration,
    { ...look, colour: "trace-second" },
    () => [],
    signal,
  );
  const rate = element("p", { class: "breath-rate" });
  const note = element("p", { class: "paper-note soft", hidden: true }, t("breath.off"));
  paper.stage.append(note);
  live.on(
    "hrv",
    (/** @type {import("../types.js").Hrv} */ { respiration }) => {
      const known = number(respiration.rate_per_min);
      write(rate, respiration.rate_per_min === null ? "" : t("breath.rate", { rate: known }));
    },
    signal,
  );
  const scale = () => {
    note.hidden = scene.measuresBreath !== false;
    fit(sweep);
  };
  const head = element("div", { class: "breath-head" }, icon("lungs"), t("breath.title"), rate);
  return { sweep, scale, part: element("div", { class: "breath" }, head, paper.stage) };
}

/**
 * Let breathing fill its paper: its size depends on body and electrodes. The scale changes only if
 * it is off by much, since all is drawn anew then.
 *
 * @param {Sweep} sweep
 */
function fit(sweep) {
  const { ring, look } = sweep;
  let most = 0;
  for (let index = ring.end - 20 * RATE_HZ; index < ring.end; index += 5) {
    const mv = Math.abs(ring.at(index));
    if (mv > most) most = mv;
  }
  const wanted = Math.min(MOST_MM_PER_MV, (0.36 * BREATH_MM) / most);
  if (look.mm_per_mv > 1.3 * wanted || look.mm_per_mv < 0.6 * wanted)
    sweep.change({ mm_per_mv: wanted });
}

/** @param {Sweep[]} sweeps @param {() => void} scale @param {AbortSignal} signal */
function animate(sweeps, scale, signal) {
  let last_ms = performance.now();
  const frame = (/** @type {number} */ now_ms) => {
    if (signal.aborted) return;
    for (const sweep of sweeps) sweep.frame(now_ms, (now_ms - last_ms) / 1000);
    last_ms = now_ms;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const timer = setInterval(scale, 2000);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** @param {Sweep} ecg @param {{mm_per_s: number, mm_per_mv: number}} kept */
function choices(ecg, kept) {
  const take = (/** @type {Partial<typeof kept>} */ change) => {
    Object.assign(kept, change);
    localStorage.setItem(KEPT_AS, JSON.stringify(kept));
    ecg.change(change);
  };
  return [
    segments(t("ecg.speed"), "mm/s", SPEEDS, kept.mm_per_s, (mm_per_s) => take({ mm_per_s })),
    segments(t("ecg.gain"), "mm/mV", GAINS, kept.mm_per_mv, (mm_per_mv) => take({ mm_per_mv })),
  ];
}

/**
 * @param {string} name
 * @param {string} unit
 * @param {number[]} values
 * @param {number} chosen
 * @param {(value: number) => void} take
 */
function segments(name, unit, values, chosen, take) {
  const options = values.map((value) =>
    element(
      "label",
      {},
      element("input", {
        type: "radio",
        name: unit,
        checked: value === chosen,
        onchange: () => take(value),
      }),
      String(value),
    ),
  );
  return element(
    "fieldset",
    { class: "segments-set" },
    element("legend", { class: "visually-hidden" }, `${name}, ${unit}`),
    element("div", { class: "segments" }, ...options),
    element("span", { class: "small soft", "aria-hidden": "true" }, unit),
  );
}

/** A slider that goes back in a frozen picture. @param {Sweep} ecg @param {Caliper} caliper */
function lookBack(ecg, caliper) {
  const slider = /** @type {HTMLInputElement} */ (
    element("input", { type: "range", max: 0, step: 0.2, class: "look-back-slider" })
  );
  let newest = 0;
  const part = element("label", { class: "look-back", hidden: true }, t("ecg.look_back"), slider);
  slider.addEventListener("input", () => {
    ecg.freeze(Math.round(newest + Number(slider.value) * RATE_HZ));
    slider.setAttribute("aria-valuetext", `${number(Number(slider.value), 1)} s`);
    if (caliper.isShown) caliper.show();
  });
  return Object.assign(part, {
    begin() {
      newest = ecg.frozenEnd ?? 0;
      const kept_s = Math.max(0, (newest - scene.ecg.first - ecg.span) / RATE_HZ);
      slider.min = String(-Math.floor(kept_s));
      slider.value = "0";
      part.hidden = false;
    },
  });
}

/** @param {Sweep} ecg @param {Caliper} caliper @param {ReturnType<typeof lookBack>} back */
function stopping(ecg, caliper, back) {
  const freeze = element("button", { class: "button button-small", type: "button" });
  const measure = element("button", { class: "button button-small", type: "button" });
  const draw = () => {
    const isFrozen = ecg.frozenEnd !== null;
    freeze.replaceChildren(
      icon(isFrozen ? "play" : "freeze"),
      isFrozen ? t("ecg.go_on") : t("ecg.freeze"),
    );
    measure.replaceChildren(icon("caliper"), t("ecg.caliper"));
    measure.setAttribute("aria-pressed", String(caliper.isShown));
    ecg.dot.classList.toggle("is-frozen", isFrozen);
  };
  const stop = () => {
    if (ecg.frozenEnd !== null) return;
    ecg.freeze(Math.floor(ecg.head || scene.ecg.end));
    back.begin();
  };
  freeze.addEventListener("click", () => {
    if (ecg.frozenEnd === null) stop();
    else {
      caliper.hide();
      back.hidden = true;
      ecg.run();
    }
    draw();
  });
  measure.addEventListener("click", () => {
    if (caliper.isShown) caliper.hide();
    else {
      stop();
      caliper.show();
    }
    draw();
  });
  caliper.hide();
  draw();
  return [freeze, measure];
}

/** The trace in words, for who cannot see it. @param {AbortSignal} signal */
function inWords(signal) {
  const words = element("p", { id: "ecg-words" });
  const tell = () => write(words, describe());
  const timer = setInterval(tell, WORDS_EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  setTimeout(tell, 1000);
  return element(
    "details",
    { class: "in-words small" },
    element("summary", {}, t("ecg.in_words")),
    words,
  );
}

function describe() {
  const since = scene.ecg.end - 10 * RATE_HZ;
  const beats = scene.beats.filter(({ index }) => index >= since);
  const intervals = beats.flatMap(({ rr_s }) => (rr_s === null ? [] : [1000 * rr_s]));
  if (!live.isFresh || intervals.length < 2) return t("ecg.words_nothing");
  const kinds = new Map();
  for (const { kind } of beats) if (kind !== null) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const told = [...kinds].map(([kind, count]) => `${count} ${word("kind", kind)}`).join(", ");
  const heights = beats.map(({ amplitude_mv }) => amplitude_mv);
  const mean = heights.reduce((sum, height) => sum + height, 0) / heights.length;
  return t("ecg.words", {
    beats: beats.length,
    shortest: number(Math.min(...intervals)),
    longest: number(Math.max(...intervals)),
    height: number(mean, 2),
    kinds: told || t("ecg.words_kinds_unknown"),
  });
}
