/** Pictures of single beats: the newest fifty over each other, and the intervals between them. */

import { colours, element, followSize, write } from "../dom.js";
import { clockTime, duration, number, percent, t } from "../i18n.js";
import { live } from "../live.js";
import { AFTER, BEFORE, RATE_HZ, scene } from "../scene.js";
import { KIND_COLOURS, traceShape } from "./marks.js";

const STACK_BEATS = 50;
const TACHOGRAM_S = 300;
const MARGIN = { right: 10, top: 10, bottom: 24 };
const LABEL_GAP = 8; // from a label of the axis to the picture
const INKS = /** @type {const} */ ([
  "trace",
  "accent",
  "soft",
  "line",
  "paper",
  "bad",
  "info",
  "violet",
  "caution",
]);

/**
 * @typedef {object} Sheet
 * @property {CanvasRenderingContext2D} context
 * @property {number} width
 * @property {number} height
 * @property {number} left where the picture begins, beside its axis.
 * @property {Record<string, string>} ink
 */

/**
 * A canvas that is drawn after each beat.
 *
 * @param {string} label
 * @param {string[]} topics after which it is drawn.
 * @param {(sheet: Sheet) => void} draw
 * @param {AbortSignal} signal
 */
function chart(label, topics, draw, signal) {
  const canvas = /** @type {HTMLCanvasElement} */ (
    element("canvas", { class: "chart", role: "img", "aria-label": label })
  );
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let ink = colours(...INKS);
  let isDue = false;
  const now = () => {
    isDue = false;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0) return;
    context.clearRect(0, 0, width, height);
    context.font = `${getComputedStyle(canvas).fontSize} system-ui, sans-serif`;
    const left = context.measureText(`−${number(1000)}`).width + LABEL_GAP;
    draw({ context, width, height, left, ink });
  };
  const soon = () => {
    if (!isDue) requestAnimationFrame(now);
    isDue = true;
  };
  const theme = () => {
    ink = colours(...INKS);
    soon();
  };
  document.addEventListener("theme", theme, { signal });
  followSize(canvas, now, signal);
  for (const topic of [...topics, "restarted"]) live.on(topic, soon, signal);
  return canvas;
}

/** @param {AbortSignal} signal */
export function beatStack(signal) {
  const likeness = element("p", { class: "small soft" });
  const dashed = element("li", { class: "key-mean" });
  const draw = (/** @type {Sheet} */ sheet) => {
    write(likeness, drawStack(sheet));
    write(dashed, dashedWords());
  };
  const canvas = chart(t("stack.picture"), ["beat"], draw, signal);
  return element(
    "section",
    { class: "card chart-card", "aria-labelledby": "stack-title" },
    element(
      "div",
      { class: "card-head" },
      element("h2", { id: "stack-title" }, t("stack.title")),
      likeness,
    ),
    canvas,
    element(
      "ul",
      { class: "keys small soft" },
      element("li", { class: "key-newest" }, t("stack.newest")),
      dashed,
      element("li", { class: "key-each" }, t("stack.each")),
    ),
    element("p", { class: "small soft" }, t("stack.how")),
  );
}

/** What the dashed beat is. */
function dashedWords() {
  const { person, since, beats, mean } = scene.reference;
  if (!mean) return t("stack.mean");
  return t("stack.reference", { person: person ?? "", time: clockTime(since), beats });
}

/** The newest beats with all their samples, newest last; none from before a longer gap. */
function stackedBeats() {
  const found = [];
  for (let i = scene.beats.length - 1; i >= 0 && found.length < STACK_BEATS; i--) {
    const { index, quality, rr_s } = scene.beats[i];
    if (index - BEFORE < scene.ecg.first) break;
    const wave = quality === null ? null : scene.waveAt(index);
    if (wave) found.unshift(wave);
    if (rr_s === null) break;
  }
  return found;
}

/** @param {Sheet} sheet @returns {string} how like the dashed beat the newest is. */
function drawStack({ context, width, height, left, ink }) {
  const beats = stackedBeats();
  if (!beats.length) {
    note(context, t("stack.none"), width, height, ink.soft);
    return "";
  }
  const mean =
    scene.reference.mean ??
    beats[0].map((_, at) => beats.reduce((sum, beat) => sum + beat[at], 0) / beats.length);
  const all = [...beats, mean].flat();
  const [low, high] = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))];
  const room = width - left - MARGIN.right;
  const x = (/** @type {number} */ at) => left + (at / (BEFORE + AFTER - 1)) * room;
  const y = scale(low, high, height - MARGIN.bottom, MARGIN.top);
  drawStackAxes({ context, width, height, left, ink }, x, y, low, high);
  const trace = (/** @type {number[]} */ beat) => {
    context.beginPath();
    beat.forEach((mv, at) => context.lineTo(x(at), y(mv)));
    context.stroke();
  };
  context.lineJoin = "round";
  const older = beats.slice(0, -1);
  context.strokeStyle = ink.soft;
  context.lineWidth = 1;
  older.forEach((beat, number_) => {
    context.globalAlpha = 0.08 + (0.22 * (number_ + 1)) / older.length;
    trace(beat);
  });
  context.globalAlpha = 1;
  context.setLineDash([5, 4]);
  context.lineWidth = 2;
  context.strokeStyle = ink.trace;
  trace(mean);
  context.setLineDash([]);
  context.lineWidth = 2.5;
  context.strokeStyle = ink.accent;
  trace(beats[beats.length - 1]);
  const likeness = percent(correlation(beats[beats.length - 1], mean));
  const person = scene.reference.mean && scene.reference.person;
  return person ? t("stack.likeness_to", { likeness, person }) : t("stack.likeness", { likeness });
}

