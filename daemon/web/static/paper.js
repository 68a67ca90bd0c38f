/** Millimetre paper, as ECGs are printed on: a fine line each millimetre, a stronger one each five. */

import { colours } from "./dom.js";

/**
 * Draw it on a sheet of its own, from which columns are copied to where a trace is drawn anew.
 *
 * @param {number} width in CSS pixels, as all that follows.
 * @param {number} height
 * @param {number} px_per_mm
 * @returns {HTMLCanvasElement} with device pixels.
 */
export function paperSheet(width, height, px_per_mm) {
  const ratio = window.devicePixelRatio || 1;
  const sheet = document.createElement("canvas");
  sheet.width = Math.max(1, Math.round(width * ratio));
  sheet.height = Math.max(1, Math.round(height * ratio));
  const context = /** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d"));
  const ink = colours("paper", "paper-minor", "paper-major");
  context.fillStyle = ink.paper;
  context.fillRect(0, 0, sheet.width, sheet.height);
  const step = px_per_mm * ratio;
  const thin = Math.max(1, Math.round(ratio * 0.75));
  for (const strong of [false, true]) {
    context.fillStyle = strong ? ink["paper-major"] : ink["paper-minor"];
    for (let mm = 0; mm * step < Math.max(sheet.width, sheet.height); mm++) {
      if ((mm % 5 === 0) !== strong) continue;
      const at = Math.round(mm * step);
      context.fillRect(at, 0, thin, sheet.height);
      context.fillRect(0, at, sheet.width, thin);
    }
  }
  return sheet;
}
