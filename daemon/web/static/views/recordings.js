/** Recordings: the recorder, the list, and one of them in the viewer (`#recordings/ID`). */

import { get, may, post } from "../api.js";
import { element } from "../dom.js";
import { dateAndTime, duration, number, t, word } from "../i18n.js";
import {
  button,
  callout,
  cardWith,
  empty,
  notAllowed,
  repeatedly,
  table,
  tried,
} from "../parts.js";
import { badgesOf, mountReplay } from "../replay.js";

const REFRESH_S = 3;

/**
 * @typedef {{state: "off" | "waiting" | "recording", file: string | null, seconds: number | null}} Recorder
 * @typedef {{
 *   id: string, begin_utc: string | null, duration_s: number | null, size_bytes: number, format: string,
 *   encrypted: boolean, growing: boolean, damaged: boolean,
 * }} Recording
 */

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export async function mount(root, signal) {
  if (!may("recordings")) {
    root.append(element("h1", {}, t("nav.recordings")), notAllowed("recordings"));
    return;
  }
  /** @type {AbortController | null} */
  let inner = null;
  const choose = () => {
    const [view, id] = location.hash.slice(1).split("/");
    if (view !== "recordings") return;
    inner?.abort();
    inner = new AbortController();
    root.replaceChildren();
    const both = AbortSignal.any([signal, inner.signal]);
    if (id) mountReplay(root, decodeURIComponent(id), both);
    else mountList(root, both);
    scrollTo(0, 0);
  };
  addEventListener("hashchange", choose, { signal });
  choose();
}

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
function mountList(root, signal) {
  const failure = element("div", {});
  const recorder = recorderCard();
  const list = element("div", {});
  let shown = "";
  root.append(
    element("h1", {}, t("nav.recordings")),
    failure,
    recorder.card,
    cardWith(t("recordings.kept"), null, list),
  );
  repeatedly(
    REFRESH_S,
    () =>
      tried(failure, async () => {
        const told = await get("/recordings", signal);
        recorder.show(told.recorder);
        const now = JSON.stringify(told.recordings);
        if (now !== shown) list.replaceChildren(tableOf(told.recordings));
        shown = now;
      }),
    signal,
  );
}

function recorderCard() {
  const state = element("span", { class: "badge" });
  const text = element("p", { class: "soft" });
  const failure = element("div", {});
  const act = (/** @type {string} */ path) => () =>
    tried(failure, async () => show(await post(`/recordings/${path}`, {})));
  const start = button(t("recorder.start"), act("start"), {
    kind: "button-primary",
    scope: "recordings",
  });
  const stop = button(t("recorder.stop"), act("stop"), { scope: "recordings" });
  const marker = /** @type {HTMLInputElement} */ (
    element("input", { id: "marker", required: true, maxlength: "200", autocomplete: "off" })
  );
  const mark = element(
    "form",
    {
      class: "row marker",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        tried(failure, async () => {
          await post("/recordings/markers", { text: marker.value.trim() });
          failure.replaceChildren(callout("good", t("recorder.marked", { text: marker.value })));
          marker.value = "";
        });
      },
    },
    element("label", { class: "field", for: "marker" }, t("recorder.marker"), marker),
    element("button", { class: "button" }, t("recorder.mark")),
  );

  /** @param {Recorder} told */
  function show(told) {
    if (!told?.state) return;
    const isRecording = told.state === "recording";
    state.textContent = word("recorder.state", told.state);
    state.classList.toggle("badge-bad", isRecording);
    text.textContent = isRecording
      ? t("recorder.writes", { file: told.file ?? "", time: duration(told.seconds ?? 0) })
      : t(`recorder.does.${told.state}`);
    start.hidden = told.state !== "waiting";
    stop.hidden = mark.hidden = !isRecording;
  }
  start.hidden = stop.hidden = mark.hidden = true;
  return {
    show,
    card: cardWith(
      t("recorder.title"),
      state,
      element("div", { class: "stack" }, text, element("div", { class: "row" }, start, stop)),
      mark,
      failure,
    ),
  };
}

/** @param {Recording[]} recordings */
function tableOf(recordings) {
  if (!recordings.length) return empty(t("recordings.none"));
  const heads = ["begin", "length", "size", "format", "state"];
  return table(
    t("recordings.kept"),
    heads.map((head) => t(`recordings.${head}`)),
    recordings.map((recording) => [
      element("a", { href: `#recordings/${encodeURIComponent(recording.id)}` }, titleOf(recording)),
      recording.duration_s === null ? null : duration(recording.duration_s),
      `${number(recording.size_bytes / 1e6, 1)} MB`,
      recording.format.toUpperCase(),
      element("span", { class: "row" }, ...badgesOf(recording)),
    ]),
  );
}

/** @param {Recording} recording */
function titleOf({ begin_utc, id }) {
  return begin_utc === null ? id : dateAndTime(new Date(begin_utc));
}
