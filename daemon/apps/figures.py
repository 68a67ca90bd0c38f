"""The newest of what a service says, as few plain figures: what bridges tell programs of others."""

from __future__ import annotations

from typing import Any, NamedTuple

from daemon.wire.client import Item, Silent
from daemon.wire.messages import (
    HrvMessage,
    IdentityMessage,
    Received,
    RhythmMessage,
    StatusMessage,
)

TOPICS = (StatusMessage.TOPIC, IdentityMessage.TOPIC, HrvMessage.TOPIC, RhythmMessage.TOPIC)
SILENT_S = 5.0  # of the service, after which nothing is known any more

#: Measured, and so another each time; the others are states.
MEASURES = ("heart_rate_bpm", "quality_percent", "rmssd_ms", "respiration_per_min", "confidence")
STATES = ("identity", "contact", "problem", "problem_text", "rhythm", "source")


class Who(NamedTuple):
    """Whose heart it is."""

    state: str | None
    person: str | None


class Figures:
    """Keeps the newest.

    Args:
        names: whether it is told who is recognised.

    Attributes:
        state: a value by name, None where it is not known: ``MEASURES``, ``STATES`` and, with
            names, ``person``.
        is_heard: whether the service is; False before it first was.
    """

    def __init__(self, *, names: bool) -> None:
        self._names = names
        self.is_heard = False
        self.state = self._nothing()

    def _nothing(self) -> dict[str, Any]:
        return dict.fromkeys((*MEASURES, *STATES, *(("person",) if self._names else ())))

    @property
    def who(self) -> Who:
        """Return whose heart it is."""
        return Who(self.state["identity"], self.state.get("person"))

    def take(self, item: Item) -> None:
        """Take in what was heard next."""
        match item:
            case Silent(seconds) if seconds >= SILENT_S:
                self.is_heard = False
                self.state = self._nothing()
            case Received(stamp, message):
                self.is_heard = True
                self.state["source"] = stamp.source
                self._take(message)

    def _take(self, message: object) -> None:
        match message:
            case StatusMessage() as status:
                self._take_status(status)
            case IdentityMessage() as identity:
                self.state["identity"] = identity.state
                self.state["confidence"] = _rounded(identity.confidence, 3)
                self.state |= {"person": identity.person} if self._names else {}
            case HrvMessage() as hrv:
                self.state["rmssd_ms"] = _rounded(hrv.rmssd_ms)
                self.state["respiration_per_min"] = _rounded(hrv.respiration.rate_per_min)
            case RhythmMessage() as rhythm:
                self.state["rhythm"] = rhythm.rhythm

    def _take_status(self, status: StatusMessage) -> None:
        conditions = status.chip.conditions or () if status.chip else ()
        words = [each.message for each in conditions]
        if status.chip and status.chip.error:
            words.append(status.chip.error.message)
        if status.state not in ("starting", "running") and not words:
            words.append(f"the service is {status.state}")
        known = None if status.contact == "unknown" else status.contact == "on"
        quality = status.quality
        self.state |= {
            "heart_rate_bpm": _rounded(status.heart_rate_bpm),
            "quality_percent": None if quality is None else round(100 * quality),
            "contact": on_or_off(known),
            "problem": on_or_off(bool(words)),
            "problem_text": " ".join(words) or None,
        }


def on_or_off(is_on: bool | None) -> str | None:
    """Return ON or OFF, None for what is not known."""
    return None if is_on is None else "ON" if is_on else "OFF"


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)
