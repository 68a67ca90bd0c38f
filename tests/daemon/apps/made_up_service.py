"""A made-up service: what it says to a subscriber, message by message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from daemon.wire.client import Item
from daemon.wire.messages import (
    AlarmMessage,
    BeatKindMessage,
    BeatMessage,
    ContactState,
    EpisodeOnWire,
    IdentityMessage,
    IdentityState,
    Kind,
    Message,
    Range,
    Received,
    RhythmMessage,
    RPeakMessage,
    Stamp,
    StatusMessage,
    WaveFlags,
    WaveMessage,
)
from daemon.wire.status import ChipStatus, StatusCounters
from drivers.frame import millivolts_per_count

BEGIN = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
RATE_HZ, CHUNK = 250, 25
MV_PER_COUNT = (millivolts_per_count(4, 2.42), millivolts_per_count(6, 2.42))


def codes(first: int, count: int) -> tuple[tuple[int, int], ...]:
    """Return samples that tell their index: the index, and what it is less than 100,000."""
    return tuple((index, index - 100_000) for index in range(first, first + count))


class Service:
    """Says what happens, ten times a second.

    Args:
        boot: name of this run.
        begin: when its sample 0 was taken.

    Attributes:
        begin: as its clock is set now.
    """

    def __init__(self, boot: str = "a", begin: datetime = BEGIN) -> None:
        self.index = 0
        self._boot = boot
        self.begin = begin

    def say(self, message: Message) -> Item:
        at_s = (message.index or 0) / RATE_HZ
        stamp = Stamp("bench", self._boot, 0, self.begin + timedelta(seconds=at_s), "simulated")
        return Received(stamp, message)

    def waves(
        self,
        seconds: float,
        *,
        lead_off: Sequence[Range] = (),
        saturated: Sequence[Range] = (),
        contact: ContactState = "on",
    ) -> Iterator[Item]:
        """Yield some seconds of waveforms, and the status each second."""
        for _ in range(round(seconds * RATE_HZ / CHUNK)):
            if self.index % RATE_HZ == 0:
                yield self.status(contact)
            chunk = (self.index, self.index + CHUNK)
            flags = WaveFlags(within(chunk, lead_off), ((), within(chunk, saturated)), ())
            yield self.say(
                WaveMessage(
                    self.index,
                    RATE_HZ,
                    MV_PER_COUNT,
                    ("respiration", "ecg"),
                    flags,
                    codes(self.index, CHUNK),
                )
            )
            self.index += CHUNK

    def status(
        self, contact: ContactState = "on", restarts: int = 0, chip: ChipStatus | None = None
    ) -> Item:
        counters, nothing = StatusCounters(restarts=restarts), (None,) * 4
        return self.say(
            StatusMessage(
                self.index,
                "running",
                contact,
                None,
                None,
                None,
                counters,
                chip,
                *nothing,
                clock="set",
            )
        )

    def kind(self, r_index: int, kind: Kind) -> Item:
        return self.say(BeatKindMessage(self.index, r_index, kind, None if kind == "Q" else 0.5))

    def alarm(self, kind: str, onset: int, end: int | None = None) -> Item:
        return self.say(AlarmMessage(self.index, kind, onset, end, (0, self.index), "caution"))

    def rhythm(self, *episodes: EpisodeOnWire) -> Item:
        return self.say(RhythmMessage(self.index, "sinus", 75.0, 0.01, episodes))

    def peak(self, index: int, *, search_back: bool = False) -> Item:
        return self.say(RPeakMessage(index, 1.0, 0.8, search_back))

    def beat(self, index: int, *flaws: str) -> Item:
        return self.say(BeatMessage(index + 104, index, 0.8, 75, 1.0, flaws))

    def identity(self, state: IdentityState) -> Item:
        return self.say(IdentityMessage(self.index, state, None, None, 9))

    def accepts(self, person: str) -> Item:
        return self.say(IdentityMessage(self.index, "accepted", person, 0.99, 9))


def within(chunk: Range, ranges: Sequence[Range]) -> tuple[Range, ...]:
    """Cut ranges to those of a chunk."""
    cut = [(max(begin, chunk[0]), min(end, chunk[1])) for begin, end in ranges]
    return tuple((begin, end) for begin, end in cut if begin < end)


def array(first: int, count: int) -> np.ndarray:
    return np.array(codes(first, count), np.int32)
