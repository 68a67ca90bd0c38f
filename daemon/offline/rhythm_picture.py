"""The kinds of beats and the episodes of recordings, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from daemon.offline.drawing import BLUE, PALE_BLUE, RED, picture
from daemon.offline.rhythm import Rhythms, span_s
from dsp.front_end import RATE_HZ
from model.beat_kinds import Kind
from model.rhythm import CAUTION

COLOURS: dict[Kind, str] = {"N": PALE_BLUE, "S": BLUE, "V": RED, "F": "#e0a040", "Q": "0.85"}
LONG_S = 7200.0  # from which on hours are drawn, not minutes


def draw(recordings: Sequence[Rhythms], file: Path) -> None:
    """Write the heart rate, beat by beat in the colour of its kind, above episodes.

    Raises:
        OSError: the file cannot be written.
    """
    rows = 2 * len(recordings)
    with picture(file, 11, 0.6 + 1.8 * rows) as figure:
        axes = figure.subplots(rows, height_ratios=(2, 1) * len(recordings))
        for found, rates, spans in zip(recordings, axes[::2], axes[1::2], strict=True):
            _draw_rates(rates, found)
            draw_episodes(spans, found, _unit(found)[0])
            spans.set_xlabel(_unit(found)[1])
            spans.sharex(rates)
        figure.suptitle(CAUTION, fontsize="small")


def _unit(found: Rhythms) -> tuple[float, str]:
    """Return the seconds of what the time axis counts, and its name."""
    return (3600.0, "hours") if found.duration_s > LONG_S else (60.0, "minutes")


def _draw_rates(axes: Any, found: Rhythms) -> None:
    samples = _unit(found)[0] * RATE_HZ
    for kind, colour in COLOURS.items():
        dots = [
            (beat.r_index / samples, 60 / beat.rr_s)
            for beat in found.beats
            if beat.kind == kind and beat.rr_s
        ]
        label = f"{kind} {found.counts[kind]}"
        axes.scatter(*zip(*dots, strict=True) if dots else ([], []), 5, colour, label=label)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    axes.set_title(found.path, parse_math=False)
    axes.set(ylabel="beats a minute")


def draw_episodes(axes: Any, found: Rhythms, unit_s: float) -> None:
    """Draw a row for each kind of episode, over time in a unit of so many seconds."""
    kinds = sorted({episode.kind for episode in found.episodes})
    for each in found.episodes:
        onset_s, end_s = span_s(each)
        span = (onset_s / unit_s, (end_s - onset_s) / unit_s)
        axes.broken_barh([span], (kinds.index(each.kind) - 0.4, 0.8), color=RED, edgecolor=RED)
    names = [kind.replace("_", " ") for kind in kinds] or ["no episodes"]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
