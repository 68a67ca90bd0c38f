/** The shell: chooses the view by the address's hash, and shows what holds for all views. */

import { currentSession, loadSession, logout, may } from "./api.js";
import { element, icon } from "./dom.js";
import {
  chooseLanguage,
  currentLanguage,
  duration,
  LANGUAGES,
  loadLanguage,
  t,
  translatePage,
} from "./i18n.js";
import { live, SILENT_AFTER_S } from "./live.js";
import { askForToken } from "./login.js";
import { scene } from "./scene.js";
import { openNotifications, showNotificationTool, watchForNotifications } from "./notifications.js";
import { applyTheme, nextTheme, themeIcon, themeName } from "./theme.js";

/**
 * A view is a module with `mount(root, signal)`: it fills the root, and gives up what it began once the
 * signal is aborted.
 *
 * @typedef {{mount(root: HTMLElement, signal: AbortSignal): void | Promise<void>}} View
 */
const VIEWS = ["live", "people", "recordings", "analyse", "model", "device"];

/** @type {AbortController | null} */
let shown = null;
let shownName = "";

async function begin() {
  applyTheme();
  await loadLanguage();
  translatePage();
  buildRail();
  buildTools();
  document.addEventListener("login-needed", leave);
  document.addEventListener("connection-lost", checkSession);
  addEventListener("hashchange", route);
  byId("skip").addEventListener("click", skip);
  scene.start();
  live.watch(showCondition);
  live.on("status", showSource);
  watchForNotifications();
  await enter();
}

/** Start to show what this browser may see, after a login if it takes one. */
async function enter() {
  let session;
  try {
    session = await loadSession();
  } catch (problem) {
    showBanner("bad", /** @type {Error} */ (problem).message);
    setTimeout(enter, 3000);
    return;
  }
  showExposure(session);
  byId("tool-logout").hidden = session.exposure === "loopback" || session.login_needed;
  if (session.login_needed) {
    leave();
    return;
  }
  if (may("live")) live.start();
  shownName = "";
  await route();
}

/** A server that hangs up may do so because the session is over. */
async function checkSession() {
  const session = await loadSession().catch(() => null);
  if (session?.login_needed) leave();
}

/** Show nothing until somebody has logged in. */
function leave() {
  live.stop();
  shown?.abort();
  byId("main").replaceChildren();
  askForToken(enter);
}

/** Show the view that the address names: `#recordings`, or `#recordings/ID`. */
async function route() {
  const [named] = location.hash.slice(1).split("/");
  const name = VIEWS.includes(named) ? named : VIEWS[0];
  if (name === shownName) return;
  const first = shownName === "" && shown === null;
  shownName = name;
  shown?.abort();
  const controller = (shown = new AbortController());
  markRail(name);
  document.title = `${t(`nav.${name}`)} · qrsd`;
  const root = element("div", { class: `view view-${name}` });
  const main = byId("main");
  main.replaceChildren(root);
  if (!first) main.focus({ preventScroll: true });
  scrollTo(0, 0);
  try {
    const view = /** @type {View} */ (await import(`./views/${name}.js`));
    if (!controller.signal.aborted) await view.mount(root, controller.signal);
  } catch (error) {
    if (controller.signal.aborted) return;
    console.error(error);
    root.replaceChildren(
      element("h1", {}, t(`nav.${name}`)),
      element("p", { class: "callout callout-bad", role: "alert" }, t("shell.view_failed")),
    );
  }
}

function buildRail() {
  const rail = byId("rail");
  rail.setAttribute("aria-label", t("shell.navigation"));
  for (const name of VIEWS) {
    rail.append(
      element(
        "a",
        { href: `#${name}`, "data-view": name },
        icon(name),
        element("span", {}, t(`nav.${name}`)),
      ),
    );
  }
}

/** @param {string} name */
function markRail(name) {
  for (const link of byId("rail").querySelectorAll("a")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function buildTools() {
  const theme = byId("tool-theme");
  const drawTheme = () => label(theme, icon(themeIcon()), t("shell.theme", { theme: themeName() }));
  theme.addEventListener("click", () => {
    nextTheme();
    drawTheme();
  });
  drawTheme();
  const other = LANGUAGES[(LANGUAGES.indexOf(currentLanguage()) + 1) % LANGUAGES.length];
  const language = byId("tool-language");
  label(language, other.toUpperCase(), `${other.toUpperCase()}: ${t(`language.${other}`)}`);
  language.lang = other;
  language.addEventListener("click", () => chooseLanguage(other));
  const exit = byId("tool-logout");
  label(exit, icon("logout"), t("login.leave"));
  exit.addEventListener("click", async () => {
    await logout();
    location.reload(); // so that nothing that was heard stays
  });
  const bell = byId("tool-notify");
  bell.addEventListener("click", () => openNotifications());
  showNotificationTool(bell);
}

/**
 * @param {HTMLElement} button
 * @param {Node | string} face
 * @param {string} text for screen readers and as the tool tip.
 */
function label(button, face, text) {
  button.replaceChildren(face);
  button.setAttribute("aria-label", text);
  button.title = text;
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  byId("main").focus();
}

/** @param {import("./types.js").Session} session */
function showExposure(session) {
  const badge = byId("badge-exposure");
  badge.hidden = false;
  badge.textContent = t(`exposure.${session.exposure}`);
  badge.title = t(`exposure.${session.exposure}_long`);
}

/** @param {import("./types.js").Status} status */
function showSource(status) {
  byId("device").textContent = status.device;
  const badge = byId("badge-simulated");
  badge.hidden = status.source !== "simulated";
  badge.textContent = t("badge.simulated");
  badge.title = t("badge.simulated_long");
}

/** @param {import("./live.js").Condition} condition */
function showCondition({ connection, silent_s, waits_s }) {
  if (currentSession() === null || currentSession()?.login_needed) return;
  const stale = silent_s >= SILENT_AFTER_S;
  document.body.toggleAttribute("data-stale", stale);
  if (connection === "connecting") return; // the banner stays until it is known how it went
  if (connection === "waiting")
    showBanner("bad", t("banner.lost", { seconds: Math.ceil(waits_s) }));
  else if (connection === "open" && stale) {
    const since = Number.isFinite(silent_s)
      ? t("banner.silent", { time: duration(silent_s) })
      : t("banner.nothing");
    showBanner("caution", since);
  } else byId("banner").hidden = true;
}

/**
 * @param {"bad" | "caution"} tone
 * @param {string} text
 */
function showBanner(tone, text) {
  const banner = byId("banner");
  banner.className = `banner banner-${tone}`;
  banner.replaceChildren(icon("warning"), element("span", {}, text));
  banner.hidden = false;
}

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

begin();
