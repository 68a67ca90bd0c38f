"""What a subscriber hears, as seconds of samples without a gap, each with its annotations.

A sample has a position on the timeline, which goes on where the service is restarted. What was lost
is filled in up to a minute; a longer gap, a chip that is set up otherwise, or a clock that is set
breaks the timeline.
A second is handed out when its annotations had time to come: a beat is judged 0.4 s after its R.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isclose

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.recorded import (
    LEAD_OFF,
    LEAD_ON,
    LOST,
    LOST_SAMPLES,
    R_PEAK,
    Annotation,
    Layout,
    RecordedSignal,
)
from daemon.tables import counted
from daemon.wire.client import Item, Lost, Silent
from daemon.wire.errors import MessageError
from daemon.wire.messages import (
    BeatKindMessage,
    BeatMessage,
    IdentityMessage,
    Message,
    Range,
    Received,
    RhythmMessage,
    RPeakMessage,
    Stamp,
    StatusMessage,
    WaveMessage,
)
from drivers.frame import millivolts_per_count
from drivers.registers import GAIN_CODES, VREF_HIGH_V, VREF_LOW_V

LONGEST_GAP_S = 60.0
CLOCK_STEP_S = 1.0  # by which the service's time leaps where no sample is missing
HELD_S = 0.75  # with a sync each 5 s, a power cut costs 6 s at most
PATIENCE_S = 0.5  # what begins again within it has never ended: a saturation by hum, say
IDENTITY = "Identity "
#: What ends: what it was
ENDS = {
    LEAD_ON: LEAD_OFF,
    "Channel 1 within range": "Channel 1 saturated",
    "Channel 2 within range": "Channel 2 saturated",
}
NAMES = {"ecg": "ECG", "respiration": "Resp", "off": "Unused"}


@dataclass(frozen=True, slots=True, eq=False)
class Second:
    """A second of samples, or what there is of the last one."""

    layout: Layout  # what the samples are; its begin is that of this second
    begin: int  # position of the first sample
    codes: NDArray[np.int32]  # shape (n, 2)
    annotations: tuple[Annotation, ...]  # of this second, or come too late for theirs
    #: what was so when it began, as at its first sample: an electrode off, an identity, a gap
    going_on: tuple[Annotation, ...]
    continues: bool  # whether it follows the second before without a break


class Stretches:
    """Something that begins and ends, such as an electrode that is off."""

    def __init__(self, begins: str, ends: str) -> None:
        self._begins, self._ends = begins, ends
        self._end: int | None = None  # of the newest range; None while there is none

    def take(self, ranges: Iterable[Range], now: int, patience: int) -> Iterator[Annotation]:
        """Yield what begins and ends by some more ranges, of samples before ``now``."""
        for begin, end in ranges:
            yield from self._close(begin, patience)
            if self._end is None:
                yield Annotation(begin, self._begins)
            self._end = end
        yield from self._close(now, patience)

    def _close(self, now: int, patience: int) -> Iterator[Annotation]:
        if self._end is not None and now - self._end > patience:
            yield Annotation(self._end, self._ends)
            self._end = None


class Timeline:
    """Makes seconds of messages.

    Args:
        name_of: returns what to call an enrolled person.

    Attributes:
        now: position of the next sample.
    """

    def __init__(self, name_of: Callable[[str], str]) -> None:
        self._name_of = name_of
        self.now = 0
        self._layout: Layout | None = None  # of what comes now; None after a break
        self._begin = 0  # position where the timeline began, or began again
        self._end_utc = datetime.min  # when the next sample is expected
        self._boot = ""
        self._offset = 0  # of positions to indices
        self._restarts = 0  # of acquisition, and of the chip
        self._held = np.empty((0, 2), np.int32)
        self._forget()

    def _forget(self) -> None:
        """Begin anew after a break."""
        self._layout = None
        self._who = ""
        self._annotations: list[Annotation] = []
        self._peaks: dict[int, str] = {}  # position: what its annotation says
        self._episodes: set[tuple[str, int]] = set()  # kind and onset of those that last
        self._stretches = [Stretches(begins, ends) for ends, begins in ENDS.items()]
        self._going_on: tuple[str, ...] = ()
        self._gaps: list[range] = []  # positions that were lost and are not handed out yet

    @property
    def is_broken(self) -> bool:
        """Tell whether nothing is known of the next sample."""
        return self._layout is None

    def take(self, item: Item) -> list[Second]:
        """Take in what was heard next, and return the seconds that are complete by it."""
        match item:
            case Received(stamp, WaveMessage() as wave):
                return self._take_wave(stamp, wave)
            case Received(stamp, message) if stamp.boot == self._boot:
                self._annotate(message)
            case Lost(topic, count) if topic != WaveMessage.TOPIC:
                self.note(f"{counted(count, f'{topic} message')} lost")
            case Silent(seconds):
                return self.end() if seconds >= LONGEST_GAP_S else list(self._whole(0))
        return []

    def note(self, text: str) -> None:
        """Annotate the newest sample."""
        self._annotations.append(Annotation(max(0, self.now - 1), text))

    def end(self) -> list[Second]:
        """Return what is left, and break the timeline."""
        seconds = list(self._whole(0))
        if self._layout is not None and len(self._held):
            seconds.append(self._second(self._layout, len(self._held)))
        self._forget()
        return seconds

    def _take_wave(self, stamp: Stamp, wave: WaveMessage) -> list[Second]:
        signals = tuple(map(_signal, wave.channels, wave.mv_per_count))
        same_run = stamp.boot == self._boot
        gap = self._gap(stamp, wave)
        if same_run and gap < 0:
            return []
        broken: list[Second] = []
        layout = self._layout
        alike = layout and (layout.signals, layout.rate_hz) == (signals, wave.rate_hz)
        is_set = same_run and self._clock_leap_s(stamp, gap / wave.rate_hz) > CLOCK_STEP_S
        if not alike or is_set or not 0 <= gap <= LONGEST_GAP_S * wave.rate_hz:
            broken, gap = self.end(), 0
            self._begin = self.now
            self._layout = Layout(signals, wave.rate_hz, stamp.source, stamp.utc)
        elif not same_run:
            self._annotations.append(Annotation(self.now, "Service restarted"))
        if gap:
            self._annotations.append(Annotation(self.now, LOST_SAMPLES, gap))
            self._gaps.append(range(self.now, self.now + gap))
            self._add(np.full((gap, 2), LOST, np.int32))
        self._boot, self._offset = stamp.boot, self.now - wave.index
        self._add(np.array(wave.counts, np.int32).reshape(-1, 2))
        self._end_utc = stamp.utc + timedelta(seconds=len(wave.counts) / wave.rate_hz)
        self._take_flags(wave)
        return broken + list(self._whole(HELD_S))

    def _take_flags(self, wave: WaveMessage) -> None:
        flags = (wave.flags.lead_off or (), *wave.flags.saturated)
        patience = round(PATIENCE_S * wave.rate_hz)
        for stretch, ranges in zip(self._stretches, flags, strict=True):
            moved = [(begin + self._offset, end + self._offset) for begin, end in ranges]
            self._annotations += stretch.take(moved, self.now, patience)

    def _gap(self, stamp: Stamp, wave: WaveMessage) -> int:
        """Return how many samples are missing before a message; below 0 it is no continuation."""
        if stamp.boot == self._boot:
            return wave.index + self._offset - self.now
        if self._layout is None:
            return 0
        return round((stamp.utc - self._end_utc).total_seconds() * wave.rate_hz)

    def _clock_leap_s(self, stamp: Stamp, gap_s: float) -> float:
        """Return by how much a message's time is another than that of the samples before it."""
        return abs((stamp.utc - self._end_utc).total_seconds() - gap_s)

    def _add(self, codes: NDArray[np.int32]) -> None:
        self._held = np.concatenate([self._held, codes])
        self.now += len(codes)

    def _annotate(self, message: Message) -> None:
        match message:
            case RPeakMessage(index=index, search_back=search_back):
                if index + self._offset >= self._begin:
                    late = " (search back)" if search_back else ""
                    self._peaks[index + self._offset] = R_PEAK + late
            case BeatMessage(r_index=index, flaws=flaws):
                if flaws and index + self._offset in self._peaks:
                    self._peaks[index + self._offset] = f"{R_PEAK} ({', '.join(flaws)})"
            case BeatKindMessage(r_index=index, kind="S" | "V" | "F" as kind):
                if index + self._offset >= self._begin:
                    self._annotations.append(Annotation(index + self._offset, f"Beat {kind}"))
            case RhythmMessage() as rhythm:
                self._annotations += self._of_rhythm(rhythm)
            case IdentityMessage(index=index) as identity:
                who = self._identity(identity)
                if who != self._who:
                    at = max(self._begin, index + self._offset)
                    self._annotations.append(Annotation(at, who))
                self._who = who
            case StatusMessage(counters=counters):
                restarts = counters.restarts + counters.reinitialisations
                if restarts > self._restarts:
                    self.note("Chip set up again")
                self._restarts = restarts

    def _of_rhythm(self, rhythm: RhythmMessage) -> Iterator[Annotation]:
        """Yield what began and ended, none of it before the timeline began."""
        for each in rhythm.episodes:
            words = each.kind.replace("_", " ")
            if (each.kind, each.onset) not in self._episodes:
                onset = max(self._begin, each.onset + self._offset)
                yield Annotation(onset, words.capitalize())
            if each.end is not None:
                end = max(self._begin, each.end + self._offset)
                yield Annotation(end, f"End of {words}")
        self._episodes = {(each.kind, each.onset) for each in rhythm.episodes if each.end is None}

    def _identity(self, identity: IdentityMessage) -> str:
        who = f": {self._name_of(identity.person)}" if identity.person else ""
        hint = f" ({identity.hint})" if identity.hint else ""
        return f"{IDENTITY}{identity.state}{who}{hint}"

    def _whole(self, held_s: float) -> Iterator[Second]:
        """Yield the seconds that are complete, and whose end is so long ago."""
        if self._layout is not None:
            rate_hz = round(self._layout.rate_hz)
            while len(self._held) >= rate_hz * (1 + held_s):
                yield self._second(self._layout, rate_hz)

    def _second(self, layout: Layout, samples: int) -> Second:
        begin = self.now - len(self._held)
        end = begin + samples
        for position in [position for position in self._peaks if position < end]:
            self._annotations.append(Annotation(position, self._peaks.pop(position)))
        ordered = sorted(self._annotations, key=lambda each: each.sample)
        due = tuple(each for each in ordered if each.sample < end)
        self._annotations = ordered[len(due) :]
        ago = timedelta(seconds=len(self._held) / layout.rate_hz)
        going_on = [Annotation(begin, text) for text in self._going_on]
        self._gaps = [gap for gap in self._gaps if gap.stop > begin]
        going_on += [
            Annotation(begin, LOST_SAMPLES, gap.stop - begin)
            for gap in self._gaps
            if gap.start < begin
        ]
        second = Second(
            replace(layout, begin_utc=self._end_utc - ago),
            begin,
            self._held[:samples],
            due,
            tuple(going_on),
            continues=begin > self._begin,
        )
        self._held = self._held[samples:]
        self._going_on = _after(due, self._going_on)
        return second


def _signal(role: str, mv_per_count: float) -> RecordedSignal:
    """Return what a channel records; the chip has few gains and references."""
    for vref_v in (VREF_LOW_V, VREF_HIGH_V):
        for gain in GAIN_CODES:
            if isclose(millivolts_per_count(gain, vref_v), mv_per_count, rel_tol=1e-6):
                return RecordedSignal(NAMES.get(role, role), gain, vref_v)
    raise MessageError(f"A count of {mv_per_count:g} mV is of no gain and reference of the chip.")


def _after(annotations: Iterable[Annotation], going_on: tuple[str, ...]) -> tuple[str, ...]:
    """Return what goes on after some annotations, of what went on before them."""
    now = list(going_on)
    for text in (each.text for each in annotations):
        over = [each for each in now if each == ENDS.get(text)]
        if text.startswith(IDENTITY):
            over = [each for each in now if each.startswith(IDENTITY)]
        now = [each for each in now if each not in over]
        if text.startswith(IDENTITY) or text in ENDS.values():
            now.append(text)
    return tuple(now)
