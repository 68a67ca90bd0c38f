"""The newest message of each kind, and the newest ECG, as a subscriber got them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import isnan

from daemon.wire.client import Item, Lost, Restarted, Silent
from daemon.wire.messages import (
    AlarmMessage,
    EcgMessage,
    HrvMessage,
    IdentityMessage,
    Received,
    RhythmMessage,
    Stamp,
    StatusMessage,
)

RATE_HZ = 250  # of the service; dsp.front_end, which says so too, would load numpy for --help
KEPT_SAMPLES = 10 * RATE_HZ  # more than a screen is wide


@dataclass(slots=True)
class Scene:
    """The newest of each kind of message, None until there was one, and ten seconds of ECG."""

    stamp: Stamp | None = None  # of the newest message
    status: StatusMessage | None = None  # the newest
    identity: IdentityMessage | None = None  # the newest, until the service falls silent
    hrv: HrvMessage | None = None  # the newest
    rhythm: RhythmMessage | None = None  # the newest, until the service falls silent
    alarm: AlarmMessage | None = None  # the newest, until the next begins or this one ends
    silent_s: float = 0.0  # for how long the service has said nothing
    lost_messages: int = 0  # what this subscriber missed since the service started
    #: the newest samples, each with its index
    ecg: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=KEPT_SAMPLES))

    def take(self, item: Item) -> None:
        """Take in what was heard next."""
        match item:
            case Silent(seconds):
                self.silent_s = seconds
                # somebody else may wear the electrodes by now
                self.identity = self.rhythm = self.alarm = None
            case Lost(_, count):
                self.lost_messages += count
            case Restarted():
                self.status = self.identity = self.hrv = self.rhythm = self.alarm = None
                self.lost_messages = 0
                self.ecg.clear()
            case Received(stamp, message):
                self.silent_s = 0.0
                self.stamp = stamp
                match message:
                    case StatusMessage():
                        self.status = message
                    case IdentityMessage():
                        self.identity = message
                    case HrvMessage():
                        self.hrv = message
                    case RhythmMessage():
                        self.rhythm = message
                    case AlarmMessage():
                        self.alarm = message
                    case EcgMessage(index, _, ecg_mv):
                        measured = (each for each in enumerate(ecg_mv, index) if not isnan(each[1]))
                        self.ecg.extend(measured)

    def columns(self, count: int, samples_each: int) -> list[list[float]]:
        """Return the newest ECG in ``count`` columns of mV, so many samples in each by their index.

        A sample stays in its column while they move left.
        """
        columns: list[list[float]] = [[] for _ in range(count)]
        if self.ecg:
            first = self.ecg[-1][0] // samples_each - count + 1
            for index, ecg_mv in self.ecg:
                if index // samples_each >= first:
                    columns[index // samples_each - first].append(ecg_mv)
        return columns
