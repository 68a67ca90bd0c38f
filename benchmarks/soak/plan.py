"""What happens in a soak: who wears the electrodes, what goes wrong, and when hearts beat."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drivers.simulator.options import SimulatorOptions
from drivers.waveforms import Contact
from drivers.waveforms.hearts import Heart
from drivers.waveforms.options import AT_REST
from drivers.waveforms.playlist import Playlist, Segment, electrodes_off, play_heart
from dsp.front_end import RATE_HZ

HEARTS = (64, 82)  # unlike enough for the model that comes with qrsd
WORN_S, OFF_S = 300.0, 5.0
LIFE_S = (600.0, 3000.0)  # of an acquisition process
FAULTS_A_LIFE = 5
DRIFT_PPM = 200.0  # of a chip's oscillator, at most
REMEMBERED = 30  # beats: those of the last ten seconds at the least
RECENT_S = 0.01  # between two conversions

#: What passes. The times of its beginning are drawn.
PASSING = (
    "byte-slip@{}+1",
    "bit-slip@{}+0.02",
    "drdy-stuck-high@{}+0.4",
    "drdy-stuck-low@{}+0.05",
    "missing-edges=0.001@{}+60",
    "duplicate-edges=0.05@{}+60",
    "lgpio-hold@{}+60",
    "reader-pause=0.02@{}+60",
    "brown-out@{}",
    "electrode-off@{}+5",
    "register-flip=0x0510@{}",
    "spi-error=0.01@{}+30",
    "foreign-traffic=0.1@{}+60",
    "no-chip-00@{}+0.5",
)
#: How a life ends, besides by a kill.
FATAL = ("no-chip-ff@{}", "drdy-stuck-high@{}", "drdy-stuck-low@{}")


@dataclass(frozen=True, slots=True)
class Life:
    """One run of the acquisition process."""

    simulator: SimulatorOptions  # its chip, with what goes wrong
    seconds: float  # after so long it is killed at the latest


def lives(seed: int, life_s: tuple[float, float] = LIFE_S) -> Iterator[Life]:
    """Yield one life after another, each with other faults and not all as long, without end."""
    random = Random(seed)
    while True:
        seconds = random.uniform(*life_s)
        faults = [_at(random, fault, seconds) for fault in random.sample(PASSING, FAULTS_A_LIFE)]
        names = {fault.partition("@")[0].partition("=")[0] for fault in faults}
        if random.random() < 0.5:
            fatal = [fault for fault in FATAL if fault.partition("@")[0] not in names]
            faults.append(random.choice(fatal).format(f"{0.9 * seconds:.3f}"))
        ppm = random.uniform(-DRIFT_PPM, DRIFT_PPM)
        seed_of_chip = random.randrange(2**32)
        yield Life(
            SimulatorOptions(seed=seed_of_chip, clock_error_ppm=ppm, faults=tuple(faults)), seconds
        )


def _at(random: Random, fault: str, seconds: float) -> str:
    return fault.format(f"{random.uniform(5, seconds):.3f}")


class Beat(NamedTuple):
    """A beat of the heart that wears the electrodes."""

    time_s: float  # when R came
    wearer: str  # whose it was


class Play:
    """Electrodes on two hearts in turn, off in between, for ever; they remember the last beats.

    Args:
        now: tells when the conversion is that looks at the electrodes.
    """

    duration_s = None

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._beats: list[Beat] = []
        segments: list[Segment] = []
        for heart in map(Heart, HEARTS):
            begin_s = sum(segment.samples for segment in segments) / RATE_HZ
            worn = (beat_s for beat_s in _beats_s(heart) if beat_s < WORN_S)
            self._beats += [Beat(begin_s + beat_s, heart.name) for beat_s in worn]
            segments += [play_heart(heart, WORN_S, 0.0, AT_REST), electrodes_off(OFF_S)]
        self._playlist = Playlist(segments, repeat=True)
        self._period_s = sum(segment.samples for segment in segments) / RATE_HZ
        self._before_s = self._next_s = 0.0
        self._played: deque[Beat] = deque(maxlen=REMEMBERED)

    def playing(self, time_s: float) -> str:
        """Name who wears the electrodes."""
        return self._playlist.playing(time_s)

    def at(self, time_s: float) -> Contact:
        """Return what the electrodes see."""
        if not self._before_s <= time_s < self._next_s:
            self._remember(time_s)
        self._before_s = time_s
        return self._playlist.at(time_s)

    def _remember(self, time_s: float) -> None:
        """Remember the beat that has come, and find the next; the chip may have begun anew."""
        begin_s = time_s - time_s % self._period_s
        at = bisect_right(self._beats, (time_s - begin_s, ""))
        if time_s > self._before_s and at:
            time_of_beat_s, wearer = self._beats[at - 1]
            since_s = time_s - begin_s - time_of_beat_s
            if since_s < RECENT_S:
                self._played.append(Beat(self._now() - since_s, wearer))
        following_s = self._beats[at].time_s if at < len(self._beats) else self._period_s
        self._next_s = begin_s + following_s

    def nearest(self, time_s: float) -> Beat | None:
        """Return which of the beats that were played last came nearest to a time."""
        return min(self._played, key=lambda beat: abs(beat.time_s - time_s), default=None)


def _beats_s(heart: Heart) -> NDArray[np.float64]:
    """Return when R comes, in seconds: where the phase passes a whole turn."""
    turns = heart.phase_rad / (2 * np.pi)
    whole = np.arange(np.ceil(turns[0]), turns[-1])
    samples = np.interp(whole, turns, np.arange(len(turns)))
    beats_s: NDArray[np.float64] = samples / RATE_HZ
    return beats_s
