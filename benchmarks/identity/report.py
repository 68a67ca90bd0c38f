"""The figures as tables, for the terminal and for the model card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from daemon.tables import filled, interval

MOMENTS = ("", "at the record's end", "at any moment")
DEVICE_HEADINGS = (
    "device",
    "persons",
    "EER %",
    "strangers accepted %, six enrolled",
    "enrolled recognised %",
)
ANGLE_HEADINGS = ("angle", "EER %, 1 fitting", "rank-1 %", "EER %, 2 fittings", "rank-1 %")


def tables(figures: dict[str, Any]) -> Iterator[Table]:
    """Yield what is worth printing."""
    yield _by_beats(figures)
    yield _identifier(figures)
    if figures["by_device"]:
        title = "People whom other devices recorded, ten beats"
        yield filled(title, DEVICE_HEADINGS, rows_by_device(figures["by_device"]))
    if figures["learning_curve"]:
        points = figures["learning_curve"]
        yield filled("Learning curve", curve_headings(points), rows_of_curve(points))
    if figures["by_angle"]:
        yield _by_angle(figures["by_angle"])
    yield _random_split(figures["random_split"])


def rows_by_device(by_device: dict[str, Any]) -> Iterator[list[str]]:
    """Yield each device's figures."""
    for name, of in by_device.items():
        rates = ("eer", "strangers_accepted", "enrolled_recognised")
        yield [name, str(of["persons"]), *(interval(of[rate]) for rate in rates)]


def curve_headings(points: Sequence[dict[str, Any]]) -> list[str]:
    """Return what the columns of ``rows_of_curve`` are."""
    return ["persons", "of other devices", *(f"EER %, {name}" for name in points[0]["eer"])]


def rows_of_curve(points: Sequence[dict[str, Any]]) -> Iterator[list[str]]:
    """Yield how many were learned from, and the errors on each device."""
    for point in points:
        learned_from = [str(point["persons"]), str(point["others"])]
        yield learned_from + [interval(of) for of in point["eer"].values()]


def rows_by_beats(figures: dict[str, Any]) -> Iterator[list[str]]:
    """Yield each figure's name, and its text for each number of beats."""
    each = list(figures["by_beats"].values())
    days = [of["across_days"] or {} for of in each]
    other = [of["at_thresholds_of_other_folds"] for of in each]
    yield ["EER %", *(interval(of["eer"]) for of in each)]
    yield ["EER % before conversion (fp32)", *(f"{of['eer_before_conversion']:.2f}" for of in each)]
    yield ["FMR % at FNMR 5 %", *(interval(of["fmr_at_fnmr_5"]) for of in each)]
    yield [f"rank-1 % of {each[0]['rank_1_of']}", *(interval(of["rank_1"]) for of in each)]
    yield [
        "FPIR % at FNIR 5 %, six enrolled",
        *(interval(of["open_set"]["fpir_at_fnir_5"]) for of in each),
    ]
    yield ["across days: EER %", *(interval(of.get("eer")) for of in days)]
    yield ["across days: FMR % at FNMR 5 %", *(interval(of.get("fmr_at_fnmr_5")) for of in days)]
    yield ["across days: rank-1 %", *(interval(of.get("rank_1")) for of in days)]
    yield [
        "threshold of other folds, set for FMR 1 %: FMR %",
        *(interval(of["fmr"]) for of in other),
    ]
    yield ["the same threshold: FNMR %", *(interval(of["fnmr"]) for of in other)]
    yield ["FTA %", *(interval(of["fta"]) for of in each)]
    yield ["Cllr, bits", *(f"{of['calibration']['cllr_bits']:.3f}" for of in each)]


def rows_identifier(figures: dict[str, Any]) -> Iterator[list[str]]:
    """Yield each figure of the identifier's decision, at a record's end and on the way."""
    moments = [figures["identifier"][name] for name in ("at_end", "on_the_way")]
    for name, heading in (
        ("fmr", "FMR %, one enrolled"),
        ("fnmr", "FNMR %, one enrolled"),
        ("fpir", "FPIR %, six enrolled: strangers accepted"),
        ("fnir", "FNIR %, six enrolled: enrolled not accepted as themselves"),
    ):
        yield [heading, *(interval(moment[name]) for moment in moments)]


def _by_beats(figures: dict[str, Any]) -> Table:
    return filled(
        f"{figures['persons']} persons that the network never saw",
        ("", *(f"{beats} beats" for beats in figures["by_beats"])),
        rows_by_beats(figures),
        f"{figures['folds']} folds, {figures['seeds']} seeds, pooled; 95 % intervals over persons; "
        f"failure to enrol (FTE) {interval(figures['fte'])} %; beat pairs right "
        f"{interval(figures['beat_pairs']['accuracy'])} %",
    )


def _identifier(figures: dict[str, Any]) -> Table:
    seconds = figures["identifier"]["seconds_to_decision"]
    return filled(
        "The identifier's own decision",
        MOMENTS,
        rows_identifier(figures),
        f"first decision after {seconds['median']} s (95 % within {seconds['p95']} s), counted "
        f"from the record's start; never decided {figures['identifier']['undecided']} %",
    )


def _by_angle(by_angle: dict[str, Any]) -> Table:
    title = "Electrodes turned away from where they were at the enrolment"
    return filled(title, ANGLE_HEADINGS, rows_by_angle(by_angle))


def rows_by_angle(by_angle: dict[str, Any]) -> Iterator[list[str]]:
    """Yield each angle, and EER and rank-1 with one and two fittings."""
    for angle in by_angle["1"]:
        both = [by_angle[fittings][angle] for fittings in ("1", "2")]
        yield [angle, *(interval(of[name]) for of in both for name in ("eer", "rank_1"))]


def _random_split(split: dict[str, Any]) -> Table:
    return filled(
        "Comparable with the literature, says nothing of other days",
        ("six persons, the reference 1D-CNN", "beats right %"),
        [
            ("beats split at random, 80/20", f"{split['random_beats']:.2f}"),
            ("trained on the earliest record only", f"{split['by_record']:.2f}"),
        ],
    )
