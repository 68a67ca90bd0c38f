"""The figures of ISO/IEC 30107-3, in percent with their 95 % intervals, and tables of them.

- APCER: attacks of one kind that the check takes for a living heart's, of those with any response.
- APNRR: attacks of one kind without a response: no beats, no decision.
- BPCER: genuine sessions that the check takes for an attack.
- IAPAR: attacks that are accepted as the victim by the whole system, at the end or at any moment.
- enrolled: sessions, genuine ones and attacks, by which the service would enrol somebody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.attacks.instruments import INSTRUMENTS
from benchmarks.attacks.trial import GENUINE, Presentation
from benchmarks.report import markdown
from daemon.tables import filled, interval

HEADINGS = (
    "",
    "sessions",
    "missed: APCER",
    "no beats: APNRR",
    "accepted, end",
    "accepted, ever",
    "enrolled",
)
OUTCOMES = ("accepted_at_end", "accepted_ever", "enrolled")


def figures(presentations: Mapping[str, Sequence[Presentation]]) -> dict[str, Any]:
    """Count what became of the presentations of each person."""
    return {
        "persons": len(presentations),
        "bona_fide": _bona_fide(_of_kind(presentations, GENUINE)),
        "attacks": {kind: _attacks(_of_kind(presentations, kind)) for kind in INSTRUMENTS},
    }


def _of_kind(
    presentations: Mapping[str, Sequence[Presentation]], kind: str
) -> list[list[Presentation]]:
    """Return each person's presentations of one kind, without those who have none."""
    chosen = [[each for each in of_one if each.kind == kind] for of_one in presentations.values()]
    return [of_one for of_one in chosen if of_one]


def _bona_fide(persons: list[list[Presentation]]) -> dict[str, Any]:
    return {
        **_outcomes(persons),
        "bpcer": rate([[s.suspected_s is not None for s in of_one] for of_one in persons]),
    }


def _attacks(persons: list[list[Presentation]]) -> dict[str, Any]:
    missed = [[s.suspected_s is None for s in of_one if s.responded] for of_one in persons]
    told_s = [s.suspected_s for of_one in persons for s in of_one if s.suspected_s is not None]
    return {
        **_outcomes(persons),
        "apcer": rate(missed),
        "apnrr": rate([[not s.responded for s in of_one] for of_one in persons]),
        "median_s_until_told": round(float(np.median(told_s)), 1) if told_s else None,
    }


def _outcomes(persons: list[list[Presentation]]) -> dict[str, Any]:
    """Return how many sessions came to what; only the enrolled persons' can be accepted."""
    came_to = {
        name: [[getattr(s, name) for s in of_one] for of_one in persons] for name in OUTCOMES
    }
    known = {
        name: rate([[each for each in of_one if each is not None] for of_one in outcomes])
        for name, outcomes in came_to.items()
    }
    return {"sessions": sum(map(len, persons)), **known}


def rate(persons: Sequence[Sequence[bool]]) -> dict[str, Any] | None:
    """Return a share of all sessions, with an interval that says something of a share of 0 too.

    The interval is Clopper's and Pearson's, with persons for a sample size: the sessions of one are
    alike, so that more of them tell little more. None without a session.
    """
    from scipy.stats import beta

    counted = [of_one for of_one in persons if len(of_one)]
    if not counted:
        return None
    share = float(np.mean([outcome for of_one in counted for outcome in of_one]))
    hits, n = share * len(counted), len(counted)
    low = float(beta.ppf(0.025, hits, n - hits + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(0.975, hits + 1, n - hits)) if hits < n else 1.0
    return {
        "percent": round(100 * share, 2),
        "interval_95": [round(100 * low, 2), round(100 * high, 2)],
    }


def rows(measured: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the cells of each kind of attack below HEADINGS, and of the genuine sessions last."""
    for kind, of_kind in measured["attacks"].items():
        shares = (of_kind[name] for name in ("apcer", "apnrr", *OUTCOMES))
        yield [kind, str(of_kind["sessions"]), *map(_percent, shares)]
    genuine = measured["bona_fide"]
    yield [
        "genuine sessions, taken for an attack: BPCER",
        str(genuine["sessions"]),
        _percent(genuine["bpcer"]),
        "",
        *(_percent(genuine[name]) for name in OUTCOMES),
    ]


def _percent(share: dict[str, Any] | None) -> str:
    return "-" if share is None else interval(share, decimals=0)


def table(measured: dict[str, Any]) -> Table:
    """Return the figures for the terminal."""
    caption = "percent, with 95 % intervals; what they are worth: docs/presentation-attacks.md"
    return filled(f"Attacks on {measured['persons']} persons", HEADINGS, rows(measured), caption)


def page(measured: dict[str, Any]) -> str:
    """Return the same table in Markdown."""
    return markdown(HEADINGS, rows(measured)) + "\n"
