/** People: who is enrolled, and the enrolment of somebody who wears the electrodes now. */

import { get, may, post, remove } from "../api.js";
import { element } from "../dom.js";
import { dateAndTime, day, number, t } from "../i18n.js";
import { scene } from "../scene.js";
import { ask, button, cardWith, empty, figures, notAllowed, tried } from "../parts.js";
import { enrolment } from "../enrolment.js";

/**
 * @typedef {{
 *   name: string, created_utc: string, consent_utc: string | null, templates: number, grown: number,
 *   beats: number, sittings: string[], drift: number | null,
 * }} Person
 */

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export async function mount(root, signal) {
  root.append(element("h1", {}, t("nav.people")));
  if (!may("people:read")) {
    root.append(notAllowed("people:read"));
    return;
  }
  const failure = element("div", {});
  const list = element("ul", { class: "people" });
  const sealed = element("span", { class: "badge" });
  const refresh = () =>
    tried(failure, async () => {
      const told = await get("/people", signal);
      sealed.textContent = t(told.sealed ? "people.sealed" : "people.not_sealed");
      sealed.classList.toggle("badge-good", told.sealed);
      const people = /** @type {Person[]} */ (told.people);
      list.replaceChildren(...people.map((person) => shownPerson(person, refresh)));
      if (!people.length) list.append(element("li", {}, empty(t("people.nobody"))));
    });
  root.append(
    failure,
    element(
      "div",
      { class: "cards cards-wide-first" },
      cardWith(t("people.enrolled"), sealed, list),
      enrolment(refresh, signal),
    ),
  );
  await refresh();
}

/**
 * @param {Person} person
 * @param {() => Promise<unknown>} refresh
 */
function shownPerson(person, refresh) {
  const { name } = person;
  const failure = element("div", {});
  return element(
    "li",
    { class: "person" },
    element("span", { class: "initial", "aria-hidden": "true" }, [...name][0]),
    element(
      "div",
      { class: "person-told" },
      element("h3", {}, name),
      element("p", { class: "soft small" }, consentOf(person)),
      element(
        "details",
        {},
        element("summary", {}, t("people.sittings", { count: person.sittings.length })),
        figures([
          [t("people.fittings"), number(person.templates)],
          [t("people.grown"), number(person.grown)],
          [t("people.beats"), number(person.beats)],
          [t("people.drift"), number(person.drift, 3)],
        ]),
        element(
          "ol",
          { class: "sittings" },
          ...person.sittings.map((utc) => element("li", {}, dateAndTime(new Date(utc)))),
        ),
      ),
      failure,
    ),
    element(
      "div",
      { class: "row person-tools" },
      button(t("people.rename"), () => askForName(name, refresh), {
        kind: "button-small",
        scope: "people:write",
        name: t("people.rename_whom", { name }),
      }),
      button(t("people.export"), () => tried(failure, () => saveExport(name)), {
        kind: "button-small",
        scope: "people:write",
        name: t("people.export_whom", { name }),
      }),
      button(t("people.forget"), () => askToForget(name, refresh), {
        kind: "button-small button-danger",
        scope: "people:write",
        name: t("people.forget_whom", { name }),
      }),
    ),
  );
}

/** @param {Person} person */
function consentOf(person) {
  if (person.consent_utc === null) return t("people.no_consent");
  return t("people.consent_at", { when: day(new Date(person.consent_utc)) });
}

/**
 * @param {string} name
 * @param {() => Promise<unknown>} refresh
 */
function askForName(name, refresh) {
  ask({
    title: t("people.rename_whom", { name }),
    text: t("people.rename_text"),
    label: t("people.new_name"),
    value: name,
    action: t("people.rename"),
    obey: async (to) => {
      await post(`/people/${encodeURIComponent(name)}/rename`, { to });
      await refresh();
    },
  });
}

/**
 * @param {string} name
 * @param {() => Promise<unknown>} refresh
 */
function askToForget(name, refresh) {
  ask({
    title: t("people.forget_whom", { name }),
    text: t("people.forget_text"),
    label: t("shell.type_to_confirm", { text: name }),
    expected: name,
    action: t("people.forget"),
    danger: true,
    obey: async () => {
      await remove(`/people/${encodeURIComponent(name)}`, { confirm: name });
      if (scene.reference.person === name) scene.reference.clear();
      await refresh();
    },
  });
}

/** Save what is kept of somebody as a file. @param {string} name */
async function saveExport(name) {
  const told = await get(`/people/${encodeURIComponent(name)}/export`);
  const blob = told instanceof Blob ? told : new Blob([JSON.stringify(told, null, 2)]);
  const link = /** @type {HTMLAnchorElement} */ (
    element("a", { href: URL.createObjectURL(blob), download: `${name}.json` })
  );
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
