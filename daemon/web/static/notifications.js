/**
 * Notifications of the browser while the page is open: the user chooses of what, none to begin with.
 *
 * What is told has to hold for some time, and to be over for some time before it is told again; each
 * one is told once in ten minutes at most. The page can only do so while it is open: `qrsd notify`
 * does it without.
 */

import { element, icon } from "./dom.js";
import { said, t, word } from "./i18n.js";
import { live } from "./live.js";

const KEPT_AS = "qrsd.notifications";
const EVERY_S = 600;

/**
 * @typedef {"stranger" | "recognised" | "rhythm" | "electrodes_off" | "device"} Rule
 * @typedef {{rules: Rule[], names: boolean}} Choice
 */

/** How long each has to hold before it is told, and to be over before it may be told again. */
const HOLDS = /** @type {const} */ ({
  stranger: { hold_s: 5, release_s: 30 },
  recognised: { hold_s: 5, release_s: 30 },
  rhythm: { hold_s: 0, release_s: 60 },
  electrodes_off: { hold_s: 300, release_s: 10 },
  device: { hold_s: 10, release_s: 30 },
});
const RULES = /** @type {Rule[]} */ (Object.keys(HOLDS));

/** Decides when something that comes and goes is worth telling. */
export class Gate {
  /** @param {{hold_s: number, release_s: number}} times */
  constructor({ hold_s, release_s }) {
    this.hold_s = hold_s;
    this.release_s = release_s;
    this.isArmed = true;
    /** When it began to be as it is. */
    this.since_s = 0;
    this.wasActive = false;
    this.told_s = -Infinity;
  }

  /**
   * @param {boolean} isActive whether it holds now.
   * @param {number} now_s
   * @returns {boolean} whether to tell it.
   */
  update(isActive, now_s) {
    if (isActive !== this.wasActive) {
      this.wasActive = isActive;
      this.since_s = now_s;
    }
    const lasted_s = now_s - this.since_s;
    if (!isActive && lasted_s >= this.release_s) this.isArmed = true;
    if (!isActive || !this.isArmed || lasted_s < this.hold_s) return false;
    this.isArmed = false;
    if (now_s - this.told_s < EVERY_S) return false;
    this.told_s = now_s;
    return true;
  }
}

/** One for each thing that was told of: each person, each kind of episode. */
const gates = /** @type {Map<string, Gate>} */ (new Map());
/** The newest messages, and since when the electrodes were seen on. */
const heard = {
  status: /** @type {import("./types.js").Status | null} */ (null),
  identity: /** @type {import("./types.js").Identity | null} */ (null),
  episodes: /** @type {import("./types.js").Episode[]} */ ([]),
  wereOn: false,
};

/** Begin to look, each second and at each change. */
export function watchForNotifications() {
  live.on("status", (status) => {
    heard.status = status;
    heard.wereOn ||= status.contact === "on";
    check();
  });
  live.on("identity", (identity) => {
    heard.identity = identity;
    check();
  });
  live.on("rhythm", ({ episodes }) => {
    heard.episodes = episodes;
    check();
  });
  live.on("forget", () => {
    heard.identity = null;
    heard.episodes = [];
  });
  live.watch(check);
}

function check() {
  const now_s = performance.now() / 1000;
  const { rules, names } = choice();
  const active = new Map(happenings(names).map((each) => [`${each.rule} ${each.what}`, each]));
  for (const [key, { rule }] of active) if (!gates.has(key)) gates.set(key, new Gate(HOLDS[rule]));
  for (const [key, gate] of gates) {
    const happening = active.get(key);
    const isChosen = happening !== undefined && rules.includes(happening.rule);
    if (gate.update(isChosen, now_s) && happening) notify(happening);
  }
}

/**
 * What is now, of each rule; `what` tells two of one rule apart, `text` is said.
 *
 * @typedef {{rule: Rule, what: string, text: string}} Happening
 * @param {boolean} names whether a name may be told.
 * @returns {Happening[]}
 */
