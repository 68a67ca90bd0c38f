"""What ten seconds of samples say: rate and jitter of DRDY, losses, electrodes, mains."""

from __future__ import annotations

import numpy as np

from daemon.doctor.board import registers
from daemon.doctor.samples import SECONDS, from_chip, from_service
from daemon.doctor.software import settings
from daemon.doctor.visit import Samples, Timing, Visit
from daemon.doctor.walk import Finding, check, fine, note, skipped, wrong
from daemon.tables import counted
from drivers.counters import against_late_reads
from drivers.errors import (
    ChannelFlat,
    ChannelSaturated,
    ChannelZero,
    ClockOff,
    LateReads,
    LeadOffUnknown,
)
from dsp.front_end import FrontEnd
from dsp.hum import GRIDS_HZ, hum_mv, telling
from dsp.signals import BeatWindow, Sample

#: What the datasheet allows the oscillator at 25 C; over all temperatures it is 1.5 %.
ROOM_TEMPERATURE_PPM = 5000
#: Reads that end so late, as a share of the period, come close to losing samples.
LATE_SHARE = 0.5
#: So few lost samples mean a machine that is busy now and then; more, that something is wrong.
HARMLESS_SHARE = 1e-3
#: lgpio withholds each edge for 0.5 ms, and its thread wakes each 0.5 ms.
WITHHELD_S = 0.5e-3

STRONG_MV = 0.2
TELLING_BEATS = 5  # good ones in ten seconds are a heart's
FLICKERS_HZ = 1 / 60  # lead-off bits set for a moment more often are a bad contact ...
FEWEST_FLICKERS = 2  # ... and not one in ten seconds


@check("samples", registers)
def samples(visit: Visit) -> Finding:
    """Do samples come?"""
    visit.samples = from_service(*visit.way_in) if visit.running else from_chip(visit)
    return fine(f"{len(visit.samples.ecg_mv)} in {SECONDS} s")


@check("DRDY rate", samples)
def rate(visit: Visit) -> Finding:
    """Is the chip's oscillator where it should be?"""
    measured = visit.samples
    ppm = (measured.rate_hz / measured.nominal_hz - 1) * 1e6
    text = f"{measured.rate_hz:.3f} Hz, {ppm:+.0f} ppm from nominal"
    figures = {"rate_hz": measured.rate_hz, "ppm": ppm}
    if off := measured.conditions.get(ClockOff.code):
        return wrong(off, **figures)
    if abs(ppm) > ROOM_TEMPERATURE_PPM:
        return note(f"{text}: within 1.5 %, though at 25 C the oscillator keeps 0.5 %", **figures)
    return fine(text, **figures)


@check("DRDY jitter", settings, samples)
def jitter(visit: Visit) -> Finding:
    """Do edges come in step, and are they told in time?"""
    timing = visit.samples.timing
    if timing is None:
        return skipped("a running service does not pass it on; its metrics do (metrics.port)")
    figures = _percentiles(timing)
    text = (
        f"p50 {figures['jitter_p50_us']:.0f}, p99 {figures['jitter_p99_us']:.0f}, most "
        f"{figures['jitter_max_us']:.0f} us; read within {figures['delay_p50_us']:.0f} us of the "
        f"edge, at most {figures['delay_max_us']:.0f}"
    )
    period_us = 1e6 / visit.samples.nominal_hz
    if figures["delay_p99_us"] > LATE_SHARE * period_us:
        return wrong(
            f"{text}: a sample is overwritten after {period_us:.0f}; stop what keeps the machine "
            f"busy, or {against_late_reads()}.",
            **figures,
        )
    if figures["delay_max_us"] > period_us:
        return note(f"{text}: something held the reader up for more than a sample", **figures)
    if figures["delay_p50_us"] > WITHHELD_S * 1e6:
        return note(f"{text}: lgpio withholds edges; board.drdy_backend: gpiod does not", **figures)
    return fine(text, **figures)


def _percentiles(timing: Timing) -> dict[str, float]:
    """Return median, 99th percentile and greatest of both, in microseconds."""
    return {
        f"{name}_{part}_us": float(np.percentile(np.abs(seconds), percent) * 1e6)
        for name, seconds in (("jitter", timing.jitter_s), ("delay", timing.delay_s))
        for part, percent in (("p50", 50), ("p99", 99), ("max", 100))
    }


@check("losses", samples)
def losses(visit: Visit) -> Finding:
    """Did samples get lost, and did the chip have to be set up again?"""
    measured = visit.samples
    said = _what_was_lost(measured)
    share = measured.lost / (measured.taken + measured.lost)
    names = ("bad_frames", "late_reads", "duplicate_edges", "bus_errors", "reinitialisations")
    figures = {"lost": float(measured.lost)} | {
        name: float(measured.counters[name]) for name in names
    }
    if not said:
        return fine("none lost, none bad, none late", **figures)
    if share > HARMLESS_SHARE or (visit.running is None and measured.last_fault):
        return wrong(" ".join(said), **figures)
    return note(" ".join(said), **figures)


