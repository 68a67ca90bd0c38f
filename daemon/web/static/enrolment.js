/** The enrolment of whoever wears the electrodes now: consent, progress, and what helps it on. */

import { get, may, post, remove } from "./api.js";
import { element } from "./dom.js";
import { number, t, word } from "./i18n.js";
import { live } from "./live.js";
import { button, callout, cardWith, repeatedly, saying, tried } from "./parts.js";

const POOR = 0.5; // quality below which a hint is given

/** @typedef {{state: string, person?: string, beats?: number, needed?: number, error?: string, code?: string}} Enrolment */

/**
 * A card to enrol somebody with.
 *
 * @param {() => unknown} enrolled called when somebody was.
 * @param {AbortSignal} signal
 */
export function enrolment(enrolled, signal) {
  const failure = element("div", {});
  const body = element("div", {});
  const hint = element("div", { class: "hint" });
  /** @type {string} */
  let shown = "";

  /** @param {Enrolment} told */
  const show = (told) => {
    if (told.state === "gathering") {
      if (shown !== "gathering") body.replaceChildren(gathering(cancel));
      advance(body, told);
    } else if (shown !== told.state) {
      body.replaceChildren(...(shown === "gathering" ? ended(told) : []), form(start));
      if (told.state === "done" && shown === "gathering") enrolled();
    }
    shown = told.state;
  };
  /** @param {string} person */
  const start = (person) =>
    tried(failure, async () => show(await post("/enrolment", { person, consent: true })));
  const cancel = () =>
    tried(failure, async () => {
      await remove("/enrolment");
      body.replaceChildren();
      shown = "cancelled";
      show({ state: "none" });
    });

  live.on("status", (status) => hint.replaceChildren(advice(status)), signal);
  if (may("people:write")) {
    repeatedly(
      1,
      () => tried(element("div"), async () => show(await get("/enrolment", signal))),
      signal,
    );
  } else body.append(callout("info", t("shell.not_allowed", { scope: "people:write" })));
  return cardWith(t("enrol.title"), null, failure, body, hint);
}

/** @param {(person: string) => unknown} start */
function form(start) {
  const name = /** @type {HTMLInputElement} */ (
    element("input", { id: "enrol-name", required: true, maxlength: "64", autocomplete: "off" })
  );
  const consent = element("input", { id: "enrol-consent", type: "checkbox", required: true });
  return element(
    "form",
    {
      class: "stack",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        start(name.value.trim());
      },
    },
    element("p", { class: "soft" }, t("enrol.how")),
    element("label", { class: "field", for: "enrol-name" }, t("enrol.name"), name),
    element(
      "label",
      { class: "choice", for: "enrol-consent" },
      consent,
      element("span", {}, t("enrol.consent")),
    ),
    element("button", { class: "button button-primary" }, t("enrol.start")),
  );
}

/** @param {() => unknown} cancel */
function gathering(cancel) {
  return element(
    "div",
    { class: "stack" },
    element("p", { class: "enrol-whom" }),
    element("progress", { class: "progress", "aria-label": t("enrol.progress") }),
    element("p", { class: "soft enrol-count" }),
    button(t("enrol.cancel"), cancel),
  );
}

/**
 * @param {HTMLElement} body
 * @param {Enrolment} told
 */
function advance(body, { person = "", beats = 0, needed = 1 }) {
  const progress = /** @type {HTMLProgressElement} */ (body.querySelector("progress"));
  progress.max = needed;
  progress.value = beats;
  /** @type {[string, string][]} */
  const texts = [
    [".enrol-whom", t("enrol.gathering", { person })],
    [".enrol-count", t("enrol.count", { beats, needed })],
  ];
  for (const [place, text] of texts) {
    const node = body.querySelector(place);
    if (node && node.textContent !== text) node.textContent = text;
  }
}

/** @param {Enrolment} told */
function ended({ state, person = "", beats = 0, error = "", code = "" }) {
  if (state === "done") return [callout("good", t("enrol.done", { person, beats }))];
  if (state === "failed") return [saying("bad", code, error)];
  return [];
}

/** What helps, by what the electrodes say. @param {import("./types.js").Status} status */
function advice({ contact, quality, state }) {
  if (state !== "running") return callout("caution", word("service_state", state));
  if (contact === "off") return callout("caution", t("enrol.off"));
  if (quality === null) return callout("info", t("enrol.no_beats"));
  const values = { quality: number(100 * quality) };
  if (quality < POOR) return callout("caution", t("enrol.poor", values));
  return callout("good", t("enrol.fine", values));
}
