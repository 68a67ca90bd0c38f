"""The pictures of a report, as SVG, each with words for those who cannot see it."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any

import numpy as np

from daemon.offline.drawing import BLUE, PALE_BLUE, RED, picture
from daemon.offline.recognition import Stretch
from daemon.offline.reporting import MINUTE_S, Report, Shown, beat_time_s
from daemon.offline.rhythm_picture import draw_episodes
from daemon.tables import clock, counted
from daemon.terminal import plain
from dsp.front_end import RATE_HZ
from dsp.hrv import BANDS_HZ, spectrum
from dsp.rr_correction import RrSeries

MM = 1 / 25.4  # in inches
MM_PER_S, MM_PER_MV = 25.0, 10.0
STRIP_MM, AXIS_MM = 250.0, 7.0  # ten seconds, and the room for the figures below them
LEAST_MV, MOST_MV = 2.0, 7.0  # of a strip's height
WIDE_MM, HIGH_MM, HALF_MM = 250.0, 55.0, 122.0
PAPER, FINE, COARSE = "#fffaf9", "#f8d9d6", "#eda9a3"
MANY_POINTS = 5000  # from which on they are drawn as pixels: a file of millions of paths is slow
GREY, NOBODY = "#b5b5b5", ("undecided", "no_contact")
BAND_COLOURS = ("#e3e8f0", PALE_BLUE, BLUE)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture."""

    uri: str  # the SVG itself, as a data URI
    width_mm: float
    alt: str  # what it shows


def _drawn(width_mm: float, height_mm: float, alt: str, draw: Callable[[Any], None]) -> Drawn:
    from matplotlib import rc_context

    style: Any = {"font.size": 8}
    with BytesIO() as file, rc_context(style):
        with picture(file, width_mm * MM, height_mm * MM, "svg") as figure:
            draw(figure)
        data = b64encode(file.getvalue()).decode()
    return Drawn(f"data:image/svg+xml;base64,{data}", width_mm, alt)


def strip(shown: Shown) -> Drawn:
    """Draw ten seconds of ECG with their R peaks on millimetre paper."""
    low, high = np.nanmin(shown.ecg_mv) - 0.2, np.nanmax(shown.ecg_mv) + 0.5
    height_mv = np.clip(np.ceil(2 * (high - low)) / 2, LEAST_MV, MOST_MV)
    bottom = np.floor(2 * (high + low - height_mv)) / 4
    height_mm = MM_PER_MV * height_mv
    alt = f"ECG from {clock(shown.begin_s)}: {len(shown.r_s)} R peaks in ten seconds."
    draw = partial(_draw_strip, shown=shown, height_mm=height_mm, bottom=bottom)
    return _drawn(STRIP_MM, height_mm + AXIS_MM, alt, draw)


def _draw_strip(figure: Any, shown: Shown, height_mm: float, bottom: float) -> None:
    figure.set_layout_engine("none")  # millimetres are to be millimetres
    whole_mm = height_mm + AXIS_MM
    axes = figure.add_axes((0, AXIS_MM / whole_mm, 1, height_mm / whole_mm), facecolor=PAPER)
    axes.set(xlim=(0, STRIP_MM / MM_PER_S), ylim=(bottom, bottom + height_mm / MM_PER_MV))
    for step_mm, colour, width in ((1, FINE, 0.3), (5, COARSE, 0.5)):
        for x in np.arange(0, STRIP_MM + 1, step_mm):
            axes.axvline(x / MM_PER_S, color=colour, linewidth=width)
        for y in np.arange(0, height_mm + 1, step_mm):
            axes.axhline(bottom + y / MM_PER_MV, color=colour, linewidth=width)
    time_s = np.arange(len(shown.ecg_mv)) / RATE_HZ
    axes.plot(time_s, shown.ecg_mv, color="black", linewidth=0.9)
    peaks_mv = np.interp(shown.r_s, time_s, shown.ecg_mv)
    axes.plot(shown.r_s, peaks_mv + 0.15, "v", color=RED, markersize=3.5)
    ticks = np.arange(1, STRIP_MM / MM_PER_S)
    axes.set_xticks(ticks, [clock(shown.begin_s + tick) for tick in ticks])
    axes.tick_params(left=False, labelleft=False, length=2)


def averaged_beat(shown: Shown) -> Drawn:
    """Draw the averaged beat, with where its waves begin and end."""
    of = shown.intervals
    alt = f"The mean of {of.beats} beats from {clock(shown.begin_s)}, with the limits of its waves."
    return _drawn(HALF_MM, 58, alt, partial(_draw_beat, shown=shown))


