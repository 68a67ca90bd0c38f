/** The live view: who it is, the heart rate and the trace at a glance, and all else below. */

import { element } from "../dom.js";
import { t } from "../i18n.js";
import { advice, enrolmentProgress } from "../monitor/advice.js";
import { announceChanges } from "../monitor/announce.js";
import { beatStack, tachogram } from "../monitor/charts.js";
import { ecgCard } from "../monitor/ecg_card.js";
import { rhythmCard, variability } from "../monitor/figures.js";
import { hero } from "../monitor/hero.js";
import { identityRibbon } from "../monitor/ribbon.js";

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function mount(root, signal) {
  root.append(
    element("h1", { class: "visually-hidden" }, t("nav.live")),
    hero(signal),
    advice(signal),
    enrolmentProgress(signal),
    ecgCard(signal),
    identityRibbon(signal),
    element(
      "div",
      { class: "monitor-grid" },
      beatStack(signal),
      tachogram(signal),
      rhythmCard(signal),
      variability(signal),
    ),
  );
  announceChanges(signal);
}
