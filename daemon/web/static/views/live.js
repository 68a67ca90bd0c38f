/** The live view. */
import { element } from "../dom.js";
import { t } from "../i18n.js";
/** @param {HTMLElement} root */
export function mount(root) {
  root.append(element("h1", {}, t("nav.live")));
}