def _what_was_lost(measured: Samples) -> list[str]:
    counters, said = measured.counters, []
    if measured.lost:
        of = counted(measured.taken + measured.lost, "sample")
        said.append(f"{measured.lost} of {of} {'was' if measured.lost == 1 else 'were'} lost.")
    if late := measured.conditions.get(LateReads.code):
        said.append(late)
    if measured.last_fault:
        said.append(f"The chip was set up again: {measured.last_fault}")
    elif counters["reinitialisations"]:
        said.append("It took more than one try to set the chip up: check the supply.")
    elif counters["bus_errors"]:
        said.append(f"{counters['bus_errors']:.0f} SPI transfers failed: dmesg tells why.")
    elif measured.lost and not late:
        said.append(
            "Look for what keeps the machine busy or else uses the bus, and try "
            "board.drdy_backend: gpiod."
        )
    elif counters["duplicate_edges"]:
        said.append(
            f"{counters['duplicate_edges']:.0f} edges announced no sample, so DRDY rings: keep its "
            "wire short, and away from SCLK."
        )
    return said


@check("channels", samples)
def channels(visit: Visit) -> Finding:
    """Do both channels move?"""
    said = [
        text
        for kind in (ChannelSaturated, ChannelFlat, ChannelZero)
        if (text := visit.samples.conditions.get(kind.code))
    ]
    span_mv = float(np.ptp(visit.samples.ecg_mv))
    if visit.samples.off:
        return skipped("the electrodes are off, and without a body nothing need move")
    if said:
        return wrong(" ".join(said), span_mv=span_mv)
    return fine(f"the ECG's spans {span_mv:.3g} mV", span_mv=span_mv)


@check("electrodes", samples)
def electrodes(visit: Visit) -> Finding:
    """Do they touch the skin?"""
    measured = visit.samples
    off = measured.off
    if off is None:
        return note(measured.conditions.get(LeadOffUnknown.code, "the service cannot tell"))
    if off and (beats := _good_beats_while_off(measured)) >= TELLING_BEATS:
        return wrong(
            f"said to be off for {off:.0%} of the time, though {beats} heartbeats came then: the "
            "comparators cannot be right, as on a board that couples the electrodes through "
            "capacitors; set chip.lead_off: false",
            off=off,
        )
    if off:
        return note(
            f"off for {off:.0%} of the time: put them on, with fresh gel and the plug right in, to "
            "have the rest looked at",
            off=off,
        )
    often = FLICKERS_HZ * measured.taken / measured.nominal_hz
    if measured.flickers >= max(FEWEST_FLICKERS, often):
        return note(
            f"on, but said to be off for a moment {counted(measured.flickers, 'time')}: push the "
            "plug right in, and take fresh gel",
            off=off,
            flickers=measured.flickers,
        )
    return fine("on", off=off)


def _good_beats_while_off(measured: Samples) -> int:
    """Count the beats that are plainly an ECG's, though the electrodes are said to be off."""
    assert measured.off_at is not None
    front_end = FrontEnd()
    return sum(
        isinstance(event, BeatWindow)
        and event.quality.good
        and bool(measured.off_at[event.r_index])
        for index, ecg_mv in enumerate(measured.ecg_mv.tolist())
        for event in front_end.push(Sample(index, ecg_mv, None))
    )


@check("mains", settings, samples)
def mains(visit: Visit) -> Finding:
    """Which grid hums, and is it the one that is filtered out?"""
    measured, setting_hz = visit.samples, visit.settings.front_end.mains_hz
    if measured.off:
        return skipped("the electrodes are off, and without a body there is no telling")
    weaker, stronger = sorted(
        (hum_mv(measured.ecg_mv, measured.time_s, grid_hz), grid_hz) for grid_hz in GRIDS_HZ
    )
    figures = {f"hum_{grid_hz}_hz_mv": hum for hum, grid_hz in (weaker, stronger)}
    text = f"{stronger[0]:.3f} mV at {stronger[1]} Hz, {weaker[0]:.3f} mV at {weaker[1]} Hz"
    if not telling(stronger[0], weaker[0]):
        return fine(f"{text}: too little to tell the grid", **figures)
    if stronger[1] != setting_hz:
        return wrong(
            f"{text}: set front_end.mains_hz: {stronger[1]}, now it is {setting_hz}", **figures
        )
    if stronger[0] > STRONG_MV:
        return note(
            f"{text}, which is filtered out but much: run from the battery, connect RL, keep the "
            "wires together",
            **figures,
        )
    return fine(f"{text}: front_end.mains_hz: {setting_hz} is right", **figures)
