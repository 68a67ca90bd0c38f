"""Follows the demonstration by sample index: enrols when it is time, and notes the decisions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, get_args

from daemon.apps.demo_plan import Act
from daemon.apps.scene import RATE_HZ
from daemon.wire.client import Item
from daemon.wire.errors import CommandRefused
from daemon.wire.messages import AlarmMessage, IdentityMessage, Received, StatusMessage
from dsp.options import EpisodeKind

Ask = Callable[..., dict[str, Any]]


@dataclass(slots=True)
class Outcome:
    """What the service said during an act."""

    act: Act  # what was shown
    #: each decision that differs from the one before
    said: list[tuple[str, str | None]] = field(default_factory=list)
    #: seconds from the start of the act to the last of these, None if there is none
    after_s: float | None = None
    beats: int = 0  # good beats behind it
    lost: int = 0  # samples lost during the act
    caution: str = ""  # what has to be shown with an alarm

    @property
    def right(self) -> bool:
        """Tell whether the last word is what it ought to be, and nothing before it a mistake.

        Those are somebody who is taken for another, and a false alarm.
        """
        expected = (self.act.expected, self.act.person)
        mistakes = {"accepted", *get_args(EpisodeKind)}
        wrong = [each for each in self.said if each[0] in mistakes and each != expected]
        return bool(self.said) and self.said[-1] == expected and not wrong

    def note(self, state: str, person: str | None, after_s: float, beats: int) -> None:
        """Write down a decision."""
        if not self.said or self.said[-1] != (state, person):
            self.said.append((state, person))
            self.after_s, self.beats = after_s, beats


class Director:
    """Takes what a subscriber hears while a plan is being played.

    Args:
        acts: what is played, in order, from sample 0 on.
        ask: sends a command with its fields to the service and returns the answer.

    Attributes:
        outcomes: one for each act that something is expected of.
    """

    def __init__(self, acts: Sequence[Act], ask: Ask) -> None:
        self._acts = acts
        self._ask = ask
        self._starts = [0, *accumulate(round(act.seconds * RATE_HZ) for act in acts)]
        self._number = -1
        self._lost = 0
        self._all = [Outcome(act) for act in acts]
        self._enrolling = False
        self.outcomes = [outcome for outcome in self._all if outcome.act.expected]

    def take(self, item: Item) -> None:
        """Take in what was heard next."""
        if not isinstance(item, Received) or item.message.index is None:
            return
        index = item.message.index
        number = bisect_right(self._starts, index) - 1
        if number >= len(self._acts):
            return
        if number > self._number:
            self._begin(number)
        outcome = self._all[number]
        after_s = (index - self._starts[number]) / RATE_HZ
        match item.message:
            case IdentityMessage(state="accepted" | "unknown" | "no_contact") as identity:
                if _matters(identity, outcome.act):
                    outcome.note(identity.state, identity.person, after_s, identity.beats)
            case AlarmMessage(end=None) as alarm:
                outcome.note(alarm.kind, None, after_s, 0)
                outcome.caution = alarm.caution
            case StatusMessage() as status:
                self._take_status(outcome, status, after_s)

    def note(self) -> str:
        """Say what is being shown."""
        if self._number < 0:
            return "The service is starting."
        shown = sum(act.expected is not None for act in self._acts[: self._number + 1])
        return f"Act {shown} of {len(self.outcomes)}: {self._acts[self._number].title}."

    def _begin(self, number: int) -> None:
        if self._enrolling:  # too few good beats for it
            self._enrolling = False
            with suppress(CommandRefused):  # it has just ended
                self._ask("cancel")
            self._all[self._number].said = [("not finished", None)]
        self._number = number
        act = self._acts[number]
        if act.expected == "enrolled":
            try:
                self._ask("enroll", person=act.person, beats=act.beats)
            except CommandRefused as refusal:
                self._all[number].note(str(refusal), None, 0.0, 0)

    def _take_status(self, outcome: Outcome, status: StatusMessage, after_s: float) -> None:
        lost = status.counters.lost
        outcome.lost += lost - self._lost
        self._lost = lost
        if outcome.act.expected != "enrolled":
            return
        if status.enrolment is not None:
            self._enrolling = True
            outcome.beats = status.enrolment.beats
        elif self._enrolling:
            self._enrolling = False
            answer = self._ask("enrolment")
            word = "enrolled" if answer["state"] == "done" else answer.get("error", "cancelled")
            outcome.note(word, outcome.act.person, after_s, outcome.act.beats)


def _matters(identity: IdentityMessage, act: Act) -> bool:
    """Pass over who is thought to be there where that is not asked, and nobody before somebody."""
    if act.expected not in ("accepted", "unknown", "no_contact"):
        return False
    return identity.state != "no_contact" or act.expected == "no_contact"
