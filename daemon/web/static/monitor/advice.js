/** What to do now: for each thing that is not as it should be, a sentence that helps. */

import { element, icon } from "../dom.js";
import { said, t, word } from "../i18n.js";
import { live } from "../live.js";
import { scene } from "../scene.js";

/** Hints that are worth a callout, with how serious they are. */
const HINTS = {
  electrodes_swapped: "caution",
  lead_off_contradicted: "caution",
  unfamiliar_signal: "info",
  two_kinds_of_beats: "info",
  no_good_beats: "caution",
  heart_changed: "info",
  too_clean: "bad",
  repeated: "bad",
  too_regular: "bad",
};
const LATE_BEATS = 6; // that quality is judged by
const POOR = 0.5;

/**
 * @typedef {{tone: string, title: string, text: string}} Advice
 */

/** @param {AbortSignal} signal */
export function advice(signal) {
  const list = element("div", { class: "advice" });
  let drawn = "";
  let status = /** @type {import("../types.js").Status | null} */ (null);
  let identity = /** @type {import("../types.js").Identity | null} */ (null);
  const draw = () => {
    const all = [...ofStatus(status), ...ofIdentity(status, identity)];
    const key = JSON.stringify(all);
    if (key !== drawn) list.replaceChildren(...all.map(callout));
    drawn = key;
  };
  live.on(
    "status",
    (heard) => {
      status = heard;
      draw();
    },
    signal,
  );
  live.on(
    "identity",
    (heard) => {
      identity = heard;
      draw();
    },
    signal,
  );
  const forget = () => {
    status = identity = null;
    draw();
  };
  live.on("forget", forget, signal);
  return list;
}

/** @param {Advice} each */
function callout({ tone, title, text }) {
  const words = element("p", {}, element("strong", {}, title), " ", text);
  return element(
    "div",
    { class: `callout callout-${tone}` },
    icon(tone === "info" ? "info" : "warning"),
    words,
  );
}

/** @param {import("../types.js").Status | null} status @returns {Advice[]} */
function ofStatus(status) {
  if (!status) return [];
  const found = [];
  if (status.state !== "running") {
    found.push({
      tone: "caution",
      title: word("service", status.state),
      text: t("advice.service"),
    });
  }
  const failure = status.chip?.error;
  if (failure)
    found.push({
      tone: "bad",
      title: t("advice.chip"),
      text: said(failure.error, failure.message),
    });
  if (status.contact === "off") {
    found.push({ tone: "bad", title: t("advice.off"), text: t("advice.off_do") });
  } else if (status.contact === "unknown" && status.state === "running") {
    found.push({
      tone: "info",
      title: t("advice.contact_unknown"),
      text: t("advice.contact_unknown_do"),
    });
  }
  if (status.clock === "unset") {
    found.push({ tone: "info", title: t("advice.clock"), text: t("advice.clock_do") });
  }
  return found;
}

/**
 * @param {import("../types.js").Status | null} status
 * @param {import("../types.js").Identity | null} identity
 * @returns {Advice[]}
 */
function ofIdentity(status, identity) {
  const hint = /** @type {keyof typeof HINTS} */ (identity?.hint ?? "");
  if (hint in HINTS) {
    return [{ tone: HINTS[hint], title: t(`hint.${hint}`), text: t(`hint_do.${hint}`) }];
  }
  if (status?.contact === "off" || status?.enrolment) return [];
  const poor = qualityAdvice();
  return poor === null ? [] : [{ tone: "info", title: t("advice.poor"), text: poor }];
}

/** What makes the newest beats poor, and what helps; null if they are well. */
export function qualityAdvice() {
  const late = scene.beats.filter(({ quality }) => quality !== null).slice(-LATE_BEATS);
  const poor = late.filter(({ quality, flaws }) => flaws.length || (quality ?? 1) < POOR);
  if (late.length < LATE_BEATS || poor.length * 2 <= late.length) return null;
  const counts = new Map();
  for (const flaw of poor.flatMap(({ flaws }) => flaws))
    counts.set(flaw, (counts.get(flaw) ?? 0) + 1);
  const [worst] = [...counts].sort(([, one], [, other]) => other - one);
  return worst ? word("flaw_do", worst[0]) : t("flaw_do.noisy");
}

/** Progress of an enrolment under way, with what would help. @param {AbortSignal} signal */
export function enrolmentProgress(signal) {
  const title = element("h2", { id: "enrolment-title" });
  const bar = /** @type {HTMLProgressElement} */ (
    element("progress", { class: "progress", "aria-labelledby": "enrolment-title" })
  );
  const count = element("p", { class: "soft" });
  const help = element("p");
  const part = element(
    "section",
    { class: "card enrolment", hidden: true, "aria-labelledby": "enrolment-title" },
    title,
    bar,
    count,
    help,
  );
  const draw = (/** @type {import("../types.js").Status} */ { enrolment, contact }) => {
    part.hidden = !enrolment;
    if (!enrolment) return;
    title.textContent = t("enrolment.title", { person: enrolment.person });
    bar.max = enrolment.needed;
    bar.value = enrolment.beats;
    count.textContent = t("enrolment.count", { beats: enrolment.beats, needed: enrolment.needed });
    const off = contact === "off" ? t("advice.off_do") : null;
    help.textContent = off ?? qualityAdvice() ?? t("enrolment.still");
  };
  live.on("status", draw, signal);
  return part;
}
