"""The figures of a soak, and what is held against them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from rich.table import Table
from rich.text import Text

from benchmarks.soak.listener import BeatTimes, slope
from benchmarks.soak.machine import Taken
from daemon.tables import filled

RSS_GROWTH_MIB = 4.0
BLOCKS_GROWTH = 5000
#: The signal chain's rings hold 12,288 floats, 288 KiB, and none just after a restart.
TRACED_GROWTH_KIB = 512.0
#: Counting by the edges' times is off by one at each new start of the chip's converter, and the
#: chip's own rate is not known while it is not there.
COUNTS_APART = 3.0
BEATS_OFF = 0.02
SAMPLE_MS = 4.0
DRIFT_MS_PER_HOUR = 0.5
SHORT_HOURS = 2.0  # less tells nothing about slopes: buffers still fill, beats scatter


class Ruling(NamedTuple):
    """One thing that must hold."""

    what: str
    holds: bool
    figure: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Samples and messages, as several have counted them."""

    produced: float  # by the time between the chips' edges
    read: int  # from the pipes
    received: int  # by the service
    lost: int  # by the service
    starts: int  # of the acquisition process and, within it, of the chip
    messages_lost: int  # on the way to the subscriber
    asked: int  # requests
    answered: int  # answers that said ok
    accepted: int  # decisions that it is the one who is enrolled, when it is ...
    mistaken: int  # ... and when it is not


@dataclass(frozen=True, slots=True)
class Figures:
    """All that a soak has measured; hours are virtual ones."""

    hours: float
    wall_s: float
    seed: int
    counts: Counts
    beat_times: BeatTimes
    looks: Sequence[Taken]
    traced_kib: float | None
    traced_where: Sequence[str]

    def rulings(self) -> Iterator[Ruling]:
        """Yield what must hold, and whether it does."""
        counts, times = self.counts, self.beat_times
        counted = counts.received + counts.lost
        yield Ruling(
            "produced = received + counted lost",
            abs(counted - counts.produced) <= COUNTS_APART * counts.starts,
            f"{counts.produced:.0f} = {counts.received} + {counts.lost}, "
            f"off by {counted - counts.produced:+.0f} over {counts.starts} starts",
        )
        yield Ruling(
            "what came through the pipe was received",
            counts.read == counts.received,
            f"{counts.read} of {counts.received}",
        )
        yield Ruling(
            "no message is lost", counts.messages_lost == 0, f"{counts.messages_lost} lost"
        )
        yield Ruling(
            "every request is answered",
            counts.asked == counts.answered,
            f"{counts.answered} of {counts.asked}",
        )
        yield Ruling(
            "beats are where hearts beat",
            times.beats > 0 and times.off <= BEATS_OFF * times.beats,
            f"{times.off} of {times.beats} are not",
        )
        yield from self._drift()
        yield from self._machine()

    def _drift(self) -> Iterator[Ruling]:
        errors_ms = [error for _, error in self.beat_times.medians]
        if errors_ms:
            spread_ms = max(errors_ms) - min(errors_ms)
            span = f"medians from {min(errors_ms):+.2f} to {max(errors_ms):+.2f} ms"
            yield Ruling("beat times stay within a sample", spread_ms <= SAMPLE_MS, span)
        drift = slope(self.beat_times.medians)
        if drift is not None and self.hours >= SHORT_HOURS:
            yield Ruling(
                "beat times do not drift",
                abs(drift) <= DRIFT_MS_PER_HOUR,
                f"{drift:+.4f} ms an hour",
            )

    def _machine(self) -> Iterator[Ruling]:
        earlier = [look for look in self.looks if look.hours < self.hours / 2]
        later = [look for look in self.looks if look.hours >= self.hours / 2]
        if len(later) < 3:
            return
        first, last = later[0], later[-1]
        rss_slope = slope([(look.hours, look.rss_mib) for look in later])
        yield Ruling(
            "resident memory is flat over the second half",
            last.rss_mib - first.rss_mib <= RSS_GROWTH_MIB,
            f"{first.rss_mib:.1f} to {last.rss_mib:.1f} MiB, {rss_slope:+.4f} MiB an hour",
        )
        before, after = (max(look.descriptors for look in half) for half in (earlier, later))
        yield Ruling(
            "descriptors are no more than in the first half",
            after <= before,
            f"{before}, then {after}",
        )
        if self.hours < SHORT_HOURS:
            return
        fewest, fewest_later = (min(look.blocks for look in part) for part in _halved(later))
        yield Ruling(
            "Python's objects are as few as before, each time that rings were emptied",
            fewest_later - fewest <= BLOCKS_GROWTH,
            f"{fewest} in the third quarter, {fewest_later} in the last",
        )
        if self.traced_kib is not None:
            yield Ruling(
                "nothing that was allocated at the end is kept (tracemalloc)",
                self.traced_kib <= TRACED_GROWTH_KIB,
                f"{self.traced_kib:+.0f} KiB",
            )

    @property
    def passed(self) -> bool:
        """Whether everything holds."""
        return all(ruling.holds for ruling in self.rulings())

    def as_json(self) -> dict[str, Any]:
        """Return everything."""
        return {
            "passed": self.passed,
            "hours": self.hours,
            "wall_s": round(self.wall_s, 1),
            "speed": round(self.hours * 3600 / self.wall_s, 1),
            "seed": self.seed,
            "counts": asdict(self.counts),
            **self.beat_times.as_json(),
            "traced_kib": self.traced_kib,
            "traced_where": list(self.traced_where),
            "rulings": [ruling._asdict() for ruling in self.rulings()],
            "looks": [look._asdict() for look in self.looks],
        }

    def table(self) -> Table:
        """Draw the rulings."""
        speed = self.hours * 3600 / self.wall_s
        title = f"{self.hours:g} hours of ECG on a simulated chip, {speed:.0f} times real time"
        rows = (
            (what, "yes" if holds else Text("no", "bold red"), figure)
            for what, holds, figure in self.rulings()
        )
        return filled(title, ("what must hold", "does it?", "measured"), rows)


def _halved(looks: Sequence[Taken]) -> tuple[Sequence[Taken], Sequence[Taken]]:
    middle = len(looks) // 2
    return looks[:middle], looks[middle:]
