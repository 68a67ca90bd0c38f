/** The devices of the site that this one belongs to, where it is in a fleet. */

import { get } from "./api.js";
import { element } from "./dom.js";
import { duration, number, percent, t, word } from "./i18n.js";
import { callout, card, cautionWords, empty, table } from "./parts.js";

const EVERY_MS = 10_000; // as often as a device tells how it is

/**
 * Show them, and again whenever they have told more; nothing where there is no fleet.
 *
 * @param {HTMLElement} root
 * @param {AbortSignal} signal ends it.
 */
export async function showSite(root, signal) {
  const show = async () => {
    const told = await get("/fleet", signal).catch(() => null);
    if (signal.aborted || told?.site === null) return;
    root.replaceChildren(siteCard(told));
    setTimeout(show, EVERY_MS);
  };
  await show();
}

/** @param {any} told what the server says; null if it does not answer. */
function siteCard(told) {
  const title = told ? t("site.title", { site: told.site }) : t("site.devices");
  if (!told?.reachable) return card(title, callout("caution", t("site.unreachable")));
  if (!told.devices.length) return card(title, empty(t("site.empty")));
  return card(
    title,
    table(
      title,
      [
        t("device.name"),
        t("site.seen"),
        t("device.state"),
        t("site.contact"),
        t("site.who"),
        t("site.rhythm"),
        t("site.problem"),
        t("device.model"),
        t("site.heart_rate"),
        t("site.quality"),
        t("site.lost"),
      ],
      told.devices.map(row),
      { numericFrom: 8 },
    ),
    element("p", { class: "soft small" }, t("site.nameless")),
    cautionWords(),
  );
}

/** @param {any} seen */
function row({ device, is_here, age_s, digest }) {
  const seen = is_here ? t("site.now") : t("site.ago", { time: duration(age_s) });
  const age = is_here ? seen : element("span", { class: "badge badge-caution" }, seen);
  if (!digest) return [device, age, t("site.other_version"), ...Array(8).fill(null)];
  const simulated = digest.source === "simulated" ? `, ${word("source", "simulated")}` : "";
  return [
    device,
    age,
    word("service_state", digest.state) + simulated,
    word("contact", digest.contact),
    digest.identity && word("who", digest.identity),
    digest.rhythm && word("rhythm", digest.rhythm),
    digest.problem && element("span", { class: "badge badge-caution" }, digest.problem),
    digest.model_sha256 && element("code", {}, digest.model_sha256.slice(0, 12)),
    number(digest.heart_rate_bpm),
    percent(digest.quality),
    number(digest.lost),
  ];
}
