/** A caliper on the frozen paper: two edges that mouse, finger and arrow keys move. */

import { element, write } from "../dom.js";
import { number, t } from "../i18n.js";
import { RATE_HZ, scene } from "../scene.js";

const FINE = 1; // samples a key press moves an edge
const COARSE = 10; // with the shift key
const RATES_S = [0.25, 3]; // intervals that could be between two beats

export class Caliper {
  /**
   * @param {HTMLElement} stage that the paper fills.
   * @param {import("./sweep.js").Sweep} sweep
   * @param {AbortSignal} signal ends it.
   */
  constructor(stage, sweep, signal) {
    this.sweep = sweep;
    this.indices = [0, 0];
    this.band = element("div", { class: "caliper-band" });
    this.edges = [0, 1].map((which) => this.edge(which));
    this.readout = element("output", { class: "caliper-readout" });
    this.part = element("div", { class: "caliper", hidden: true }, this.band, ...this.edges);
    stage.append(this.part);
    stage.addEventListener("pointerdown", (event) => this.grasp(event, stage), { signal });
  }

  get isShown() {
    return !this.part.hidden;
  }

  /** Show it on the last two beats that can be seen. */
  show() {
    const { frozenEnd, span } = this.sweep;
    const end = frozenEnd ?? 0;
    const seen = scene.beats.filter(({ index }) => index > end - span && index < end);
    const [from, to] = seen.slice(-2).map(({ index }) => index);
    this.indices =
      to === undefined ? [end - span * 0.6, end - span * 0.4].map(Math.round) : [from, to];
    this.part.hidden = this.readout.hidden = false;
    this.draw();
  }

  hide() {
    this.part.hidden = this.readout.hidden = true;
  }

  /** @param {number} which */
  edge(which) {
    const name = which === 0 ? t("caliper.first") : t("caliper.second");
    return element("div", {
      class: "caliper-edge",
      role: "slider",
      tabindex: 0,
      "aria-label": name,
      "aria-valuemin": 0,
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.press(event, which),
    });
  }

  /** @param {KeyboardEvent} event @param {number} which */
  press(event, which) {
    const step = event.shiftKey ? COARSE : FINE;
    const moves = { ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step };
    const move = moves[/** @type {keyof typeof moves} */ (event.key)];
    if (move === undefined) return;
    event.preventDefault();
    this.place(which, this.indices[which] + move);
  }

  /**
   * Take the nearer edge, or begin a new interval where neither is near.
   *
   * @param {PointerEvent} event
   * @param {HTMLElement} stage
   */
  grasp(event, stage) {
    if (!this.isShown || event.button !== 0) return;
    event.preventDefault();
    const at = this.indexAt(event, stage);
    const [near, far] = this.indices.map(
      (index) => Math.abs(index - at) * this.sweep.px_per_sample,
    );
    let which = near <= far ? 0 : 1;
    if (Math.min(near, far) > 22) {
      which = 1;
      this.indices = [at, at];
    }
    const move = (/** @type {PointerEvent} */ moved) =>
      this.place(which, this.indexAt(moved, stage));
    stage.setPointerCapture(event.pointerId);
    stage.addEventListener("pointermove", move);
    stage.addEventListener(
      "lostpointercapture",
      () => stage.removeEventListener("pointermove", move),
      {
        once: true,
      },
    );
    this.edges[which].focus({ preventScroll: true });
    this.draw();
  }

  /** @param {PointerEvent} event @param {HTMLElement} stage */
  indexAt(event, stage) {
    const x = event.clientX - stage.getBoundingClientRect().left;
    return Math.round((this.sweep.frozenEnd ?? 0) - this.sweep.span + x / this.sweep.px_per_sample);
  }

  /** @param {number} which @param {number} index */
  place(which, index) {
    const end = this.sweep.frozenEnd ?? 0;
    this.indices[which] = Math.min(end, Math.max(Math.ceil(end - this.sweep.span), index));
    this.draw();
  }

  draw() {
    const { sweep, indices } = this;
    const [left, right] = indices.map((index) => sweep.x(index)).sort((one, other) => one - other);
    this.band.style.left = `${left}px`;
    this.band.style.width = `${right - left}px`;
    const start = (sweep.frozenEnd ?? 0) - sweep.span;
    this.edges.forEach((edge, which) => {
      const s = (indices[which] - start) / RATE_HZ;
      edge.style.left = `${sweep.x(indices[which])}px`;
      edge.setAttribute("aria-valuemax", String(Math.round((1000 * sweep.span) / RATE_HZ)));
      edge.setAttribute("aria-valuenow", String(Math.round(1000 * s)));
      edge.setAttribute("aria-valuetext", `${number(s, 3)} s. ${this.words()}`);
    });
    write(this.readout, this.words());
  }

  /** The interval, the rate that it would be between two beats, and the difference in height. */
  words() {
    const [from, to] = this.indices;
    const s = Math.abs(to - from) / RATE_HZ;
    const parts = [`${number(1000 * s)} ms`];
    if (s >= RATES_S[0] && s <= RATES_S[1]) parts.push(`${number(60 / s)} /min`);
    const mv = this.sweep.ring.at(to) - this.sweep.ring.at(from);
    if (!Number.isNaN(mv)) parts.push(`Δ ${number(mv, 2)} mV`);
    return parts.join(" · ");
  }
}