function happenings(names) {
  const { status, identity, episodes } = heard;
  const found = /** @type {Happening[]} */ ([]);
  const add = (/** @type {Rule} */ rule, what = "", text = "") => found.push({ rule, what, text });
  if (!live.isFresh) {
    if (status) add("device", "", t("banner.nothing_now"));
    return found;
  }
  if (identity?.state === "unknown") add("stranger");
  if (identity?.state === "accepted") {
    const who = identity.person ?? "";
    add("recognised", who, names ? who : "");
  }
  // Those that last, and those that were over when they were told: each comes at least once.
  for (const { kind } of episodes) add("rhythm", kind, word("episode", kind));
  if (heard.wereOn && status?.contact === "off") add("electrodes_off", "", t("advice.off_do"));
  const { error, conditions } = status?.chip ?? {};
  if (error) add("device", "", said(error.error, error.message));
  else if (status?.state === "recovering") add("device");
  for (const each of conditions ?? [])
    add("device", each.condition, said(each.condition, each.message));
  return found;
}

/** @param {Happening} happening */
function notify({ rule, text }) {
  if (!isPermitted()) return;
  const simulated = heard.status?.source === "simulated" && t("badge.simulated");
  show(t(`notify.${rule}`), [simulated, text, t("caution.words")]);
}

/** @param {string} title @param {(string | false)[]} lines */
function show(title, lines) {
  const options = { body: lines.filter(Boolean).join("\n"), icon: "/static/icon.svg" };
  const shown = new Notification(`qrsd: ${title}`, options);
  shown.onclick = () => {
    window.focus();
    shown.close();
  };
}

/** @returns {Choice} */
function choice() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT_AS) ?? "{}");
    const rules = RULES.filter((rule) => kept.rules?.includes?.(rule));
    return { rules, names: kept.names === true };
  } catch {
    return { rules: [], names: false };
  }
}

/** @type {HTMLElement | null} */
let tool = null;

/** Show by the bell whether anything is told. @param {HTMLElement} button */
export function showNotificationTool(button) {
  tool = button;
  const isOn = choice().rules.length > 0 && isPermitted();
  button.replaceChildren(icon(isOn ? "bell" : "bell-off"));
  const text = isOn ? t("notify.tool_on") : t("notify.tool_off");
  button.setAttribute("aria-label", text);
  button.title = text;
}

function isPermitted() {
  return "Notification" in window && Notification.permission === "granted";
}

/** Let the user choose. */
export function openNotifications() {
  const kept = choice();
  const boxes = RULES.map((rule) => box(rule, t(`notify.${rule}_rule`), kept.rules.includes(rule)));
  const names = box("names", t("notify.names"), kept.names);
  const told = element("p", { class: "field-error", role: "alert" });
  const close = element("button", { class: "button", type: "button" }, t("notify.cancel"));
  const form = element(
    "form",
    { class: "stack", onsubmit: save },
    element("h2", { id: "notify-title" }, t("notify.title")),
    element("p", { class: "soft" }, t("notify.how")),
    element(
      "fieldset",
      { class: "choices" },
      element("legend", {}, t("notify.of_what")),
      ...boxes,
      names,
    ),
    told,
    element(
      "div",
      { class: "row" },
      element("button", { class: "button button-primary" }, t("notify.save")),
      close,
    ),
  );
  const dialog = /** @type {HTMLDialogElement} */ (
    element(
      "dialog",
      { class: "dialog", "aria-labelledby": "notify-title", onclose: () => dialog.remove() },
      form,
    )
  );
  close.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  dialog.showModal();

  /** @param {Event} event */
  async function save(event) {
    event.preventDefault();
    const chosen = new FormData(/** @type {HTMLFormElement} */ (form));
    const rules = RULES.filter((rule) => chosen.has(rule));
    if (rules.length && !(await permit())) {
      told.textContent = t("notify.refused");
      return;
    }
    localStorage.setItem(KEPT_AS, JSON.stringify({ rules, names: chosen.has("names") }));
    if (tool) showNotificationTool(tool);
    dialog.close();
  }
}

/** @param {string} name @param {string} text @param {boolean} isOn */
function box(name, text, isOn) {
  return element(
    "label",
    { class: "choice" },
    element("input", { type: "checkbox", name, checked: isOn }),
    text,
  );
}

/** Ask the browser, which asks the user, and try whether it can: browsers of telephones may not. */
async function permit() {
  if (!("Notification" in window)) return false;
  if ((await Notification.requestPermission()) !== "granted") return false;
  try {
    show(t("notify.tool_on"), [t("notify.how")]);
    return true;
  } catch {
    return false;
  }
}
