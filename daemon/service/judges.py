"""Judges turn events of the signal chain into messages.

A judge only computes. What touches a disk, a network or a browser is a program of its own, which
listens to the messages.
"""

from __future__ import annotations

from typing import Protocol

from daemon.wire.messages import IdentityMessage, Message
from dsp.front_end import FrontEnd
from dsp.options import FrontEndOptions
from dsp.signals import Event, Sample
from model.recogniser import Recogniser


class Judge(Protocol):
    """Makes messages of events, in the order of both."""

    def push(self, event: Event, index: int) -> list[Message]:
        """Take one event that the sample of this index completed."""
        ...

    def tick(self, sample: Sample) -> list[Message]:
        """Take one sample, after its events: time passes without events too."""
        ...


class IdentityJudge:
    """Says whose heart it is: after each beat, and whenever that changes.

    Args:
        recogniser: decides.
        front_end: what can be set on the signal chain, to hear the signal upside down too.
    """

    def __init__(self, recogniser: Recogniser, front_end: FrontEndOptions) -> None:
        self._recogniser = recogniser
        self._options = front_end
        self._upside_down: FrontEnd | None = None
        self._said = recogniser.decision

    def push(self, event: Event, index: int) -> list[Message]:
        """Take one event that the sample of this index completed."""
        return [] if self._recogniser.push(event) is None else [self._identity(index)]

    def tick(self, sample: Sample) -> list[Message]:
        """Let evidence age, hear the sample upside down if nobody is known, say what changed."""
        self._recogniser.tick(sample.index)
        if not self._recogniser.listens_upside_down:
            self._upside_down = None
        else:
            if self._upside_down is None:
                self._upside_down = FrontEnd(self._options)
            inverted = Sample(sample.index, -sample.ecg_mv, sample.lead_off, sample.saturated)
            for event in self._upside_down.push(inverted):
                self._recogniser.push_upside_down(event)
        decision = self._recogniser.decision
        if decision is self._said or decision == self._said:
            return []
        return [self._identity(sample.index)]

    def _identity(self, index: int) -> Message:
        self._said = said = self._recogniser.decision
        return IdentityMessage(
            index, said.state, said.person, said.confidence, said.beats, said.hint
        )