def _draw_beat(figure: Any, shown: Shown) -> None:
    assert shown.beat_mv is not None
    axes, waves = figure.subplots(), shown.intervals.waves
    limits = (
        ("P", waves.p_onset_s, waves.p_end_s),
        ("QRS", waves.qrs_onset_s, waves.qrs_end_s),
        ("T", None, waves.t_end_s),
    )
    for name, begin_s, end_s in limits:
        if begin_s is not None and end_s is not None:
            axes.axvspan(1000 * begin_s, 1000 * end_s, color="#eef1f6", linewidth=0)
        for place_s in (begin_s, end_s):
            if place_s is not None:
                axes.axvline(1000 * place_s, color=BLUE, linewidth=0.8, linestyle=":")
        middle_s = begin_s if end_s is None else end_s if begin_s is None else (begin_s + end_s) / 2
        if middle_s is not None:
            said = f"{name} ends" if begin_s is None else name
            axes.text(1000 * middle_s, 1, said, transform=axes.get_xaxis_transform(), ha="center")
    axes.plot(1000 * beat_time_s(shown.beat_mv), shown.beat_mv, color="black")
    axes.set(xlabel="from R, ms", ylabel="mV")


def quality(report: Report) -> Drawn:
    """Draw good and other beats per minute, with gaps and lead-off."""
    alt = f"Beats per minute over time: {report.good} of {report.beats} are good."
    return _drawn(WIDE_MM, HIGH_MM, alt, partial(_draw_quality, report=report))


def _draw_quality(figure: Any, report: Report) -> None:
    axes = figure.subplots()
    edges = [*(minute.begin_s for minute in report.minutes), report.duration_s]
    for label, colour, name in (("with flaws", PALE_BLUE, "beats"), ("good", BLUE, "good")):
        rates = [60 * getattr(each, name) / each.length_s for each in report.minutes]
        axes.stairs(rates, _in_unit(report, edges), fill=True, color=colour, label=label)
    for begin_s, length_s in report.gaps_s:
        span = _in_unit(report, [begin_s, begin_s + length_s])
        axes.axvspan(*span, color="0.6", linewidth=0.5, label="nothing recorded")
    for begin_s, end_s in report.origin.lead_off_s or ():
        span = _in_unit(report, [begin_s, end_s or edges[-1]])
        axes.axvspan(*span, color=RED, alpha=0.5, linewidth=0.5, label="electrode off")
    axes.set(ylabel="beats per minute", ylim=(0, None))
    _over_time(axes, report)
    named = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(named.values(), named, ncols=4, loc="lower right", bbox_to_anchor=(1, 1))


def heart_rate(report: Report) -> Drawn | None:
    """Draw the heart rate of each minute; None if there are no two."""
    rates = [each.heart_rate_bpm for each in report.minutes]
    return _by_minute(report, rates, "bpm", "Heart rate of each minute")


def breathing(report: Report) -> Drawn | None:
    """Draw the breaths of each minute in which they can be told; None if there are no two."""
    rates = [each.fused.rate_per_min for each in report.variability.breathing]
    return _by_minute(report, rates, "breaths per minute", "Breaths in each minute")


def _by_minute(report: Report, values: list[float | None], label: str, title: str) -> Drawn | None:
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        middles_s = [each.begin_s + each.length_s / 2 for each in report.minutes[: len(values)]]
        spread = max(1.0, 0.1 * max(known))
        line = np.array(values, dtype=np.float64)  # NaN breaks it
        axes.plot(_in_unit(report, middles_s), line, "o-", color=BLUE, markersize=3, linewidth=1)
        axes.set(ylabel=label, ylim=(min(known) - spread, max(known) + spread))
        _over_time(axes, report)

    alt = f"{title}, from {min(known):.1f} to {max(known):.1f}."
    return _drawn(WIDE_MM, HIGH_MM, alt, draw)


def tachogram(report: Report) -> Drawn:
    """Draw each interval over time, with those that were corrected beneath."""
    measured, nn = report.variability.rr, report.nn
    low, high = nn.rr_ms.min(), nn.rr_ms.max()
    alt = f"{len(nn.rr_ms)} corrected intervals over time, from {low:.0f} to {high:.0f} ms."

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        series = ((measured, RED, 2.5, "as detected"), (nn, BLUE, 2.0, "corrected"))
        for each, colour, size, label in series:
            axes.plot(
                _in_unit(report, each.end_s),
                each.rr_ms,
                ".",
                color=colour,
                markersize=size,
                label=label,
                rasterized=len(each.rr_ms) > MANY_POINTS,
            )
        axes.set(ylabel="RR, ms", ylim=(low - 0.3 * high, 1.3 * high))
        _over_time(axes, report)
        axes.legend(ncols=2, loc="lower right", bbox_to_anchor=(1, 1))

    return _drawn(WIDE_MM, HIGH_MM, alt, draw)


