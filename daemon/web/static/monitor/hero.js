/** The first glance: who it is, how sure that is, the heart rate, contact and signal. */

import { element, icon, iconPath, svg, write } from "../dom.js";
import { number, percent, t, word } from "../i18n.js";
import { live } from "../live.js";

const ICONS = {
  accepted: "person",
  unknown: "stranger",
  undecided: "listening",
  no_contact: "unplugged",
  suspect: "warning",
  silent: "unplugged",
};
const CONTACT_TONES = { on: "good", off: "bad", unknown: "caution" };
const RING = 2 * Math.PI * 44;
const QUALITY_BARS = 5;
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const BEAT = { transform: ["scale(1)", "scale(1.22)", "scale(1)"] };
const BEAT_MS = 420;

/** @param {AbortSignal} signal */
export function hero(signal) {
  const wearer = wearerPart();
  const vital = vitals();
  let identity = /** @type {import("../types.js").Identity | null} */ (null);
  const draw = () => wearer.draw(identity);
  const clear = () => {
    identity = null;
    draw();
    vital.clear();
  };
  clear();
  live.on(
    "identity",
    (heard) => {
      identity = heard;
      draw();
    },
    signal,
  );
  live.on("status", (status) => vital.drawStatus(status), signal);
  live.on("hrv", (hrv) => vital.drawBreath(hrv), signal);
  live.on("rhythm", (rhythm) => vital.drawRhythm(rhythm), signal);
  live.on("r_peak", () => vital.beat(), signal);
  live.on("forget", clear, signal);
  return element(
    "section",
    { class: "card hero", "aria-labelledby": "hero-title" },
    wearer.part,
    vital.part,
  );
}

function wearerPart() {
  const ring = svg("circle", {
    class: "ring-share",
    cx: 50,
    cy: 50,
    r: 44,
    "stroke-dasharray": `0 ${RING}`,
  });
  const symbol = svg("use", { href: iconPath("listening"), x: 28, y: 28, width: 44, height: 44 });
  const picture = svg(
    "svg",
    { class: "ring", viewBox: "0 0 100 100", "aria-hidden": "true" },
    svg("circle", { class: "ring-ground", cx: 50, cy: 50, r: 44 }),
    ring,
    symbol,
  );
  const name = element("p", { class: "hero-name" });
  const evidence = element("p", { class: "hero-evidence soft" });
  const part = element(
    "div",
    { class: "hero-who" },
    picture,
    element(
      "div",
      {},
      element("h2", { class: "hero-label", id: "hero-title" }, t("hero.who")),
      name,
      evidence,
    ),
  );
  /** @param {import("../types.js").Identity | null} identity null if nothing holds any more. */
  const draw = (identity) => {
    const state = identity?.state ?? "silent";
    const known = /** @type {keyof typeof ICONS} */ (state in ICONS ? state : "undecided");
    part.dataset.state = known;
    symbol.setAttribute("href", iconPath(ICONS[known]));
    write(name, wearerName(identity));
    write(evidence, certainty(identity));
    ring.setAttribute("stroke-dasharray", `${RING * (identity?.confidence ?? 0)} ${RING}`);
  };
  return { part, draw };
}

/**
 * Who it is, in a word or two. A state that this page does not know promises nothing.
 *
 * @param {import("../types.js").Identity | null} identity
 */
export function wearerName(identity) {
  if (identity === null) return t("who.silent");
  if (identity.state === "accepted" && identity.person !== null) return identity.person;
  return t(`who.${identity.state in ICONS ? identity.state : "undecided"}`);
}

/** @param {import("../types.js").Identity | null} identity */
function certainty(identity) {
  if (identity === null) return t("hero.silent");
  const beats =
    identity.beats === 1 ? t("hero.one_beat") : t("hero.beats", { beats: identity.beats });
  if (identity.confidence === null)
    return identity.state === "no_contact" ? t("hero.no_contact") : beats;
  return t("hero.sure", { confidence: percent(identity.confidence), beats });
}

function vitals() {
  const rate = element("span", { class: "rate-value" });
  const heart = icon("heart");
  heart.classList.add("rate-heart");
  const contact = element("span", { class: "badge" });
  const bars = Array.from({ length: QUALITY_BARS }, () => element("i"));
  const quality = element("span");
  const breath = element("dd");
  const rhythm = element("dd");
  const pair = (/** @type {string} */ name, /** @type {HTMLElement} */ value) =>
    element("div", {}, element("dt", {}, name), value);
  const bar = element("span", { class: "quality-bars", "aria-hidden": "true" }, ...bars);
  const part = element(
    "dl",
    { class: "hero-vitals" },
    element(
      "div",
      { class: "rate" },
      element("dt", {}, t("hero.rate")),
      element("dd", {}, heart, rate, element("span", { class: "unit" }, t("unit.per_min"))),
    ),
    pair(t("hero.contact"), element("dd", {}, contact)),
    pair(t("hero.quality"), element("dd", { class: "quality" }, bar, quality)),
    pair(t("hero.breath"), breath),
    pair(t("hero.rhythm"), rhythm),
  );
  const drawQuality = (/** @type {number | null} */ share) => {
    write(quality, percent(share));
    const lit = Math.ceil((share ?? 0) * QUALITY_BARS);
    bars.forEach((each, number_) => each.classList.toggle("is-lit", number_ < lit));
  };
  const drawContact = (/** @type {keyof typeof CONTACT_TONES} */ state) => {
    const known = state in CONTACT_TONES ? state : "unknown";
    contact.className = `badge badge-${CONTACT_TONES[known]}`;
    write(contact, t(`contact.${known}`));
  };
  return {
    part,
    /** @param {import("../types.js").Status} status */
    drawStatus(status) {
      write(rate, number(status.heart_rate_bpm));
      heart.classList.toggle("is-idle", status.heart_rate_bpm === null);
      drawQuality(status.quality);
      drawContact(status.contact);
    },
    /** @param {import("../types.js").Hrv} hrv */
    drawBreath({ respiration }) {
      const rate_per_min = number(respiration.rate_per_min);
      const isKnown = respiration.rate_per_min !== null;
      write(breath, isKnown ? t("hero.breath_rate", { rate: rate_per_min }) : rate_per_min);
    },
    /** @param {import("../types.js").Rhythm} message */
    drawRhythm(message) {
      write(rhythm, word("rhythm", message.rhythm));
    },
    beat() {
      if (!CALM.matches) heart.animate(BEAT, BEAT_MS);
    },
    clear() {
      for (const each of [rate, breath, rhythm]) write(each, number(null));
      heart.classList.add("is-idle");
      drawQuality(null);
      drawContact("unknown");
    },
  };
}