/**
 * @param {Sheet} sheet
 * @param {(at: number) => number} x
 * @param {(mv: number) => number} y
 * @param {number} low
 * @param {number} high
 */
function drawStackAxes({ context, width, height, left, ink }, x, y, low, high) {
  context.fillStyle = ink.soft;
  context.strokeStyle = ink.line;
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const mv of steps(low, high, height / 48)) {
    line(context, left, y(mv), width - MARGIN.right, y(mv));
    context.fillText(number(mv, 1), left - LABEL_GAP, y(mv));
  }
  context.textAlign = "center";
  for (const ms of [-200, 0, 200, 400]) {
    const at = x(BEFORE + (ms * RATE_HZ) / 1000);
    context.fillText(ms === 0 ? "R" : `${number(ms)} ms`, at, height - 10);
  }
}

/** @param {AbortSignal} signal */
export function tachogram(signal) {
  const newest = element("p", { class: "small soft" });
  const draw = (/** @type {Sheet} */ sheet) => write(newest, drawTachogram(sheet));
  const canvas = chart(t("tachogram.picture"), ["r_peak", "beat_kind"], draw, signal);
  return element(
    "section",
    { class: "card chart-card", "aria-labelledby": "tachogram-title" },
    element(
      "div",
      { class: "card-head" },
      element("h2", { id: "tachogram-title" }, t("tachogram.title")),
      newest,
    ),
    canvas,
    element("p", { class: "small soft" }, t("tachogram.how")),
  );
}

/** @param {Sheet} sheet @returns {string} the newest interval. */
function drawTachogram({ context, width, height, left, ink }) {
  const end = scene.ecg.end || (scene.beats.at(-1)?.index ?? 0);
  const beats = scene.beats.filter(
    ({ index, rr_s }) => rr_s !== null && index > end - TACHOGRAM_S * RATE_HZ,
  );
  if (beats.length < 2) {
    note(context, t("tachogram.none"), width, height, ink.soft);
    return "";
  }
  const span_s = Math.min(TACHOGRAM_S, Math.max(60, (end - beats[0].index) / RATE_HZ));
  const intervals = beats.map(({ rr_s }) => 1000 * (rr_s ?? 0));
  const low = Math.max(0, Math.min(...intervals) - 40);
  const high = Math.min(3000, Math.max(...intervals) + 40);
  const y = scale(low, high, height - MARGIN.bottom, MARGIN.top);
  const room = width - left - MARGIN.right;
  const x = (/** @type {number} */ index) => left + room * (1 - (end - index) / RATE_HZ / span_s);
  context.fillStyle = ink.soft;
  context.strokeStyle = ink.line;
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const ms of steps(low, high, height / 48)) {
    line(context, left, y(ms), width - MARGIN.right, y(ms));
    context.fillText(number(ms), left - LABEL_GAP, y(ms));
  }
  context.textAlign = "left";
  context.fillText(`−${duration(span_s)}`, left, height - 10);
  context.textAlign = "right";
  context.fillText(t("tachogram.now"), width - MARGIN.right, height - 10);
  drawIntervals(context, beats, x, y, ink);
  return t("tachogram.newest", { ms: number(intervals[intervals.length - 1]) });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("../scene.js").Beat[]} beats
 * @param {(index: number) => number} x
 * @param {(ms: number) => number} y
 * @param {Record<string, string>} ink
 */
function drawIntervals(context, beats, x, y, ink) {
  context.strokeStyle = ink.accent;
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.beginPath();
  let before = -Infinity;
  for (const { index, rr_s } of beats) {
    const ms = 1000 * (rr_s ?? 0);
    const follows = index - before <= (rr_s ?? 0) * RATE_HZ + 2;
    if (follows) context.lineTo(x(index), y(ms));
    else context.moveTo(x(index), y(ms));
    before = index;
  }
  context.stroke();
  for (const { index, rr_s, kind } of beats) {
    const known = kind !== null && kind in KIND_COLOURS;
    context.fillStyle = known
      ? ink[KIND_COLOURS[/** @type {keyof typeof KIND_COLOURS} */ (kind)]]
      : ink.accent;
    context.beginPath();
    if (known)
      traceShape(context, /** @type {string} */ (kind), x(index), y(1000 * (rr_s ?? 0)), 4);
    else context.arc(x(index), y(1000 * (rr_s ?? 0)), 2, 0, 2 * Math.PI);
    context.fill();
  }
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} bottom where `low` is.
 * @param {number} top where `high` is.
 */
function scale(low, high, bottom, top) {
  return (/** @type {number} */ value) =>
    bottom - ((value - low) / (high - low || 1)) * (bottom - top);
}

/**
 * Round values between two others, at most so many.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} most
 */
function steps(low, high, most) {
  const rough = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10);
  const found = [];
  for (let count = Math.ceil(low / step); count * step <= high; count++)
    found.push(count * step + 0);
  return found;
}

/** @param {CanvasRenderingContext2D} context @param {...number} ends */
function line(context, ...ends) {
  context.beginPath();
  context.moveTo(ends[0], ends[1]);
  context.lineTo(ends[2], ends[3]);
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} width
 * @param {number} height
 * @param {string} colour
 */
function note(context, text, width, height, colour) {
  context.fillStyle = colour;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, width / 2, height / 2);
}

/** @param {number[]} one @param {number[]} other */
function correlation(one, other) {
  const mean = (/** @type {number[]} */ values) =>
    values.reduce((sum, each) => sum + each, 0) / values.length;
  const [a, b] = [mean(one), mean(other)];
  let [both, first, second] = [0, 0, 0];
  one.forEach((value, at) => {
    both += (value - a) * (other[at] - b);
    first += (value - a) ** 2;
    second += (other[at] - b) ** 2;
  });
  return Math.max(0, both / Math.sqrt(first * second || 1));
}
