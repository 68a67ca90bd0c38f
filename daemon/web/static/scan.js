/** ECG on paper: a frame is drawn around a strip of a picture, and what the server reads there is shown. */

import { post } from "./api.js";
import { element } from "./dom.js";
import { duration, number, percent, t } from "./i18n.js";
import { button, callout, card, figures, notesOf, tried } from "./parts.js";

const PAGE = /\.(png|jpe?g|tiff?|pdf)$/i;
/** What may be printed on a page. */
const PRINTED = { speed: ["25", "50"], gain: ["5", "10", "20"], grid: ["1", "5"] };
const NUMBERS = ["strip", "page"];
/** The frame, in pixels of the picture. */
const SIDES = /** @type {const} */ (["left", "top", "width", "height"]);
const LEAST_PX = 32; // less is a slip of the hand

/** Whether a file is a picture of paper, by its name. @param {File} file */
export function isPage(file) {
  return PAGE.test(file.name);
}

/**
 * A card in which a strip is chosen, and read.
 *
 * @param {File} file
 * @param {AbortSignal} signal
 * @param {(recording: File) => unknown} taken is given each recording that comes of it.
 */
export function pageReader(file, signal, taken) {
  const answer = element("div", { class: "stack-wide", role: "status" });
  const frame = new Frame(file, signal);
  const form = /** @type {HTMLFormElement} */ (
    element(
      "form",
      { class: "stack-wide", novalidate: true, onsubmit: read },
      element("p", { class: "soft" }, t("scan.what")),
      frame.picture,
      frame.fields,
      printedOnIt(),
      element(
        "div",
        { class: "row" },
        element("button", { class: "button button-primary" }, t("scan.read")),
        button(t("scan.whole"), () => frame.clear()),
      ),
    )
  );

  /** @param {Event} event */
  async function read(event) {
    event.preventDefault();
    const content = new FormData();
    content.append("file", file);
    const asked = new URLSearchParams(frame.asked());
    for (const name of [...Object.keys(PRINTED), ...NUMBERS]) {
      const given = String(new FormData(form).get(name) ?? "");
      if (given) asked.set(name, given);
    }
    const go = /** @type {HTMLButtonElement} */ (form.querySelector(".button-primary"));
    go.disabled = true;
    answer.replaceChildren(element("p", { class: "soft" }, t("analyse.busy")));
    const told = await tried(answer, () => post(`/digitize?${asked}`, content, signal));
    go.disabled = false;
    if (!told || signal.aborted) return;
    const bytes = Uint8Array.from(atob(told.bdf), (letter) => letter.charCodeAt(0));
    const recording = new File([bytes], file.name.replace(PAGE, ".bdf"));
    answer.replaceChildren(...readOf(told, recording, signal));
    taken(recording);
  }

  const made = card(t("scan.title"), element("div", { class: "stack-wide" }, form, answer));
  made.dataset.question = "digitize";
  return made;
}

/**
 * @param {any} told
 * @param {File} recording
 * @param {AbortSignal} signal
 */
function readOf(told, recording, signal) {
  const url = URL.createObjectURL(recording);
  signal.addEventListener("abort", () => URL.revokeObjectURL(url));
  const parts = [
    figures([
      [t("result.length"), duration(told.duration_s)],
      [t("scan.speed"), number(told.mm_per_s)],
      [t("scan.gain"), number(told.mm_per_mv)],
      [t("scan.quality"), percent(told.quality)],
      [t("scan.error"), number(told.error_mv, 3), "mV"],
    ]),
    notesOf(told.notes),
    element("a", { class: "button", href: url, download: recording.name }, t("scan.save")),
  ];
  return parts.filter((part) => part !== null);
}

/** Fields for what the page may not say. */
function printedOnIt() {
  const choices = Object.entries(PRINTED).map(([name, values]) =>
    field(
      name,
      element(
        "select",
        { id: `scan-${name}`, name },
        element("option", { value: "" }, t("scan.by_itself")),
        ...values.map((value) => element("option", { value }, value)),
      ),
    ),
  );
  const numbers = NUMBERS.map((name) =>
    field(name, element("input", { id: `scan-${name}`, name, type: "number", min: "1" })),
  );
  return group(t("scan.printed"), [...choices, ...numbers]);
}

