/**
 * Draws a span of a recording on a canvas: grid and times, traces, marks, and all of it below.
 *
 * A frame has to be cheap where no graphics card helps: where a pixel holds more than a sample, a trace
 * is drawn as an upright bar for each column of pixels, which costs a twentieth of a path with thousands
 * of corners; the whole recording is drawn once, and copied.
 */

import { number } from "./i18n.js";

const LEAST_RANGE_MV = 1;
const BARS_MV = [100, 50, 10, 5, 1, 0.5];
const MOST_MARKS = 150; // drawn at once
const TICKS_S = [0.2, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800, 43200];
const FONT = "12px system-ui, sans-serif";
const BREATH_SHARE = 0.26; // of the height, for respiration

/** Colours of the style sheet that it is drawn in. */
export const INKS = /** @type {const} */ ([
  "surface",
  "paper",
  "paper-minor",
  "paper-major",
  "trace",
  "trace-second",
  "soft",
  "accent",
  "accent-wash",
  "violet",
]);

/**
 * @typedef {{at_s: number, text: string, duration_s: number | null}} Mark
 * @typedef {import("./pyramid.js").Samples} Samples
 * @typedef {"ecg_mv" | "respiration_mv"} Signal
 * @typedef {{top: number, height: number}} Lane
 * @typedef {Record<typeof INKS[number], string>} Inks
 */

/** A span of time across a canvas. */
export class Picture {
  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Inks} ink
   * @param {{from_s: number, to_s: number}} span
   * @param {number} width
   */
  constructor(context, ink, { from_s, to_s }, width) {
    this.context = context;
    this.ink = ink;
    this.from_s = from_s;
    this.to_s = to_s;
    this.width = width;
    this.px_per_s = width / (to_s - from_s);
  }

  /** @param {number} at_s */
  x(at_s) {
    return (at_s - this.from_s) * this.px_per_s;
  }

  /**
   * Draw upright lines, and the times of the strong ones.
   *
   * @param {number} height
   * @param {(at_s: number) => string} timeOf
   */
  drawGrid(height, timeOf) {
    const { context, ink, width } = this;
    const most = Math.max(1, width / 110);
    const major_s = TICKS_S.find((tick) => (this.to_s - this.from_s) / tick <= most) ?? 86400;
    for (const [step_s, colour] of /** @type {const} */ ([
      [major_s / 5, ink["paper-minor"]],
      [major_s, ink["paper-major"]],
    ])) {
      context.fillStyle = colour;
      for (const at_s of this.multiples(step_s)) {
        context.fillRect(Math.round(this.x(at_s)), 0, 1, height);
      }
    }
    context.fillStyle = ink.soft;
    context.font = FONT;
    for (const at_s of this.multiples(major_s)) {
      const text = timeOf(at_s) + (major_s < 1 ? (at_s % 1).toFixed(1).slice(1) : "");
      const x = this.x(at_s);
      if (x + context.measureText(text).width < width) context.fillText(text, x + 3, height + 15);
    }
  }

  /** @param {number} step_s */
  *multiples(step_s) {
    for (let n = Math.ceil(this.from_s / step_s); n * step_s <= this.to_s; n++) yield n * step_s;
  }

  /**
   * Draw what was recorded, respiration below the ECG.
   *
   * @param {Samples[]} tiles
   * @param {number} height
   */
  drawTraces(tiles, height) {
    const breathes = tiles.some((tile) => tile.respiration_mv);
    const ecg = { top: 0, height: breathes ? height * (1 - BREATH_SHARE) : height };
    const range_mv = this.drawTrace(tiles, "ecg_mv", ecg, this.ink.trace);
    if (range_mv) this.drawScale(ecg, range_mv);
    const below = { top: ecg.height, height: height - ecg.height };
    if (breathes) this.drawTrace(tiles, "respiration_mv", below, this.ink["trace-second"]);
  }

  /**
   * Draw a signal, its range fitted to what is seen.
   *
   * @param {Samples[]} tiles
   * @param {Signal} signal
   * @param {Lane} lane
   * @param {string} colour
   * @returns {number} the range in mV; 0 if nothing was recorded.
   */
  drawTrace(tiles, signal, { top, height }, colour) {
    const [least, most] = rangeOf(tiles, signal, this);
    if (least > most) return 0;
    const middle = (least + most) / 2;
    const range = 1.12 * Math.max(most - least, signal === "ecg_mv" ? LEAST_RANGE_MV : 1e-6);
    const y = (/** @type {number} */ mv) => top + height / 2 - ((mv - middle) / range) * height;
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(0, top, this.width, height);
    context.clip();
    context.strokeStyle = context.fillStyle = colour;
    if (tiles.every(({ step_s }) => step_s * this.px_per_s > 1)) this.drawLine(tiles, signal, y);
    else this.drawColumns(tiles, signal, y);
    context.restore();
    return range;
  }

  /**
   * @param {Samples[]} tiles whose samples are more than a pixel apart.
   * @param {Signal} signal
   * @param {(mv: number) => number} y
   */
  drawLine(tiles, signal, y) {
    const { context } = this;
    context.lineWidth = 1.25;
    context.lineJoin = "round";
    context.beginPath();
    let end_s = NaN;
    eachSeen(tiles, signal, this, (at_s, low, high, step_s) => {
      const follows = Math.abs(at_s - end_s) < step_s / 2;
      if (follows) context.lineTo(this.x(at_s), y(high));
      else context.moveTo(this.x(at_s), y(high));
      if (low !== high) context.lineTo(this.x(at_s), y(low));
      end_s = at_s + step_s;
    });
    context.stroke();
  }

  /**
   * @param {Samples[]} tiles
   * @param {Signal} signal
   * @param {(mv: number) => number} y
   */
  drawColumns(tiles, signal, y) {
    const lows = new Float64Array(Math.ceil(this.width)).fill(Infinity);
    const highs = new Float64Array(lows.length).fill(-Infinity);
    eachSeen(tiles, signal, this, (at_s, low, high, step_s) => {
      const last = Math.min(lows.length - 1, Math.floor(this.x(at_s + step_s) - 1e-6));
      for (let column = Math.max(0, Math.floor(this.x(at_s))); column <= last; column++) {
        if (low < lows[column]) lows[column] = low;
        if (high > highs[column]) highs[column] = high;
      }
    });
    for (let column = 0; column < lows.length; column++) {
      if (lows[column] > highs[column]) continue;
      const [low, high] = [lows[column - 1], highs[column - 1]];
      const follows = low <= high; // then it reaches to the one before, so that there are no holes
      const top = y(follows ? Math.max(highs[column], low) : highs[column]);
      const bottom = y(follows ? Math.min(lows[column], high) : lows[column]);
      this.context.fillRect(column, top - 0.5, 1, bottom - top + 1);
    }
  }

  /**
   * Draw a bar at the left that tells how much a millivolt is.
   *
   * @param {Lane} lane
   * @param {number} range_mv
   */
  drawScale({ top, height }, range_mv) {
    const bar_mv = BARS_MV.find((each) => each <= range_mv / 3) ?? 0.1;
    const high = (bar_mv / range_mv) * height;
    const bottom = top + height - 8;
    this.context.fillStyle = this.ink.trace;
    this.context.fillRect(8, bottom - high, 3, high);
    this.context.fillText(`${number(bar_mv, bar_mv < 1 ? 1 : 0)} mV`, 16, bottom);
  }

  /**
   * @param {Mark[]} marks
   * @param {number} height
   */
  drawMarks(marks, height) {
    const { context, width } = this;
    const seen = marks.filter(
      ({ at_s, duration_s }) => at_s + (duration_s ?? 0) >= this.from_s && at_s <= this.to_s,
    );
    if (seen.length > MOST_MARKS) return;
    context.font = FONT;
    context.fillStyle = this.ink.violet;
    let free = -Infinity;
    for (const { at_s, text, duration_s } of seen) {
      const at = this.x(at_s);
      context.globalAlpha = 0.13;
      if (duration_s) context.fillRect(at, 0, Math.max(1, duration_s * this.px_per_s), height);
      context.globalAlpha = 1;
      context.fillRect(at, 0, 1.5, height);
      const wide = context.measureText(text).width;
      const left = Math.min(Math.max(at, 0) + 4, width - wide - 4);
      if (left < free) continue;
      context.fillText(text, left, 14);
      free = left + wide + 10;
    }
  }
}

