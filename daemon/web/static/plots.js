/** Pictures of results, as SVG in the page's colours: a line, points, DET axes, a confusion matrix. */

import { element, svg } from "./dom.js";
import { number } from "./i18n.js";

const WIDTH = 560;
const HEIGHT = 260;
const LEFT = 52;
const BOTTOM = 34;
const TOP = 10;
const RIGHT = 20;

/**
 * @typedef {{from: number, to: number, ticks: number[], label: string, digits?: number,
 *   place?: (value: number) => number}} Axis `place` bends the axis.
 * @typedef {{x: (value: number) => number, y: (value: number) => number}} Scale
 */

/**
 * A picture with two axes.
 *
 * @param {string} told what it shows, for those who do not see it.
 * @param {Axis} across
 * @param {Axis} up
 * @param {(scale: Scale) => (SVGElement | null)[]} draw
 * @param {{height?: number, width?: number}} [size]
 */
export function plot(told, across, up, draw, { height = HEIGHT, width = WIDTH } = {}) {
  const x = placed(across, LEFT, width - RIGHT);
  const y = placed(up, height - BOTTOM, TOP);
  const middle = (height - BOTTOM + TOP) / 2;
  const drawn = svg(
    "svg",
    { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": told },
    ...across.ticks.flatMap((tick) => [
      svg("line", { class: "grid", x1: x(tick), x2: x(tick), y1: TOP, y2: height - BOTTOM }),
      words(number(tick, across.digits ?? 0), x(tick), height - BOTTOM + 15, "middle"),
    ]),
    ...up.ticks.flatMap((tick) => [
      svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
      words(number(tick, up.digits ?? 0), LEFT - 6, y(tick) + 4, "end"),
    ]),
    words(across.label, width - RIGHT, height - 4, "end"),
    svg(
      "text",
      { transform: `translate(12 ${middle}) rotate(-90)`, "text-anchor": "middle" },
      up.label,
    ),
    ...draw({ x, y }).filter((part) => part !== null),
  );
  drawn.style.maxWidth = `${width / 13}rem`; // so that its letters are as large as those around it
  return drawn;
}

/**
 * An axis that holds all values, with three to seven round ticks.
 *
 * @param {number[]} values
 * @param {string} label
 * @param {number} [digits]
 * @returns {Axis}
 */
export function axisFor(values, label, digits = 0) {
  const finite = values.filter(Number.isFinite);
  const low = finite.reduce((least, value) => Math.min(least, value), Infinity);
  const high = finite.reduce((most, value) => Math.max(most, value), -Infinity);
  const [least, most] = low < high ? [low, high] : [low - 1, low + 1];
  const rough = (most - least) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? rough;
  const from = Math.floor(least / step) * step;
  const count = Math.ceil((most - from) / step - 1e-9);
  const ticks = Array.from({ length: count + 1 }, (_, index) => from + index * step);
  return {
    from,
    to: from + count * step,
    ticks,
    label,
    digits: step < 1 ? Math.max(digits, 1) : digits,
  };
}

/**
 * @param {Scale} scale
 * @param {[number, number][]} points
 * @param {string} [kind] class of the line.
 */
export function line({ x, y }, points, kind = "") {
  const d = points
    .map(([across, up], index) => `${index ? "L" : "M"}${round(x(across))} ${round(y(up))}`)
    .join("");
  return svg("path", { class: `line ${kind}`, d });
}

/**
 * @param {Scale} scale
 * @param {[number, number][]} points
 * @param {string} [kind] class of the points.
 * @param {number} [radius]
 */
export function dots({ x, y }, points, kind = "", radius = 2.5) {
  return svg(
    "g",
    { class: `dots ${kind}` },
    ...points.map(([across, up]) =>
      svg("circle", { cx: round(x(across)), cy: round(y(up)), r: radius }),
    ),
  );
}

/**
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {"start" | "middle" | "end"} [anchor]
 * @param {string} [kind]
 */
export function words(text, x, y, anchor = "start", kind) {
  return svg("text", { x: round(x), y: round(y), "text-anchor": anchor, class: kind }, text);
}

/**
 * A table of counts whose cells are the darker, the larger their share of their row is.
 *
 * @param {string} caption
 * @param {string} corner what rows and columns are.
 * @param {string[]} names
 * @param {number[][]} counts a row for each true kind.
 */
export function confusion(caption, corner, names, counts) {
  return element(
    "div",
    { class: "table-frame", tabindex: "0", role: "region", "aria-label": caption },
    element(
      "table",
      { class: "table confusion" },
      element("caption", {}, caption),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          element("th", { scope: "col" }, corner),
          ...names.map((name) => element("th", { scope: "col", class: "numeric" }, name)),
        ),
      ),
      element("tbody", {}, ...counts.map((row, index) => confusionRow(names[index], row, index))),
    ),
  );
}

/**
 * @param {string} name
 * @param {number[]} row
 * @param {number} right the column of what is right.
 */
function confusionRow(name, row, right) {
  const all = row.reduce((sum, count) => sum + count, 0);
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, name),
    ...row.map((count, column) => {
      const cell = element(
        "td",
        { class: `numeric ${column === right ? "right" : "wrong"}` },
        number(count),
        all ? element("span", { class: "share" }, `${number((100 * count) / all, 1)} %`) : null,
      );
      cell.style.setProperty("--share", String(all ? count / all : 0));
      return cell;
    }),
  );
}

/**
 * Where a share stands on DET axes: at its quantile of the normal distribution.
 *
 * @param {number} percent above 0 and below 100.
 */
export function normalDeviate(percent) {
  let [low, high] = [-6, 6];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < percent / 100) low = middle;
    else high = middle;
  }
  return low;
}

/** The normal distribution function, by Zelen and Severo's polynomial (error below 1e-7). @param {number} z */
function normalShare(z) {
  const u = 1 / (1 + 0.2316419 * Math.abs(z));
  const polynomial =
    u *
    (0.31938153 + u * (-0.356563782 + u * (1.781477937 + u * (-1.821255978 + u * 1.330274429))));
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
  return z > 0 ? 1 - tail : tail;
}

/**
 * @param {Axis} axis
 * @param {number} first
 * @param {number} last
 */
function placed({ from, to, place = (value) => value }, first, last) {
  const [begin, end] = [place(from), place(to)];
  return (/** @type {number} */ value) =>
    first + ((place(value) - begin) / (end - begin)) * (last - first);
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