/**
 * @param {string} name
 * @param {HTMLElement} control
 */
function field(name, control) {
  return element("label", { class: "field", for: `scan-${name}` }, t(`scan.${name}`), control);
}

/**
 * @param {string} legend
 * @param {HTMLElement[]} fields
 */
function group(legend, fields) {
  return element(
    "fieldset",
    { class: "scan-fields" },
    element("legend", {}, legend),
    element("div", { class: "scan-row" }, fields),
  );
}

/** The frame on the picture, drawn with a pointer or given in numbers. */
class Frame {
  /**
   * @param {File} file
   * @param {AbortSignal} signal
   */
  constructor(file, signal) {
    const url = URL.createObjectURL(file);
    signal.addEventListener("abort", () => URL.revokeObjectURL(url));
    this.image = /** @type {HTMLImageElement} */ (
      element("img", { src: url, alt: t("scan.picture"), draggable: "false" })
    );
    this.box = element("div", { class: "scan-frame", hidden: true });
    this.picture = element("div", { class: "scan-page" }, this.image, this.box);
    this.inputs = SIDES.map(
      (side) =>
        /** @type {HTMLInputElement} */ (
          element("input", {
            id: `scan-${side}`,
            type: "number",
            min: "0",
            oninput: () => this.show(),
          })
        ),
    );
    this.fields = group(
      t("scan.frame"),
      SIDES.map((side, index) => field(side, this.inputs[index])),
    );
    this.image.addEventListener("error", () =>
      this.picture.replaceWith(callout("info", t("scan.not_shown"))),
    );
    this.picture.addEventListener("pointerdown", (event) => this.draw(event));
  }

  /** The frame as the server is asked for it; nothing without one. @returns {Record<string, string>} */
  asked() {
    const values = this.inputs.map((input) => input.value.trim());
    return values.some(Boolean) ? { box: values.map((value) => value || "0").join(",") } : {};
  }

  clear() {
    for (const input of this.inputs) input.value = "";
    this.show();
  }

  /** Show where the numbers are. */
  show() {
    const [left, top, width, height] = this.inputs.map((input) => Number(input.value));
    const { naturalWidth: across, naturalHeight: down } = this.image;
    this.box.hidden = !(width && height && across);
    const share = (/** @type {number} */ part, /** @type {number} */ of) => `${(100 * part) / of}%`;
    this.box.style.left = share(left, across);
    this.box.style.top = share(top, down);
    this.box.style.width = share(width, across);
    this.box.style.height = share(height, down);
  }

  /** Draw it, until the pointer is lifted. @param {PointerEvent} begin */
  draw(begin) {
    if (begin.button !== 0) return;
    begin.preventDefault();
    this.picture.setPointerCapture(begin.pointerId);
    const from = this.pixel(begin);
    const lifted = new AbortController();
    const move = (/** @type {PointerEvent} */ event) => {
      const to = this.pixel(event);
      const sizes = [Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
      if (Math.min(...sizes) < LEAST_PX) return;
      [Math.min(from[0], to[0]), Math.min(from[1], to[1]), ...sizes].forEach((value, index) => {
        this.inputs[index].value = String(value);
      });
      this.show();
    };
    const options = { signal: lifted.signal };
    this.picture.addEventListener("pointermove", move, options);
    for (const end of ["pointerup", "pointercancel"])
      this.picture.addEventListener(end, () => lifted.abort(), options);
  }

  /** The pixel of the picture that a pointer is at. @param {PointerEvent} event */
  pixel({ clientX, clientY }) {
    const { left, top, width, height } = this.image.getBoundingClientRect();
    const { naturalWidth: across, naturalHeight: down } = this.image;
    const within = (/** @type {number} */ share, /** @type {number} */ of) =>
      Math.round(Math.min(1, Math.max(0, share)) * of);
    return [within((clientX - left) / width, across), within((clientY - top) / height, down)];
  }
}
