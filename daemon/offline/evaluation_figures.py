"""How well a model knows one's own people: the figures of ISO/IEC 19795-1, and tables of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from daemon.offline.evaluation import OwnPeople, Visit
from daemon.tables import filled, interval
from model.calibration import Calibration
from model.error_rates import det, equal_error_rate, error_rates, mean_rate, percent, rate

BEATS = (1, 5, 10)  # behind a score
WIDEST_MATRIX = 12  # people; of more, only those are listed who are taken for somebody else

PROTOCOL = (
    "enrolled by the first recording, probed with the others, by stretches of consecutive good "
    "beats; 95 % intervals by drawing persons"
)
OPTIMISTIC = (
    "halves of one recording stand for two sittings, which is optimistic: nobody took the "
    "electrodes off between"
)


def figures(
    people: OwnPeople,
    calibration: Calibration,
    enrolled: int,
    on_group: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Return everything that was measured, rates in percent.

    Args:
        people: whom it is measured on.
        calibration: of the model.
        enrolled: how many are enrolled at a time in the open set.
        on_group: called for each of ``people.groups``.

    Raises:
        TooFewPeople: there is too little of them.
    """
    visits: list[Visit] = []
    groups = people.groups(enrolled)
    for group in groups:
        visits += people.visits(group)
        on_group()
    unable = [float(name in people.refused) for name in people.names]
    return {
        "protocol": PROTOCOL,
        "unit": "percent",
        "people": people.names,
        "enrolled": list(people.templates),
        "halved": people.halved,
        "fte": mean_rate(unable, range(len(people.names))),
        "by_beats": {str(beats): _of_beats(people, calibration, beats) for beats in BEATS},
        "open_set": _open_set(visits, len(groups[0]), len(groups)),
        "by_folder": {
            place: _of_folder([each for each in visits if each.sitting.place == place])
            for place in dict.fromkeys(sitting.place for sitting in people.later)
        },
    }


def _of_beats(people: OwnPeople, calibration: Calibration, beats: int) -> dict[str, Any]:
    scores = people.scores(beats)
    trials = scores.trials
    threshold = calibration.threshold(beats)
    is_right = scores.nearest == scores.whose
    return {
        "mated_trials": int(trials.mated.sum()),
        "non_mated_trials": int((~trials.mated).sum()),
        "eer": rate(trials, equal_error_rate),
        "threshold": threshold,
        "fmr": rate(trials, lambda drawn: error_rates(drawn, threshold)[0]),
        "fnmr": rate(trials, lambda drawn: error_rates(drawn, threshold)[1]),
        "rank_1": mean_rate(is_right.tolist(), scores.whose.tolist()),
        "det": det(trials),
        "confusion": scores.confusion().tolist(),
    }


def _open_set(visits: Sequence[Visit], enrolled: int, groups: int) -> dict[str, Any]:
    known = [each for each in visits if each.is_enrolled]
    strangers = [each for each in visits if not each.is_enrolled]
    return {
        "enrolled": enrolled,
        "groups": groups,
        "enrolled_recognised": _mean(known, lambda each: each.is_recognised),
        "enrolled_taken_for_another": _mean(
            known, lambda each: each.person is not None and not each.is_recognised
        ),
        "strangers_accepted": _mean(strangers, lambda each: each.person is not None),
        "strangers_accepted_at_any_moment": _mean(strangers, lambda each: bool(each.accepted)),
    }


def _of_folder(visits: Sequence[Visit]) -> dict[str, Any]:
    first = list({each.sitting: each for each in visits}.values())  # when it is decided is the same
    decided_s = [each.decided_s for each in first if not np.isnan(each.decided_s)]
    seconds = np.percentile(decided_s, [50, 95]).round(2).tolist() if decided_s else [None, None]
    known = [each for each in visits if each.is_enrolled]
    strangers = [each for each in visits if not each.is_enrolled]
    beats = [beat.quality.good for each in first for beat in each.sitting.analysis.beats]
    return {
        "recordings": len(first),
        "good_beats": percent(float(np.mean(beats))) if beats else None,
        "fta": _mean(first, lambda each: bool(np.isnan(each.decided_s))),
        "seconds_to_decision": dict(zip(("median", "p95"), seconds, strict=True)),
        "enrolled_recognised": _mean(known, lambda each: each.is_recognised),
        "strangers_accepted": _mean(strangers, lambda each: each.person is not None),
    }


