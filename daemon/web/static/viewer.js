/** The viewer of a recording: a canvas that pans and zooms, by pointer, wheel, fingers and keyboard. */

import { colours, element, followSize } from "./dom.js";

const SHORTEST_S = 0.5;
const STEP_SHARE = 0.2; // of what is seen, that an arrow key moves
const ZOOM_STEP = 1.6;
const OVERVIEW_HEIGHT = 44;
const AXIS_HEIGHT = 22;
const LEAST_RANGE_MV = 1;
const BARS_MV = [100, 50, 10, 5, 1, 0.5];
const MOST_MARKS = 150; // drawn at once
const TICKS_S = [0.2, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800];

/**
 * @typedef {{at_s: number, text: string, duration_s: number | null}} Mark
 * @typedef {import("./pyramid.js").Samples} Samples
 * @typedef {import("./pyramid.js").Extremes} Extremes
 * @typedef {{from: number, height: number}} Lane
 */

export class Viewer {
  /**
   * @param {import("./pyramid.js").Pyramid} pyramid
   * @param {object} told
   * @param {number} told.duration_s
   * @param {Mark[]} told.marks
   * @param {string} told.label
   * @param {(at_s: number) => string} told.timeOf what stands at the axis.
   * @param {(from_s: number, to_s: number) => void} told.moved called when something else is seen.
   * @param {AbortSignal} signal
   */
  constructor(pyramid, { duration_s, marks, label, timeOf, moved }, signal) {
    this.pyramid = pyramid;
    this.duration_s = Math.max(duration_s, SHORTEST_S);
    this.marks = marks;
    this.timeOf = timeOf;
    this.moved = moved;
    this.from_s = 0;
    this.to_s = this.duration_s;
    this.frame = 0;
    /** @type {Map<number, {x: number, y: number}>} */
    this.pointers = new Map();
    this.onOverview = false;
    this.canvas = /** @type {HTMLCanvasElement} */ (element("canvas", { "aria-hidden": "true" }));
    this.element = element(
      "div",
      { class: "viewer", tabindex: "0", role: "application", "aria-label": label },
      this.canvas,
    );
    this.element.addEventListener("keydown", (event) => this.press(event));
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
      this.canvas.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    }
    this.canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.restyle();
    document.addEventListener("theme", () => this.restyle(), { signal });
    followSize(this.canvas, () => this.draw(), signal);
  }

  restyle() {
    this.colours = colours(
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
    );
    this.redraw();
  }

  /** Draw in the next frame. */
  redraw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  /**
   * Show a span, as far as the recording goes.
   *
   * @param {number} from_s
   * @param {number} to_s
   */
  show(from_s, to_s) {
    const span_s = Math.min(Math.max(to_s - from_s, SHORTEST_S), this.duration_s);
    this.from_s = Math.min(Math.max(0, from_s), this.duration_s - span_s);
    this.to_s = this.from_s + span_s;
    this.moved(this.from_s, this.to_s);
    this.redraw();
  }

  /** @param {number} share of what is seen; below 0 to the left. */
  pan(share) {
    const by_s = share * (this.to_s - this.from_s);
    this.show(this.from_s + by_s, this.to_s + by_s);
  }

  /**
   * @param {number} factor above 1 shows more detail.
   * @param {number} [around_s] what stays in its place; the middle if it is not said.
   */
  zoom(factor, around_s = (this.from_s + this.to_s) / 2) {
    const span_s = (this.to_s - this.from_s) / factor;
    if (span_s < SHORTEST_S) return;
    const share = (around_s - this.from_s) / (this.to_s - this.from_s);
    this.show(around_s - share * span_s, around_s + (1 - share) * span_s);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const step = event.shiftKey ? 1 : STEP_SHARE;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => this.pan(-step),
      ArrowRight: () => this.pan(step),
      PageUp: () => this.pan(-1),
      PageDown: () => this.pan(1),
      Home: () => this.show(0, this.to_s - this.from_s),
      End: () => this.show(this.duration_s, this.duration_s + this.to_s - this.from_s),
      "+": () => this.zoom(ZOOM_STEP),
      "=": () => this.zoom(ZOOM_STEP),
      ArrowUp: () => this.zoom(ZOOM_STEP),
      "-": () => this.zoom(1 / ZOOM_STEP),
      ArrowDown: () => this.zoom(1 / ZOOM_STEP),
      0: () => this.show(0, this.duration_s),
    };
    if (!(event.key in keys) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** @param {PointerEvent} event */
  down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    const { x, y } = this.place(event);
    this.onOverview = y > this.canvas.clientHeight - OVERVIEW_HEIGHT;
    if (this.onOverview) this.centre(x);
    this.pointers.set(event.pointerId, { x, y });
  }

  /** @param {PointerEvent} event */
  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.place(event);
    if (this.onOverview) this.centre(now.x);
    else if (this.pointers.size === 1) this.pan((before.x - now.x) / this.canvas.clientWidth);
    else this.pinch(event.pointerId, before.x, now.x);
    this.pointers.set(event.pointerId, now);
  }

  /**
   * @param {number} moving
   * @param {number} before
   * @param {number} now
   */
  pinch(moving, before, now) {
    const other = [...this.pointers].find(([id]) => id !== moving)?.[1].x ?? before;
    const factor = Math.abs(now - other) / Math.max(1, Math.abs(before - other));
    if (factor > 0.1) this.zoom(factor, this.secondsAt(other));
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (sideways) this.pan(sideways / this.canvas.clientWidth);
    else if (event.ctrlKey || document.activeElement === this.element) {
      this.zoom(Math.exp(-event.deltaY / 400), this.secondsAt(this.place(event).x));
    } else return;
    event.preventDefault();
  }

  /** Show the same span around a place of the overview. @param {number} x */
  centre(x) {
    const middle_s = (x / this.canvas.clientWidth) * this.duration_s;
    const half_s = (this.to_s - this.from_s) / 2;
    this.show(middle_s - half_s, middle_s + half_s);
  }

  /** @param {MouseEvent} event */
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {number} x */
  secondsAt(x) {
    return this.from_s + (x / this.canvas.clientWidth) * (this.to_s - this.from_s);
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const context = this.canvas.getContext("2d");
    if (!context || !width || !this.colours) return;
    const lanes = height - OVERVIEW_HEIGHT - AXIS_HEIGHT;
    context.fillStyle = this.colours.paper;
    context.fillRect(0, 0, width, height);
    this.drawGrid(context, width, lanes);
    const tiles = this.pyramid.shown(this.from_s, this.to_s, width);
    const breathes = tiles.some((tile) => tile.respiration_mv);
    const share = breathes ? 0.74 : 1;
    const ecg = { from: 0, height: lanes * share };
    const span = { from_s: this.from_s, to_s: this.to_s };
    const x = this.scale(span, width);
    drawTrace(context, tiles, "ecg_mv", ecg, x, span, this.colours.trace);
    if (breathes) {
      const lane = { from: lanes * share, height: lanes * (1 - share) };
      drawTrace(context, tiles, "respiration_mv", lane, x, span, this.colours["trace-second"]);
    }
    this.drawMarks(context, width, lanes);
    this.drawOverview(context, width, height);
  }

  /**
   * @param {{from_s: number, to_s: number}} span
   * @param {number} width
   */
  scale({ from_s, to_s }, width) {
    return (/** @type {number} */ at_s) => ((at_s - from_s) / (to_s - from_s)) * width;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  drawGrid(context, width, height) {
    const span_s = this.to_s - this.from_s;
    const least = Math.max(1, width / 110);
    const major_s = TICKS_S.find((tick) => span_s / tick <= least) ?? 43200;
    const minor_s = major_s / 5;
    context.lineWidth = 1;
    for (const [step_s, colour] of /** @type {[number, string][]} */ ([
      [minor_s, this.colours?.["paper-minor"]],
      [major_s, this.colours?.["paper-major"]],
    ])) {
      context.strokeStyle = colour;
      context.beginPath();
      for (let n = Math.ceil(this.from_s / step_s); n * step_s <= this.to_s; n++) {
        const x = Math.round(((n * step_s - this.from_s) / span_s) * width) + 0.5;
        context.moveTo(x, 0);
        context.lineTo(x, height);
      }
      context.stroke();
    }
    context.fillStyle = this.colours?.soft ?? "";
    context.font = "12px system-ui, sans-serif";
    for (let n = Math.ceil(this.from_s / major_s); n * major_s <= this.to_s; n++) {
      const x = ((n * major_s - this.from_s) / span_s) * width;
      const text = this.timeOf(n * major_s) + (major_s < 1 ? fraction(n * major_s) : "");
      if (x + context.measureText(text).width < width) context.fillText(text, x + 3, height + 15);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  drawMarks(context, width, height) {
    const x = this.scale(this, width);
    const seen = this.marks.filter(
      ({ at_s, duration_s }) => at_s + (duration_s ?? 0) >= this.from_s && at_s <= this.to_s,
    );
    if (seen.length > MOST_MARKS) return;
    context.font = "12px system-ui, sans-serif";
    let free = -Infinity;
    for (const { at_s, text, duration_s } of seen) {
      const at = x(at_s);
      context.fillStyle = this.colours?.violet ?? "";
      context.globalAlpha = 0.13;
      if (duration_s) context.fillRect(at, 0, Math.max(1, x(at_s + duration_s) - at), height);
      context.globalAlpha = 1;
      context.fillRect(at, 0, 1.5, height);
      const wide = context.measureText(text).width;
      const left = Math.min(Math.max(at, 0) + 4, width - wide - 4);
      if (left < free) continue;
      context.fillText(text, left, 14);
      free = left + wide + 10;
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  drawOverview(context, width, height) {
    const lane = { from: height - OVERVIEW_HEIGHT, height: OVERVIEW_HEIGHT };
    const whole = { from_s: 0, to_s: this.duration_s };
    const x = this.scale(whole, width);
    context.fillStyle = this.colours?.surface ?? "";
    context.fillRect(0, lane.from, width, lane.height);
    context.fillStyle = this.colours?.["accent-wash"] ?? "";
    const wide = Math.max(3, x(this.to_s) - x(this.from_s));
    context.fillRect(x(this.from_s), lane.from, wide, lane.height);
    const tiles = this.pyramid.shown(0, this.duration_s, width);
    drawTrace(context, tiles, "ecg_mv", lane, x, whole, this.colours?.soft ?? "");
    context.fillStyle = this.colours?.violet ?? "";
    if (this.marks.length <= MOST_MARKS) {
      for (const { at_s } of this.marks) context.fillRect(x(at_s), lane.from, 1.5, 8);
    }
    context.strokeStyle = this.colours?.accent ?? "";
    context.lineWidth = 2;
    context.strokeRect(x(this.from_s) + 1, lane.from + 1, wide - 2, lane.height - 2);
  }
}

/** @param {number} at_s */
function fraction(at_s) {
  return (at_s % 1).toFixed(1).slice(1);
}

/**
 * Draw the extremes of tiles as one trace, its range fitted to what is seen.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Samples[]} tiles
 * @param {"ecg_mv" | "respiration_mv"} signal
 * @param {Lane} lane
 * @param {(at_s: number) => number} x
 * @param {{from_s: number, to_s: number}} span
 * @param {string} colour
 */
function drawTrace(context, tiles, signal, lane, x, span, colour) {
  const [least, most] = rangeOf(tiles, signal, span);
  if (least > most) return;
  const middle = (least + most) / 2;
  const range = 1.12 * Math.max(most - least, signal === "ecg_mv" ? LEAST_RANGE_MV : 1e-6);
  const y = (/** @type {number} */ mv) =>
    lane.from + lane.height / 2 - ((mv - middle) / range) * lane.height;
  context.save();
  context.beginPath();
  context.rect(0, lane.from, context.canvas.width, lane.height);
  context.clip();
  context.strokeStyle = colour;
  context.lineWidth = 1.25;
  context.lineJoin = "round";
  context.beginPath();
  let isDown = false;
  let end_s = NaN;
  for (const tile of tiles) {
    const extremes = tile[signal];
    if (!extremes) continue;
    isDown &&= Math.abs(tile.from_s - end_s) < tile.step_s / 2;
    end_s = tile.to_s;
    eachSeen(tile, extremes, span, (at_s, low, high) => {
      if (low === null || high === null) {
        isDown = false;
        return;
      }
      const at = x(at_s);
      if (isDown) context.lineTo(at, y(high));
      else context.moveTo(at, y(high));
      if (low !== high) context.lineTo(at, y(low));
      isDown = true;
    });
  }
  context.stroke();
  context.restore();
  if (signal === "ecg_mv" && lane.height > 2 * OVERVIEW_HEIGHT)
    drawScale(context, lane, range, colour);
}

/**
 * Draw a bar at the left that tells how much a millivolt is.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Lane} lane
 * @param {number} range_mv
 * @param {string} colour
 */
function drawScale(context, lane, range_mv, colour) {
  const bar_mv = BARS_MV.find((each) => each <= range_mv / 3) ?? 0.1;
  const high = (bar_mv / range_mv) * lane.height;
  const bottom = lane.from + lane.height - 8;
  context.fillStyle = colour;
  context.fillRect(8, bottom - high, 3, high);
  context.fillText(`${bar_mv} mV`, 16, bottom);
}

/**
 * @param {Samples[]} tiles
 * @param {"ecg_mv" | "respiration_mv"} signal
 * @param {{from_s: number, to_s: number}} span
 * @returns {[least: number, most: number]}
 */
export function rangeOf(tiles, signal, span) {
  let [least, most] = [Infinity, -Infinity];
  for (const tile of tiles) {
    const extremes = tile[signal];
    if (!extremes) continue;
    eachSeen(tile, extremes, span, (_, low, high) => {
      if (low !== null && low < least) least = low;
      if (high !== null && high > most) most = high;
    });
  }
  return [least, most];
}

/**
 * @param {Samples} tile
 * @param {Extremes} extremes
 * @param {{from_s: number, to_s: number}} span
 * @param {(at_s: number, low: number | null, high: number | null) => void} take
 */
function eachSeen(tile, { min, max }, { from_s, to_s }, take) {
  const { step_s } = tile;
  const first = Math.max(0, Math.floor((from_s - tile.from_s) / step_s) - 1);
  const last = Math.min(min.length - 1, Math.ceil((to_s - tile.from_s) / step_s) + 1);
  for (let index = first; index <= last; index++) {
    take(tile.from_s + index * step_s, min[index], max[index]);
  }
}
