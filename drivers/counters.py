"""What a stream counts, and what it has to say about it: conditions that are not failures."""

from __future__ import annotations

import os
from dataclasses import dataclass

from drivers.chip_setup import ChipSetup
from drivers.errors import ClockOff, Condition, LateReads, LeadOffUnknown, SamplesLost

#: The oscillator may be off by 1.5 %; beyond this share it is no longer as it should be.
CLOCK_OFF = 0.02


@dataclass(frozen=True, slots=True)
class Counters:
    """What has happened since streaming began."""

    frames: int = 0  # handed out
    lost: int = 0  # samples that were converted but not handed out; jumps of the index add up to it
    bad_frames: int = 0  # without the fixed status bits, dropped
    #: read after an edge between two samples, which casts doubt on what was read
    off_beat_frames: int = 0
    late_reads: int = 0  # not finished when the next sample was due, dropped
    #: with the very counts of the frame before: a sample read twice, a chip that stands still,
    #: saturated channels, or chance where only one channel is on
    repeated_frames: int = 0
    duplicate_edges: int = 0  # edges that announced no new sample
    unseen_edges: int = 0  # edges that the kernel's queue dropped
    watchdog_reads: int = 0  # made because DRDY was low and no edge had come
    bus_errors: int = 0  # transfers that the kernel failed
    reinitialisations: int = 0  # times the chip was reset and set up again
    saturated_frames: int = 0  # with the ECG channel at the end of its range
    latency_max_s: float = 0.0  # longest time from an edge to the start of its read


def against_late_reads() -> str:
    """Return what to try; SCHED_FIFO only where this process did not get it."""
    if os.sched_getscheduler(0) == os.SCHED_FIFO:
        return "set board.drdy_backend: gpiod"
    return "allow SCHED_FIFO to the acquisition, or set board.drdy_backend: gpiod"


def conditions_of(
    counters: Counters, rate_ratio: float | None, setup: ChipSetup
) -> tuple[Condition, ...]:
    """Return what is not as it should be though frames keep coming.

    Args:
        counters: of the stream.
        rate_ratio: measured over nominal rate, None while it is not known.
        setup: of the chip.
    """
    found: list[Condition] = []
    if rate_ratio is not None and abs(rate_ratio - 1) > CLOCK_OFF:
        found.append(
            ClockOff(
                f"The chip samples at {rate_ratio:.3f} times its nominal rate, and its oscillator "
                "may be off by 1.5 % only: check CLKSEL and an external clock on CLK; 3 % "
                "together with a wrong ID points to a damaged trim."
            )
        )
    if counters.lost:
        found.append(
            SamplesLost(
                f"{counters.lost} {'sample was' if counters.lost == 1 else 'samples were'} lost, "
                f"{counters.late_reads} of them to late reads "
                f"and {counters.bad_frames} to bad frames."
            )
        )
    if counters.late_reads:
        found.append(
            LateReads(
                f"{counters.late_reads} {'read' if counters.late_reads == 1 else 'reads'} came too "
                "late, the worst "
                f"{counters.latency_max_s * 1000:.1f} ms after its edge: {against_late_reads()}."
            )
        )
    if not setup.lead_off_known:
        found.append(
            LeadOffUnknown(
                "Lead-off detection is not on, so whether the electrodes are on is unknown: set "
                "chip.lead_off: true."
            )
        )
    return tuple(found)