def _mean(visits: Sequence[Visit], tell: Callable[[Visit], bool]) -> dict[str, Any] | None:
    """Return what part of some visits it is true of, with its interval; None without a visit."""
    if not visits:
        return None
    _, persons = np.unique([each.sitting.person for each in visits], return_inverse=True)
    return mean_rate([float(tell(each)) for each in visits], persons.tolist())


def tables(measured: dict[str, Any]) -> Iterator[Table]:
    """Yield what is worth printing."""
    each = list(measured["by_beats"].values())
    names = measured["enrolled"]
    yield filled(
        f"{len(measured['people'])} people, {len(names)} of them enrolled, "
        f"failure to enrol (FTE) {interval(measured['fte'])} %",
        ("", *(f"{beats} beat{'s' * (beats != '1')}" for beats in measured["by_beats"])),
        [
            ["EER %", *(interval(of["eer"]) for of in each)],
            ["FMR % at the model's threshold", *(interval(of["fmr"]) for of in each)],
            ["FNMR % at the model's threshold", *(interval(of["fnmr"]) for of in each)],
            [f"rank-1 % of {len(names)}", *(interval(of["rank_1"]) for of in each)],
        ],
        "; ".join([PROTOCOL, _rule_of_three(len(names)), *[OPTIMISTIC] * bool(measured["halved"])]),
    )
    yield _open_set_table(measured["open_set"])
    yield _folder_table(measured["by_folder"])
    yield _confusion_table(names, each[-1]["confusion"])


def _rule_of_three(people: int) -> str:
    """Say what an error that was never seen leaves possible.

    Source: ISO/IEC 19795-1:2021, annex B: with 95 % confidence no more than 3 of so many.
    """
    return (
        f"an error that none of {people} people met may still befall {min(300 / people, 100):.0f} %"
    )


def _open_set_table(found: dict[str, Any]) -> Table:
    return filled(
        f"The identifier's own decision, {found['enrolled']} enrolled at a time",
        ("at a recording's end", "%"),
        [
            ["enrolled recognised", interval(found["enrolled_recognised"])],
            ["enrolled taken for another", interval(found["enrolled_taken_for_another"])],
            ["strangers accepted", interval(found["strangers_accepted"])],
            [
                "strangers accepted at any moment",
                interval(found["strangers_accepted_at_any_moment"]),
            ],
        ],
        f"{found['groups']} groups of the people, by turns; who is not in it is a stranger",
    )


def _folder_table(by_folder: dict[str, Any]) -> Table:
    headings = (
        *("folder", "recordings", "good beats %", "no decision (FTA) %"),
        *("first decision, median / p95 s", "recognised %", "strangers accepted %"),
    )
    rows = [
        [
            place,
            str(of["recordings"]),
            _number(of["good_beats"]),
            interval(of["fta"]),
            " / ".join(map(_number, of["seconds_to_decision"].values())),
            interval(of["enrolled_recognised"]),
            interval(of["strangers_accepted"]),
        ]
        for place, of in by_folder.items()
    ]
    return filled("By folder", headings, rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _confusion_table(names: Sequence[str], confusion: list[list[int]]) -> Table:
    title = f"Whose template is nearest, {BEATS[-1]} beats"
    if len(names) <= WIDEST_MATRIX:
        rows = [[name, *map(str, row)] for name, row in zip(names, confusion, strict=True)]
        return filled(title, ("heart of", *names), rows)
    mistakes = [
        [name, other, str(count), str(sum(row))]
        for name, row in zip(names, confusion, strict=True)
        for other, count in zip(names, row, strict=True)
        if count and other != name
    ]
    return filled(title, ("heart of", "taken for", "stretches", "of"), mistakes, words=2)
