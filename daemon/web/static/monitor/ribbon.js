/** Who wore the electrodes in the last ten minutes, as a ribbon and in words. */

import { element } from "../dom.js";
import { clockTime, duration, t } from "../i18n.js";
import { live } from "../live.js";
import { scene } from "../scene.js";
import { wearerName } from "./hero.js";

const SHOWN_MS = 10 * 60 * 1000;
const SHADES = 4; // of people, beside their names

/** @param {AbortSignal} signal */
export function identityRibbon(signal) {
  const ribbon = element("ol", { class: "ribbon" });
  const began = Date.now();
  let drawn = 0;
  const draw = () => {
    const now = Date.now();
    const span = Math.min(SHOWN_MS, Math.max(60_000, now - (scene.wearers[0]?.from ?? began)));
    if (drawn !== scene.wearers.length) {
      drawn = scene.wearers.length;
      ribbon.replaceChildren(...scene.wearers.map(item));
    }
    place(ribbon, now, span);
    start.textContent = `−${duration(span / 1000)}`;
  };
  const start = element("span");
  live.on("identity", draw, signal);
  live.watch(draw, signal);
  return element(
    "section",
    { class: "card", "aria-labelledby": "ribbon-title" },
    element(
      "div",
      { class: "card-head" },
      element("h2", { id: "ribbon-title" }, t("ribbon.title")),
    ),
    ribbon,
    element(
      "div",
      { class: "ribbon-axis small soft", "aria-hidden": "true" },
      start,
      element("span", {}, t("ribbon.now")),
    ),
  );
}

/** @param {import("../scene.js").Wearer} wearer */
function item(wearer) {
  const { state, person, from } = wearer;
  const name = state === "silent" ? t("who.silent") : wearerName(/** @type {any} */ (wearer));
  const shade = person === null ? null : shadeOf(person);
  return element(
    "li",
    { "data-state": state, "data-shade": shade, title: `${name}, ${clockTime(new Date(from))}` },
    element("span", { class: "ribbon-name" }, name),
    element(
      "span",
      { class: "visually-hidden" },
      t("ribbon.from", { time: clockTime(new Date(from)) }),
    ),
  );
}

/**
 * Move each stretch to where it belongs by now.
 *
 * @param {HTMLElement} ribbon
 * @param {number} now
 * @param {number} span
 */
function place(ribbon, now, span) {
  scene.wearers.forEach(({ from }, at) => {
    const stretch = /** @type {HTMLElement} */ (ribbon.children[at]);
    const end = scene.wearers[at + 1]?.from ?? now;
    const left = Math.max(0, 1 - (now - from) / span);
    const right = Math.max(0, 1 - (now - end) / span);
    stretch.hidden = right <= 0;
    stretch.style.left = `${100 * left}%`;
    stretch.style.width = `${100 * Math.max(0, right - left)}%`;
  });
}

/** One of a few shades that a name always gets. @param {string} person */
function shadeOf(person) {
  let sum = 0;
  for (const letter of person) sum = (31 * sum + (letter.codePointAt(0) ?? 0)) % 9973;
  return sum % SHADES;
}
