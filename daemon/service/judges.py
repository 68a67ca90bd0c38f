"""Judges: they make the messages about each beat that need more than the signal chain.

A judge only computes. What touches a disk, a network or a browser is a program of its own, which
subscribes to the messages.
"""

from __future__ import annotations

from typing import Protocol

from daemon.wire.messages import IdentityMessage, Message
from dsp.front_end import FrontEnd
from dsp.options import FrontEndOptions
from dsp.signals import Event, Sample
from model.recogniser import Recogniser


class Judge(Protocol):
    """Makes messages from the events of the signal chain."""

    def push(self, event: Event, index: int) -> list[Message]:
        """Take one event that the sample of this index completed."""

    def tick(self, sample: Sample) -> list[Message]:
        """Take one sample, after its events: time passes without events too."""


class IdentityJudge:
    """Makes the ``identity`` messages: after each beat, and whenever the decision changes.

    Args:
        recogniser: decides whose heart it is.
        front_end: options of the second signal chain, which takes the inverted signal.
    """

    def __init__(self, recogniser: Recogniser, front_end: FrontEndOptions) -> None:
        self._recogniser = recogniser
        self._options = front_end
        self._inverted: FrontEnd | None = None
        self._said = recogniser.decision

    def push(self, event: Event, index: int) -> list[Message]:
        """Take one event that the sample of this index completed."""
        return [] if self._recogniser.push(event) is None else [self._identity(index)]

    def tick(self, sample: Sample) -> list[Message]:
        """Let evidence age, try the inverted sample if nobody is known, and tell a new decision."""
        self._recogniser.tick(sample.index)
        if not self._recogniser.inverted_wanted:
            self._inverted = None
        else:
            if self._inverted is None:
                self._inverted = FrontEnd(self._options)
            inverted = Sample(sample.index, -sample.ecg_mv, sample.lead_off, sample.saturated)
            for event in self._inverted.push(inverted):
                self._recogniser.push_inverted(event)
        decision = self._recogniser.decision
        if decision is self._said or decision == self._said:
            return []
        return [self._identity(sample.index)]

    def _identity(self, index: int) -> Message:
        self._said = said = self._recogniser.decision
        return IdentityMessage(
            index, said.state, said.person, said.confidence, said.beats, said.hint
        )
