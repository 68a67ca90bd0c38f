/** The dialog that asks for a token, where the server wants one. */

import { login } from "./api.js";
import { element } from "./dom.js";
import { t } from "./i18n.js";

/** @type {HTMLDialogElement | null} */
let open = null;

/**
 * Ask until a token is taken. A dialog that is open already stays the only one.
 *
 * @param {() => void} then called after the login.
 */
export function askForToken(then) {
  if (open) return;
  const token = /** @type {HTMLInputElement} */ (
    element("input", {
      id: "token",
      type: "password",
      autocomplete: "current-password",
      required: true,
      spellcheck: "false",
    })
  );
  const failure = element("p", { class: "field-error", role: "alert", id: "token-error" });
  const form = element(
    "form",
    { class: "stack", onsubmit: submit },
    element("h2", { id: "login-title" }, t("login.title")),
    element("p", { class: "soft" }, t("login.how")),
    element("label", { class: "field", for: "token" }, t("login.token"), token),
    failure,
    element("button", { class: "button button-primary", type: "submit" }, t("login.enter")),
  );
  const dialog = /** @type {HTMLDialogElement} */ (
    element("dialog", { class: "dialog", "aria-labelledby": "login-title", oncancel: stay }, form)
  );
  open = dialog;
  document.body.append(dialog);
  dialog.showModal();

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    failure.textContent = "";
    try {
      await login(token.value.trim());
    } catch (problem) {
      failure.textContent = /** @type {Error} */ (problem).message;
      token.setAttribute("aria-describedby", "token-error");
      token.select();
      return;
    }
    dialog.close();
    dialog.remove();
    open = null;
    then();
  }
}

/** Nothing is to be seen without a login, so Escape does not close it. @param {Event} event */
function stay(event) {
  event.preventDefault();
}
