/** The viewer of a recording: a canvas that pans and zooms, by pointer, wheel, fingers and keyboard. */

import { colours, element, followSize } from "./dom.js";
import { INKS, Overview, Picture } from "./recording_picture.js";

const SHORTEST_S = 0.5;
const STEP_SHARE = 0.2; // of what is seen, that an arrow key moves
const ZOOM_STEP = 1.6;
const OVERVIEW_HEIGHT = 44;
const AXIS_HEIGHT = 22;

/** @typedef {import("./recording_picture.js").Mark} Mark */

export class Viewer {
  /**
   * @param {import("./pyramid.js").Pyramid} pyramid
   * @param {object} told
   * @param {number} told.duration_s
   * @param {Mark[]} told.marks
   * @param {string} told.label
   * @param {(at_s: number) => string} told.timeOf what stands at the axis.
   * @param {() => void} told.moved called when something else is seen.
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
    this.context = /** @type {CanvasRenderingContext2D} */ (
      this.canvas.getContext("2d", { alpha: false })
    );
    this.overview = new Overview();
    this.ink = colours(...INKS);
    document.addEventListener("theme", () => this.restyle(), { signal });
    followSize(this.canvas, () => this.draw(), signal);
  }

  restyle() {
    this.ink = colours(...INKS);
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
    this.moved();
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
    if (!width) return;
    const lanes = height - OVERVIEW_HEIGHT - AXIS_HEIGHT;
    const picture = new Picture(this.context, this.ink, this, width);
    this.context.fillStyle = this.ink.paper;
    this.context.fillRect(0, 0, width, height);
    picture.drawGrid(lanes, this.timeOf);
    picture.drawTraces(this.pyramid.shown(this.from_s, this.to_s, width), lanes);
    picture.drawMarks(this.marks, lanes);
    this.drawOverview(width, height - OVERVIEW_HEIGHT);
  }

  /**
   * @param {number} width
   * @param {number} top
   */
  drawOverview(width, top) {
    const { context, ink } = this;
    const tiles = this.pyramid.shown(0, this.duration_s, width);
    const whole = { from_s: 0, to_s: this.duration_s };
    const size = { width, height: OVERVIEW_HEIGHT };
    this.overview.update(context, ink, whole, tiles, this.marks, size);
    context.fillStyle = ink.surface;
    context.fillRect(0, top, width, OVERVIEW_HEIGHT);
    const left = (this.from_s / this.duration_s) * width;
    const wide = Math.max(3, ((this.to_s - this.from_s) / this.duration_s) * width);
    context.fillStyle = ink["accent-wash"];
    context.fillRect(left, top, wide, OVERVIEW_HEIGHT);
    context.drawImage(this.overview.sheet, 0, top, width, OVERVIEW_HEIGHT);
    context.strokeStyle = ink.accent;
    context.lineWidth = 2;
    context.strokeRect(left + 1, top + 1, wide - 2, OVERVIEW_HEIGHT - 2);
  }
}
