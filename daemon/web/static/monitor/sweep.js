/**
 * A trace as a monitor draws it: a head runs over the paper from left to right and writes over what
 * was there. Only the columns that the head passed are drawn, so that a frame costs next to nothing.
 */

import { colours, followSize } from "../dom.js";
import { paperSheet } from "../paper.js";
import { RATE_HZ } from "../scene.js";
import { drawMark, MARK_PX } from "./marks.js";

/** How far behind the newest sample the head runs, since samples come ten times a second. */
const LAG_S = 0.13;
const JUMP_S = 1.5; // further behind, it jumps
const GAP_PX = 14;
const LEAST_PX = 1; // that a frame is drawn for
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const CALM_STEP_S = 1; // between pictures where motion is not wanted

const INKS = /** @type {const} */ ([
  "paper",
  "trace",
  "trace-second",
  "soft",
  "bad",
  "info",
  "violet",
  "caution",
]);

/**
 * @typedef {object} Look
 * @property {number} mm_per_s
 * @property {number} mm_per_mv
 * @property {number} height_mm of the paper.
 * @property {number} zero where 0 mV is, as a part of the height.
 * @property {"trace" | "trace-second"} colour
 */

export class Sweep {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} dot moves with the head.
   * @param {import("../scene.js").Ring} ring
   * @param {Look} look
   * @param {() => import("../scene.js").Beat[]} beats whose R peaks are marked.
   * @param {AbortSignal} signal ends it.
   */
  constructor(canvas, dot, ring, look, beats, signal) {
    this.canvas = canvas;
    this.dot = dot;
    this.ring = ring;
    this.look = look;
    this.beats = beats;
    this.context = /** @type {CanvasRenderingContext2D} */ (
      canvas.getContext("2d", { alpha: false })
    );
    this.ink = colours(...INKS);
    /** The canvas's size, kept: to ask for it in each frame would lay the page out in each. */
    this.width = this.height = 0;
    this.px_per_mm = this.px_per_sample = this.span = 1;
    this.sheet = document.createElement("canvas");
    /** Indices that the head is at, and was at when it was drawn last. */
    this.head = this.drawnTo = NaN;
    this.pictured_ms = 0;
    /** Index after the last sample of a frozen picture; null while it runs. */
    this.frozenEnd = /** @type {number | null} */ (null);
    followSize(canvas, () => this.restyle(), signal);
    document.addEventListener("theme", () => this.restyle(), { signal });
  }

  /** @param {Partial<Look>} look */
  change(look) {
    Object.assign(this.look, look);
    this.restyle();
  }

  /** Stand still, with time running from left to right. @param {number} end */
  freeze(end) {
    this.frozenEnd = end;
    this.drawAll();
  }

  run() {
    this.frozenEnd = null;
    this.drawAll();
  }

  /** Where a sample is, in CSS pixels. @param {number} index */
  x(index) {
    if (this.frozenEnd !== null) return (index - this.frozenEnd + this.span) * this.px_per_sample;
    return (((index % this.span) + this.span) % this.span) * this.px_per_sample;
  }

  /** @param {number} mv */
  y(mv) {
    return this.height * this.look.zero - mv * this.look.mm_per_mv * this.px_per_mm;
  }

  /** Draw what came since the last frame. @param {number} now_ms @param {number} passed_s */
  frame(now_ms, passed_s) {
    if (this.frozenEnd !== null || this.width === 0) return;
    const calm = CALM.matches;
    if (calm && now_ms - this.pictured_ms < CALM_STEP_S * 1000) return;
    this.pictured_ms = now_ms;
    this.head = calm ? this.ring.end - 1 : this.nextHead(passed_s);
    const columns = (this.head - this.drawnTo) * this.px_per_sample;
    if (Number.isNaN(this.head) || (columns >= 0 && columns < LEAST_PX)) return;
    if (columns > 0 && columns < this.width) this.draw(this.drawnTo, this.head);
    else this.drawAll();
    this.drawnTo = this.head;
    this.moveDot();
  }

  /** @param {number} passed_s */
  nextHead(passed_s) {
    const end = this.ring.end;
    if (end === 0) return NaN;
    const wanted = end - LAG_S * RATE_HZ;
    const behind_s = (wanted - this.head) / RATE_HZ;
    if (!(Math.abs(behind_s) < JUMP_S)) return wanted;
    const haste = 1 + Math.min(0.4, Math.max(-0.4, 2 * behind_s));
    return Math.max(this.head, Math.min(end - 1, this.head + passed_s * RATE_HZ * haste));
  }

  /** Draw the mark of a beat that was told late, where it is still to be seen. @param {number} index */
  drawBeat(index) {
    const around = MARK_PX / this.px_per_sample;
    if (this.frozenEnd !== null) this.drawAll();
    else if (index > this.head - this.span + around + GAP_PX / this.px_per_sample) {
      this.draw(index - around, Math.min(index + around, this.head));
    }
  }

  /** Take up a new size, look or theme. */
  restyle() {
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    if (this.width === 0) return;
    this.px_per_mm = this.height / this.look.height_mm;
    this.px_per_sample = (this.look.mm_per_s * this.px_per_mm) / RATE_HZ;
    /** How many samples the paper is wide. */
    this.span = this.width / this.px_per_sample;
    this.ink = colours(...INKS);
    this.sheet = paperSheet(this.width, this.height, this.px_per_mm);
    this.drawAll();
  }

  drawAll() {
    this.context.drawImage(this.sheet, 0, 0, this.width, this.height);
    if (this.frozenEnd !== null) this.drawPart(this.frozenEnd - this.span, this.frozenEnd, 0);
    else if (!Number.isNaN(this.head)) {
      this.draw(this.head - this.span + GAP_PX / this.px_per_sample, this.head);
    }
  }

  /** Draw a stretch that may run over the right edge. @param {number} from @param {number} to */
  draw(from, to) {
    while (from < to) {
      const lap = (Math.floor(from / this.span + 1e-9) + 1) * this.span;
      const end = Math.min(to, lap);
      this.drawPart(from, end, end === this.head ? GAP_PX : 0);
      if (end === this.head) this.erase(0, GAP_PX - (this.width - this.x(end)));
      from = end;
    }
  }

  /** Wipe columns to the bare paper. @param {number} x @param {number} width */
  erase(x, width) {
    if (width <= 0) return;
    const ratio = this.sheet.width / this.width;
    const left = Math.floor(x * ratio);
    const columns = Math.min(Math.ceil((x + width) * ratio), this.sheet.width) - left;
    const { height } = this.sheet;
    if (columns <= 0) return;
    const place = /** @type {const} */ ([left / ratio, 0, columns / ratio, height / ratio]);
    this.context.drawImage(this.sheet, left, 0, columns, height, ...place);
  }

  /**
   * Draw the columns of a stretch within one lap, and wipe some pixels after it.
   *
   * @param {number} from
   * @param {number} to
   * @param {number} wiped_px
   */
  drawPart(from, to, wiped_px) {
    const { context } = this;
    const ratio = this.sheet.width / this.width;
    const left = this.x(from);
    const right = left + (to - from) * this.px_per_sample;
    this.erase(left, right - left + wiped_px);
    const clipLeft = Math.floor(left * ratio) / ratio;
    context.save();
    context.beginPath();
    context.rect(clipLeft, 0, Math.ceil(right * ratio) / ratio - clipLeft, this.height);
    context.clip();
    this.drawTrace(from, to, left);
    this.drawMarks(from, to, left);
    context.restore();
  }

  /** @param {number} from @param {number} to @param {number} left */
  drawTrace(from, to, left) {
    const { context, px_per_sample } = this;
    context.strokeStyle = this.ink[this.look.colour];
    context.lineWidth = Math.max(1.5, Math.min(2.4, this.px_per_mm / 3.2));
    context.lineJoin = context.lineCap = "round";
    context.beginPath();
    let isDown = false;
    for (let index = Math.floor(from) - 2; index <= to + 1; index++) {
      const mv = this.ring.at(index);
      if (Number.isNaN(mv)) isDown = false;
      else {
        const x = left + (index - from) * px_per_sample;
        if (isDown) context.lineTo(x, this.y(mv));
        else context.moveTo(x, this.y(mv));
        isDown = true;
      }
    }
    context.stroke();
  }

  /** @param {number} from @param {number} to @param {number} left */
  drawMarks(from, to, left) {
    const around = MARK_PX / this.px_per_sample;
    const beats = this.beats();
    for (let i = beats.length - 1; i >= 0 && beats[i].index > from - around; i--) {
      if (beats[i].index > to + around) continue;
      const x = left + (beats[i].index - from) * this.px_per_sample;
      drawMark(this.context, beats[i].kind, x, this.ink);
    }
  }

  moveDot() {
    const mv = this.ring.at(Math.floor(this.head));
    this.dot.hidden = Number.isNaN(mv);
    if (!this.dot.hidden) {
      const at = `${this.x(this.head).toFixed(1)}px, ${this.y(mv).toFixed(1)}px`;
      this.dot.style.transform = `translate(${at})`;
    }
  }
}
