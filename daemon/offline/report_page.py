"""Writes a report as a page of HTML, or as the same page in a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from daemon.offline import report_pictures as pictures
from daemon.offline.labels import (
    BREATHING,
    LABELS,
    OF_A_BEAT,
    in_words,
    interval_text,
    median_rate,
)
from daemon.offline.recognition import hint_in_words
from daemon.offline.reporting import Report
from daemon.offline.rhythm import SAID, abnormal_share, span_s
from daemon.tables import clock, counted
from daemon.terminal import plain
from dsp.hrv import NEEDS
from model.rhythm import CAUTION, Episode

TEMPLATE = Path(__file__).with_name("report.html")
LISTED = 20  # gaps, electrodes off and stretches of identity, at most


def as_html(report: Report) -> str:
    """Return the page, which needs no other file."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {"clock": clock, "counted": counted, "plain": plain}
    template = environment.from_string(TEMPLATE.read_text("utf-8"))
    return template.render(report=report, drawn=_drawn(report), told=_told(report))


def as_pdf(page: str) -> bytes:
    """Return the page as a PDF that reading programs can read aloud (PDF/UA)."""
    from weasyprint import HTML

    return bytes(HTML(string=page).write_pdf(pdf_variant="pdf/ua-1"))


def _drawn(report: Report) -> dict[str, Any]:
    beat = next((each for each in report.shown if each.beat_mv is not None), None)
    several = len(report.nn.rr_ms) > 1
    return {
        "quality": pictures.quality(report),
        "strips": [(each, pictures.strip(each)) for each in report.shown],
        "beat": beat and pictures.averaged_beat(beat),
        "rate": pictures.heart_rate(report),
        "tachogram": pictures.tachogram(report) if several else None,
        "poincare": pictures.poincare(report.nn) if several else None,
        "power": pictures.power(report) if several else None,
        "breathing": pictures.breathing(report),
        "identity": pictures.identity(report),
        "rhythm": pictures.rhythm(report),
    }


def _told(report: Report) -> dict[str, Any]:
    """Return what is said in words and tables."""
    found = report.variability.hrv
    delineation = report.delineation
    return {
        "begin": _moment(report.origin.begin),
        "lost_s": sum(length_s for _, length_s in report.gaps_s),
        "gaps": report.gaps_s[:LISTED],
        "lead_off": (report.origin.lead_off_s or ())[:LISTED],
        "rates": [each.heart_rate_bpm for each in report.minutes if each.heart_rate_bpm],
        "identity": [
            (stretch, pictures.said(stretch), ", ".join(map(hint_in_words, stretch.hints)))
            for stretch in report.identity[:LISTED]
        ],
        "kinds": [(kind, SAID[kind], count) for kind, count in report.rhythm.counts.items()],
        "abnormal": abnormal_share(report.rhythm.counts),
        "episodes": _by_kind(report.rhythm.episodes),
        "caution": CAUTION,
        "hrv": [
            (
                LABELS[name].replace("^2", "\N{SUPERSCRIPT TWO}"),
                f"{getattr(found, name) or 0.0:.4g}",
                found.reasons.get(name),
                in_words(need),
            )
            for name, need in NEEDS.items()
        ],
        "intervals": [
            (
                label,
                interval_text(name, delineation.median(name)),
                sum(getattr(each, name) is not None for each in delineation.strips),
            )
            for name, label in OF_A_BEAT.items()
        ],
        "breathing": [
            (label, *median_rate(getattr(each, name) for each in report.variability.breathing))
            for name, label in BREATHING.items()
        ],
    }


def _by_kind(episodes: Sequence[Episode]) -> list[tuple[str, int, float, float, float]]:
    """Return for each kind: how many, seconds in all and of the longest, the first onset."""
    spans_s: dict[str, list[tuple[float, float]]] = {}
    for each in episodes:
        spans_s.setdefault(each.kind.replace("_", " "), []).append(span_s(each))
    lengths = {kind: [end - onset for onset, end in spans] for kind, spans in spans_s.items()}
    return [
        (kind, len(each), sum(each), max(each), spans_s[kind][0][0])
        for kind, each in sorted(lengths.items())
    ]


def _moment(begin: datetime | None) -> str | None:
    """Say when the recording began, and by which clock."""
    if begin is None:
        return None
    zone = "UTC" if begin.tzinfo else "by the clock of what recorded it"
    return f"{begin:%Y-%m-%d %H:%M:%S} {zone}"
