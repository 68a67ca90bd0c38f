/** Doctor: what is fine on the device, and what to do about the rest; looked for when it is asked to. */

import { get } from "./api.js";
import { element, icon } from "./dom.js";
import { clockTime, isEnglish, number, t, word } from "./i18n.js";
import { button, callout, cardWith, inEnglish, tried } from "./parts.js";

/** Of each verdict its badge, and its symbol. */
const VERDICTS = /** @type {const} */ ({
  fine: ["badge-good", "check"],
  note: ["badge-caution", "info"],
  wrong: ["badge-bad", "warning"],
  skipped: ["", "info"],
});

/**
 * @typedef {{verdict: keyof typeof VERDICTS, about: string, says: string}} Finding
 * @typedef {{at_utc: string, simulated: boolean, findings: Finding[]}} Checkup
 */

/**
 * A card that looks on demand, since it takes the device a quarter of a minute.
 *
 * @param {AbortSignal} signal
 */
export function doctorCard(signal) {
  const body = element(
    "div",
    { class: "stack" },
    element("p", { class: "soft" }, t("doctor.what")),
  );
  const look = button(
    t("doctor.look"),
    async () => {
      const place = element("div", {}, element("p", { class: "soft" }, t("doctor.looking")));
      body.replaceChildren(place);
      body.setAttribute("aria-busy", "true");
      const failure = element("div", {});
      const told = await tried(failure, () => get("/doctor", signal));
      body.setAttribute("aria-busy", "false");
      body.replaceChildren(told ? shown(told) : failure);
    },
    { kind: "button-small" },
  );
  return cardWith(t("doctor.title"), look, body);
}

/** @param {Checkup} told */
function shown({ at_utc, simulated, findings }) {
  const count = (/** @type {string} */ verdict) =>
    number(findings.filter((each) => each.verdict === verdict).length);
  const summary = t("doctor.summary", {
    time: clockTime(new Date(at_utc)),
    wrong: count("wrong"),
    note: count("note"),
    fine: count("fine"),
  });
  return element(
    "div",
    { class: "stack" },
    element("p", {}, summary),
    simulated && callout("info", t("doctor.simulated")),
    element("ul", { class: "findings" }, ...findings.map(shownFinding)),
    element("p", { class: "soft small" }, t("doctor.rest")),
  );
}

/** @param {Finding} finding */
function shownFinding({ verdict, about, says }) {
  const [kind, symbol] = VERDICTS[verdict];
  return element(
    "li",
    {},
    element("span", { class: `badge ${kind}` }, icon(symbol), word("verdict", verdict)),
    element("strong", {}, word("check", about)),
    isEnglish() ? element("p", {}, says) : inEnglish(says),
  );
}
