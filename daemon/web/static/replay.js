/** One recording: the viewer and its buttons, annotations, downloads, the report. */

import { get, remove } from "./api.js";
import { element } from "./dom.js";
import { clockTime, dateAndTime, duration, number, t } from "./i18n.js";
import { ask, button, callout, card, cardWith, failed, figures, notesOf, tried } from "./parts.js";
import { phrase } from "./phrases.js";
import { Pyramid } from "./pyramid.js";
import { rangeOf } from "./recording_picture.js";
import { Viewer } from "./viewer.js";

const FIRST_S = 10; // seen at first
const TOLD_AFTER_MS = 150; // of rest, it is said in words what is seen
const FORMATS = ["bdf", "edf", "wfdb", "csv"];
const REPORTS = ["html", "pdf", "json"];

/**
 * @param {HTMLElement} root
 * @param {string} id
 * @param {AbortSignal} signal
 */
export async function mountReplay(root, id, signal) {
  const failure = element("div", {});
  root.append(
    element("a", { class: "back", href: "#recordings" }, t("recordings.all")),
    element("h1", {}, t("recordings.one")),
    failure,
  );
  const told = await tried(failure, () => get(`/recordings/${encodeURIComponent(id)}`, signal));
  if (!told || signal.aborted) return;
  root
    .querySelector("h1")
    ?.replaceChildren(told.begin_utc ? dateAndTime(new Date(told.begin_utc)) : id);
  const views = told.duration_s ? [viewerCard(told, failure, signal)] : [];
  root.append(...views, element("div", { class: "cards" }, filesCard(told), aboutCard(told)));
}

/**
 * @param {any} told
 * @param {HTMLElement} failure
 * @param {AbortSignal} signal
 */
function viewerCard(told, failure, signal) {
  const seen = element("p", { class: "soft small", id: "seen" });
  const pyramid = new Pyramid(
    told.id,
    told.duration_s,
    () => {
      viewer.redraw();
      tellSoon();
    },
    (problem) => failure.replaceChildren(failed(problem)),
    signal,
  );
  const tell = () => {
    const { from_s, to_s } = viewer;
    const tiles = pyramid.shown(from_s, to_s, viewer.canvas.clientWidth || 1000);
    const [least, most] = rangeOf(tiles, "ecg_mv", viewer);
    seen.textContent = t("viewer.seen", {
      from: timeOf(told.begin_utc, from_s),
      to: timeOf(told.begin_utc, to_s),
      length: to_s - from_s < 60 ? `${number(to_s - from_s, 1)} s` : duration(to_s - from_s),
      least: least > most ? t("viewer.not_measured") : `${number(least, 2)} mV`,
      most: least > most ? t("viewer.not_measured") : `${number(most, 2)} mV`,
    });
  };
  let timer = 0;
  const tellSoon = () => {
    clearTimeout(timer); // words while it moves would cost frames, and nobody reads them
    timer = window.setTimeout(tell, TOLD_AFTER_MS);
  };
  const viewer = new Viewer(
    pyramid,
    {
      duration_s: told.duration_s,
      marks: told.annotations.map(inWords),
      label: t("viewer.label"),
      timeOf: (at_s) => timeOf(told.begin_utc, at_s),
      moved: tellSoon,
    },
    signal,
  );
  viewer.element.setAttribute("aria-describedby", "seen keys");
  viewer.show(0, FIRST_S);
  const tool = (
    /** @type {string} */ name,
    /** @type {string} */ face,
    /** @type {() => void} */ go,
  ) => button(face, go, { kind: "button-small", name: t(`viewer.${name}`) });
  return cardWith(
    t("viewer.title"),
    element(
      "div",
      { class: "row", role: "group", "aria-label": t("viewer.tools") },
      tool("left", "←", () => viewer.pan(-0.5)),
      tool("right", "→", () => viewer.pan(0.5)),
      tool("closer", "+", () => viewer.zoom(2)),
      tool("farther", "−", () => viewer.zoom(0.5)),
      tool("whole", t("viewer.whole_short"), () => viewer.show(0, told.duration_s)),
    ),
    viewer.element,
    seen,
    element("p", { class: "soft small", id: "keys" }, t("viewer.keys")),
    annotations(told, viewer),
  );
}

/**
 * @param {any} told
 * @param {Viewer} viewer
 */
