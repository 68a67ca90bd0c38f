/** Light, dark, or as the system has it. */

import { t } from "./i18n.js";

const THEMES = ["auto", "light", "dark"];
const ICONS = { auto: "auto", light: "sun", dark: "moon" };
const KEPT_AS = "qrsd.theme";

function theme() {
  const kept = localStorage.getItem(KEPT_AS);
  return /** @type {keyof typeof ICONS} */ (kept !== null && THEMES.includes(kept) ? kept : "auto");
}

/** Draw the page in the theme that was chosen; canvases are told by the event `theme`. */
export function applyTheme() {
  document.documentElement.dataset.theme = theme();
  document.dispatchEvent(new Event("theme"));
}

export function nextTheme() {
  localStorage.setItem(KEPT_AS, THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
  applyTheme();
}

export function themeIcon() {
  return ICONS[theme()];
}

export function themeName() {
  return t(`theme.${theme()}`);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
