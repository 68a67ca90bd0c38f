/** How the kinds of beats are marked: each by its letter and shape too, never by colour alone. */

/** Half of the widest mark. */
export const MARK_PX = 10;
const TOP_PX = 11;
/** Kinds that are marked, with their colour. */
export const KIND_COLOURS = /** @type {const} */ ({ S: "info", V: "bad", F: "violet", Q: "soft" });

/** @typedef {Record<"paper" | "soft" | "bad" | "info" | "violet", string>} MarkInk */

/**
 * Mark a beat at the top of the paper: a tick for a usual one, a letter in its shape for another.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {string | null} kind null while it is not known.
 * @param {number} x
 * @param {MarkInk} ink
 */
export function drawMark(context, kind, x, ink) {
  if (kind === null || !(kind in KIND_COLOURS)) {
    context.fillStyle = ink.soft;
    context.beginPath();
    context.moveTo(x - 3.5, 3);
    context.lineTo(x + 3.5, 3);
    context.lineTo(x, 9);
    context.fill();
    return;
  }
  const known = /** @type {keyof typeof KIND_COLOURS} */ (kind);
  context.fillStyle = ink[KIND_COLOURS[known]];
  context.beginPath();
  traceShape(context, known, x, TOP_PX, 8);
  context.fill();
  context.fillStyle = ink.paper;
  context.font = "700 10px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(kind, x, TOP_PX + 0.5);
}

/**
 * Add the shape of a kind to the path: V a diamond, S a disc, the others a square.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {string} kind
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
export function traceShape(context, kind, x, y, radius) {
  if (kind === "V") {
    context.moveTo(x, y - 1.25 * radius);
    context.lineTo(x + 1.25 * radius, y);
    context.lineTo(x, y + 1.25 * radius);
    context.lineTo(x - 1.25 * radius, y);
    context.closePath();
  } else if (kind === "S") {
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
  } else {
    context.rect(x - 0.85 * radius, y - 0.85 * radius, 1.7 * radius, 1.7 * radius);
  }
}