/** The whole recording as a strip, which is drawn anew only if there is something else to draw. */
export class Overview {
  constructor() {
    this.sheet = document.createElement("canvas");
    /** @type {unknown[]} what was drawn last. */
    this.drawn = [];
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Inks} ink
   * @param {{from_s: number, to_s: number}} whole
   * @param {Samples[]} tiles
   * @param {Mark[]} marks
   * @param {{width: number, height: number}} size
   */
  update(context, ink, whole, tiles, marks, { width, height }) {
    const now = [ink, width, context.getTransform().a, ...tiles];
    if (now.length === this.drawn.length && now.every((each, n) => each === this.drawn[n])) return;
    this.drawn = now;
    const ratio = context.getTransform().a;
    this.sheet.width = Math.round(width * ratio);
    this.sheet.height = Math.round(height * ratio);
    const own = /** @type {CanvasRenderingContext2D} */ (this.sheet.getContext("2d"));
    own.setTransform(ratio, 0, 0, ratio, 0, 0);
    const picture = new Picture(own, ink, whole, width);
    picture.drawTrace(tiles, "ecg_mv", { top: 0, height }, ink.soft);
    own.fillStyle = ink.violet;
    if (marks.length > MOST_MARKS) return;
    for (const { at_s } of marks) own.fillRect(picture.x(at_s), 0, 1.5, 8);
  }
}

/**
 * The least and the most of what is seen, in mV; the other way round if nothing was recorded.
 *
 * @param {Samples[]} tiles
 * @param {Signal} signal
 * @param {{from_s: number, to_s: number}} span
 * @returns {[least: number, most: number]}
 */
export function rangeOf(tiles, signal, span) {
  let [least, most] = [Infinity, -Infinity];
  eachSeen(tiles, signal, span, (_, low, high) => {
    if (low < least) least = low;
    if (high > most) most = high;
  });
  return [least, most];
}

/**
 * @param {Samples[]} tiles
 * @param {Signal} signal
 * @param {{from_s: number, to_s: number}} span
 * @param {(at_s: number, low: number, high: number, step_s: number) => void} take hears what was recorded.
 */
function eachSeen(tiles, signal, { from_s, to_s }, take) {
  for (const { [signal]: extremes, from_s: begin_s, step_s } of tiles) {
    if (!extremes) continue;
    const { min, max } = extremes;
    const first = Math.max(0, Math.floor((from_s - begin_s) / step_s) - 1);
    const last = Math.min(min.length - 1, Math.ceil((to_s - begin_s) / step_s) + 1);
    for (let index = first; index <= last; index++) {
      const [low, high] = [min[index], max[index]];
      if (low !== null && high !== null) take(begin_s + index * step_s, low, high, step_s);
    }
  }
}