def poincare(nn: RrSeries) -> Drawn:
    """Draw each interval against the one before it."""
    follows = ~nn.begins[1:]
    before_ms, after_ms = nn.rr_ms[:-1][follows], nn.rr_ms[1:][follows]
    alt = f"Each of {counted(len(after_ms), 'interval')} against the one before it."

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        ends = [nn.rr_ms.min() - 20, nn.rr_ms.max() + 20]
        axes.plot(ends, ends, color="0.7", linewidth=0.8)
        many = len(after_ms) > MANY_POINTS
        axes.plot(before_ms, after_ms, ".", color=BLUE, markersize=2.5, rasterized=many)
        axes.set(xlabel="RR, ms", ylabel="next RR, ms", xlim=ends, ylim=ends, aspect="equal")

    return _drawn(HALF_MM, 85, alt, draw)


def power(report: Report) -> Drawn | None:
    """Draw the spectrum of the intervals; None if they are too few."""
    frequency_hz, density = spectrum(report.nn)
    if report.variability.hrv.hf_ms2 is None or not len(frequency_hz):
        return None

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        bands = zip(BANDS_HZ.items(), BAND_COLOURS, strict=True)
        for (name, (low_hz, high_hz)), colour in bands:
            inside = (frequency_hz >= low_hz) & (frequency_hz <= high_hz)
            label = name.removesuffix("_ms2").upper()
            axes.fill_between(
                frequency_hz[inside], density[inside], color=colour, label=label, linewidth=0
            )
        axes.plot(frequency_hz, density, color="black", linewidth=0.8)
        axes.set(xlabel="Hz", ylabel="ms$^2$/Hz", xlim=(0, 0.5), ylim=(0, None))
        axes.legend()

    return _drawn(HALF_MM, 85, "Power of the intervals by frequency.", draw)


def identity(report: Report) -> Drawn | None:
    """Draw who it was over time, as far as it was asked for."""
    seconds: dict[str, float] = {}
    for each in report.identity:
        name = said(each)
        seconds[name] = seconds.get(name, 0.0) + each.end_s - each.begin_s
    if not seconds:
        return None
    names = list(seconds)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for each in report.identity:
            span = _in_unit(report, [each.begin_s, each.end_s])
            colour = BLUE if each.person else GREY if each.state in NOBODY else RED
            axes.barh(names.index(said(each)), span[1] - span[0], 0.6, span[0], color=colour)
        axes.set_yticks(range(len(names)), map(plain, names), parse_math=False)
        axes.set_ylim(len(names) - 0.5, -0.5)
        _over_time(axes, report)

    parts = ", ".join(f"{plain(name)} for {clock(length_s)}" for name, length_s in seconds.items())
    return _drawn(WIDE_MM, 20 + 7 * len(names), f"Who it is over time: {parts}.", draw)


def rhythm(report: Report) -> Drawn | None:
    """Draw the episodes over time; None without any."""
    kinds = Counter(each.kind for each in report.rhythm.episodes)
    if not kinds:
        return None

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        draw_episodes(axes, report.rhythm, _unit(report)[0])
        _over_time(axes, report)

    parts = ", ".join(f"{kind.replace('_', ' ')} ({count})" for kind, count in kinds.items())
    return _drawn(WIDE_MM, 20 + 7 * len(kinds), f"Episodes over time: {parts}.", draw)


def said(stretch: Stretch) -> str:
    """Return who, or what else was decided."""
    return stretch.person or stretch.state.replace("_", " ")


def _over_time(axes: Any, report: Report) -> None:
    duration_s = report.duration_s
    axes.set(xlabel=_unit(report)[1], xlim=(0, _in_unit(report, [duration_s])[0]))


def _unit(report: Report) -> tuple[float, str]:
    """Return in what time is drawn, in seconds, and its name."""
    if report.duration_s < 5 * MINUTE_S:
        return 1.0, "seconds"
    return (60.0, "minutes") if report.duration_s < 10_800 else (3600.0, "hours")


def _in_unit(report: Report, times_s: Any) -> Any:
    return np.asarray(times_s) / _unit(report)[0]