function annotations(told, viewer) {
  const marks = /** @type {import("./recording_picture.js").Mark[]} */ (told.annotations).map(
    inWords,
  );
  if (!marks.length) return null;
  return element(
    "details",
    { class: "annotations", open: true },
    element("summary", {}, t("viewer.annotations", { count: marks.length })),
    element(
      "ul",
      { class: "marks" },
      ...marks.slice(0, 500).map(({ at_s, text, duration_s }) =>
        element(
          "li",
          {},
          button(`${timeOf(told.begin_utc, at_s)} ${text}`, () => viewer.show(at_s - 2, at_s + 8), {
            kind: "button-small",
          }),
          duration_s && duration_s >= 1
            ? element("span", { class: "soft small" }, ` ${duration(duration_s)}`)
            : null,
        ),
      ),
    ),
  );
}

/** @param {import("./recording_picture.js").Mark} mark */
function inWords(mark) {
  return { ...mark, text: phrase(mark.text) };
}

/** @param {any} told */
function filesCard(told) {
  const path = `/api/v1/recordings/${encodeURIComponent(told.id)}`;
  const link = (/** @type {string} */ kind, /** @type {string} */ format) =>
    element(
      "a",
      {
        class: "button button-small",
        href: `${path}/${kind}?format=${format}`,
        download: kind === "file" || format === "json",
        target: kind === "report" && format !== "json" ? "_blank" : null,
      },
      format.toUpperCase(),
    );
  const offered = told.encrypted
    ? [callout("info", t("files.encrypted")), element("div", { class: "row" }, asItIs(path))]
    : [
        element("h3", {}, t("files.download")),
        element("div", { class: "row" }, ...FORMATS.map((format) => link("file", format))),
        element("h3", {}, t("files.report")),
        element("div", { class: "row" }, ...REPORTS.map((format) => link("report", format))),
        element("p", { class: "soft small" }, t("files.report_takes")),
      ];
  return card(
    t("files.title"),
    element(
      "div",
      { class: "stack" },
      ...offered,
      button(t("files.delete"), () => askToDelete(told.id), {
        kind: "button-danger button-small",
        scope: "recordings",
      }),
    ),
  );
}

/** @param {string} path */
function asItIs(path) {
  const how = { class: "button button-small", href: `${path}/file`, download: true };
  return element("a", how, t("files.as_it_is"));
}

/** @param {string} id */
function askToDelete(id) {
  ask({
    title: t("files.delete"),
    text: t("files.delete_text"),
    label: t("shell.type_to_confirm", { text: id }),
    expected: id,
    action: t("files.delete"),
    danger: true,
    obey: async () => {
      await remove(`/recordings/${encodeURIComponent(id)}`, { confirm: id });
      location.hash = "recordings";
    },
  });
}

/** @param {any} told */
function aboutCard(told) {
  return cardWith(
    t("recordings.about"),
    element("span", { class: "row" }, ...badgesOf(told)),
    notesOf(told.notes),
    figures([
      [t("recordings.length"), told.duration_s === null ? null : duration(told.duration_s)],
      [t("recordings.size"), number(told.size_bytes / 1e6, 1), "MB"],
      [t("recordings.format"), told.format.toUpperCase()],
    ]),
    element(
      "dl",
      { class: "pairs" },
      pair(t("recordings.file"), told.id),
      pair(t("recordings.device"), told.device),
      pair(t("recordings.signals"), told.signals?.join(", ")),
    ),
  );
}

/** @param {any} recording as of the list. */
export function badgesOf(recording) {
  const kinds = /** @type {const} */ ([
    ["growing", "badge-bad"],
    ["encrypted", "badge-info"],
    ["damaged", "badge-caution"],
  ]);
  return kinds
    .filter(([kind]) => recording[kind])
    .map(([kind, tone]) => element("span", { class: `badge ${tone}` }, t(`recordings.is.${kind}`)));
}

/** @param {string | null} begin_utc @param {number} at_s */
export function timeOf(begin_utc, at_s) {
  return begin_utc === null
    ? duration(at_s)
    : clockTime(new Date(Date.parse(begin_utc) + 1000 * at_s));
}

/**
 * @param {string} name
 * @param {any} value
 */
export function pair(name, value) {
  if (value === null || value === undefined || value === "") return null;
  return element("div", {}, element("dt", {}, name), element("dd", { class: "mono" }, value));
}
