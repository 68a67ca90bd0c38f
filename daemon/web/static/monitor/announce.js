/** Tells screen readers of changes of identity and contact, and of nothing else. */

import { t } from "../i18n.js";
import { live } from "../live.js";
import { wearerName } from "./hero.js";

/** A change has to last so long: between two people, decisions come and go. */
const LASTS_MS = 1500;

/** @param {AbortSignal} signal */
export function announceChanges(signal) {
  const announcer = /** @type {HTMLElement} */ (document.getElementById("announcer"));
  let told = "";
  let timer = 0;
  let wearer = "";
  let contact = "";
  const changed = () => {
    const now = [wearer, contact].filter(Boolean).join(" ");
    clearTimeout(timer);
    if (now === told) return;
    timer = window.setTimeout(() => {
      told = now;
      announcer.textContent = now;
    }, LASTS_MS);
  };
  live.on(
    "identity",
    (identity) => {
      if (identity.state === "undecided") return;
      wearer = t("announce.who", { who: wearerName(identity) });
      changed();
    },
    signal,
  );
  live.on(
    "status",
    (status) => {
      contact = t("announce.contact", { contact: t(`contact.${status.contact}`) });
      changed();
    },
    signal,
  );
  live.on(
    "forget",
    () => {
      wearer = t("announce.who", { who: wearerName(null) });
      contact = "";
      changed();
    },
    signal,
  );
  signal.addEventListener("abort", () => clearTimeout(timer));
}
