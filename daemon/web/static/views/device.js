/** Device: state of the service, the chip, counters, scheduling, versions, settings, and who may do what. */

import { currentSession, get, may } from "../api.js";
import { doctorCard } from "../doctor.js";
import { element } from "../dom.js";
import { NOT_MEASURED, number, said, t, word } from "../i18n.js";
import { live } from "../live.js";
import { callout, card, figures, notAllowed, saying, table, tried } from "../parts.js";
import { pair } from "../replay.js";
import { showSite } from "../site.js";

const SCOPES = ["live", "people:read", "people:write", "recordings", "control"];

/** Which counters tell of trouble when they are not 0. */
const TROUBLE = new Set([
  "lost",
  "bad_frames",
  "late_reads",
  "bus_errors",
  "reinitialisations",
  "restarts",
  "dropped",
]);

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export async function mount(root, signal) {
  const failure = element("div", {});
  const now = element("div", { class: "cards" });
  const counters = element("div", {});
  const site = element("div", {});
  root.append(element("h1", {}, t("nav.device")), failure);
  if (may("control")) root.append(doctorCard(signal));
  root.append(now, counters, site);
  if (may("live")) showSite(site, signal);
  const told = may("control") ? await tried(failure, () => get("/device", signal)) : null;
  if (signal.aborted) return;
  let drawn = "";
  let chip = element("div", {});
  const show = (/** @type {any} */ status) => {
    const key = JSON.stringify(status.chip);
    if (key !== drawn) chip = chipCard(status); // else what somebody has opened in it would close
    drawn = key;
    now.replaceChildren(serviceCard(status, told), timingCard(status), chip);
    counters.replaceChildren(countersCard(status));
  };
  if (told?.status) show(told.status);
  live.on("status", show, signal);
  root.append(accessCard());
  root.append(may("control") ? settingsCard(told?.settings ?? []) : notAllowed("control"));
}

/**
 * @param {any} status
 * @param {any} told
 */
function serviceCard(status, told) {
  return card(
    t("device.service"),
    element(
      "dl",
      { class: "pairs" },
      pair(t("device.state"), word("service_state", status.state)),
      pair(t("device.name"), status.device),
      pair(t("device.source"), word("source", status.source)),
      pair(t("device.playing"), status.playing),
      pair(t("device.version"), told?.describe?.version),
      pair(t("device.web_version"), told?.web?.version),
      pair(t("device.model"), status.model?.name),
      pair(t("device.runtime"), status.model?.runtime),
      pair(t("device.boot"), status.boot),
    ),
  );
}

/** @param {any} status */
function timingCard({ counters = {}, scheduling, clock, clock_offset_s }) {
  const ms = (/** @type {number | undefined} */ seconds) =>
    seconds === undefined ? null : number(1000 * seconds, 2);
  const good = scheduling?.policy === "SCHED_FIFO";
  return card(
    t("device.timing"),
    figures([
      [t("device.jitter"), ms(counters.latency_max_s), "ms"],
      [t("device.published"), ms(counters.published_latency_max_s), "ms"],
      [t("device.rate"), number(counters.rate_hz, 3), "Hz"],
      [t("device.clock_offset"), ms(clock_offset_s ?? undefined), "ms"],
      [t("device.queued"), number(counters.queued_max)],
    ]),
    element(
      "dl",
      { class: "pairs" },
      pair(t("device.policy"), scheduling?.policy),
      pair(t("device.cpu"), scheduling && (scheduling.cpu ?? t("device.no_cpu"))),
      pair(
        t("device.locked"),
        scheduling && t(scheduling.memory_locked ? "shell.yes" : "shell.no"),
      ),
      pair(t("device.clock"), clock && word("clock", clock)),
    ),
    scheduling && !good && callout("caution", t("device.not_fifo")),
  );
}

/** @param {any} status */
function chipCard({ chip }) {
  if (!chip) return card(t("device.chip"), element("p", { class: "soft" }, t("device.no_chip")));
  const known = chip.part !== null && chip.part !== undefined;
  return card(
    t("device.chip"),
    chip.error && saying("bad", chip.error.error, chip.error.message),
    ...(chip.conditions ?? []).map((/** @type {any} */ each) =>
      saying("caution", each.condition, each.message),
    ),
    known && !chip.conditions?.length && !chip.error && callout("good", t("device.chip_fine")),
    element(
      "dl",
      { class: "pairs" },
      pair(t("device.part"), chip.part),
      pair(t("device.nominal"), chip.rate_hz && `${number(chip.rate_hz)} Hz`),
      pair(t("device.gains"), chip.gains?.join(" / ")),
      pair(t("device.vref"), chip.vref_v && `${number(chip.vref_v, 3)} V`),
      pair(t("device.lead_off"), known ? t(chip.lead_off_known ? "shell.yes" : "shell.no") : null),
      pair(t("device.last_fault"), chip.last_fault && said(chip.last_fault_code, chip.last_fault)),
      pair(t("device.registers"), chip.registers?.map(hex).join(" ")),
    ),
  );
}

/** @param {number} value */
function hex(value) {
  return value.toString(16).padStart(2, "0").toUpperCase();
}

/** @param {any} status */
function countersCard({ counters = {} }) {
  const counts = Object.entries(/** @type {Record<string, number>} */ (counters)).filter(
    ([name]) => !name.endsWith("_s") && name !== "rate_hz",
  );
  return card(
    t("device.counters"),
    figures(
      counts.map(([name, count]) => [word("counter", name), countOf(name, count)]),
      "figures-wide",
    ),
  );
}

/**
 * @param {string} name
 * @param {number} count
 */
function countOf(name, count) {
  if (!TROUBLE.has(name) || !count) return number(count);
  return element(
    "span",
    { class: "row" },
    number(count),
    element("span", { class: "badge badge-caution" }, t("device.look")),
  );
}

function accessCard() {
  return card(
    t("device.access"),
    callout("info", t(`exposure.${currentSession()?.exposure}_long`)),
    table(
      t("device.access"),
      [t("device.scope"), t("device.allows"), t("device.you")],
      SCOPES.map((scope) => [
        element("code", {}, scope),
        t(`scope.${scope}`),
        t(may(scope) ? "shell.yes" : "shell.no"),
      ]),
    ),
    element("p", { class: "soft small" }, t("device.access_how")),
  );
}

/** @param {unknown} value; of a secret, only whether it is set. */
function valueOf(value) {
  if (value === "set" || value === "not set") return t(`device.${value.replace(" ", "_")}`);
  return typeof value === "string" ? value || NOT_MEASURED : JSON.stringify(value);
}

/** @param {{name: string, value: unknown, origin: string}[]} settings */
function settingsCard(settings) {
  const place = element("div", { class: "settings" });
  const filter = /** @type {HTMLInputElement} */ (
    element("input", { id: "filter", type: "search", autocomplete: "off", oninput: () => show() })
  );
  const show = () => {
    const wanted = filter.value.trim().toLowerCase();
    place.replaceChildren(
      table(
        t("device.settings"),
        [t("device.setting"), t("device.value"), t("device.origin")],
        settings
          .filter(({ name }) => name.toLowerCase().includes(wanted))
          .map(({ name, value, origin }) => [
            element("code", {}, name),
            element("code", {}, valueOf(value)),
            origin === "default" ? t("device.default") : origin,
          ]),
      ),
    );
  };
  show();
  return card(
    t("device.settings"),
    element("p", { class: "soft small" }, t("device.settings_how")),
    element("label", { class: "field field-short", for: "filter" }, t("device.filter"), filter),
    place,
  );
}
