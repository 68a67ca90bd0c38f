"""The figures as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from benchmarks.qrs.report import empty_table


def tables(figures: dict[str, Any]) -> Iterator[Table]:
    """Yield what is worth printing."""
    yield _by_beats(figures)
    yield _identifier(figures)
    if figures["by_angle"]:
        yield _by_angle(figures["by_angle"])
    yield _random_split(figures["random_split"])


def text(rate: dict[str, Any] | None) -> str:
    """Return a rate with its interval: 2.41 (1.80 to 3.10)."""
    if rate is None:
        return "not measured"
    low, high = rate["interval_95"]
    return f"{rate['percent']:.2f} ({low:.2f} to {high:.2f})"


def rows_by_beats(figures: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield each figure's name, and its text for each number of beats."""
    each = list(figures["by_beats"].values())
    days = [of["across_days"] or {} for of in each]
    other = [of["at_thresholds_of_other_folds"] for of in each]
    yield "EER %", [text(of["eer"]) for of in each]
    yield "EER % before conversion (fp32)", [f"{of['eer_before_conversion']:.2f}" for of in each]
    yield "FMR % at FNMR 5 %", [text(of["fmr_at_fnmr_5"]) for of in each]
    yield f"rank-1 % of {each[0]['rank_1_of']}", [text(of["rank_1"]) for of in each]
    yield (
        "FPIR % at FNIR 5 %, six enrolled",
        [text(of["open_set"]["fpir_at_fnir_5"]) for of in each],
    )
    yield "across days: EER %", [text(of.get("eer")) for of in days]
    yield "across days: FMR % at FNMR 5 %", [text(of.get("fmr_at_fnmr_5")) for of in days]
    yield "across days: rank-1 %", [text(of.get("rank_1")) for of in days]
    yield "threshold of other folds, set for FMR 1 %: FMR %", [text(of["fmr"]) for of in other]
    yield "the same threshold: FNMR %", [text(of["fnmr"]) for of in other]
    yield "FTA %", [text(of["fta"]) for of in each]
    yield "Cllr, bits", [f"{of['calibration']['cllr_bits']:.3f}" for of in each]


def rows_identifier(figures: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield each figure of the identifier's decision, at a record's end and on the way."""
    moments = [figures["identifier"][name] for name in ("at_end", "on_the_way")]
    for name, heading in (
        ("fmr", "FMR %, one enrolled"),
        ("fnmr", "FNMR %, one enrolled"),
        ("fpir", "FPIR %, six enrolled: strangers accepted"),
        ("fnir", "FNIR %, six enrolled: enrolled not accepted as themselves"),
    ):
        yield heading, [text(moment[name]) for moment in moments]


def _by_beats(figures: dict[str, Any]) -> Table:
    table = empty_table(
        f"{figures['persons']} persons that the network never saw",
        f"{figures['folds']} folds, {figures['seeds']} seeds, pooled; 95 % intervals over persons; "
        f"failure to enrol (FTE) {text(figures['fte'])} %; beat pairs right "
        f"{text(figures['beat_pairs']['accuracy'])} %",
    )
    table.add_column("")
    for beats in figures["by_beats"]:
        table.add_column(f"{beats} beats", justify="right")
    for name, cells in rows_by_beats(figures):
        table.add_row(name, *cells)
    return table


def _identifier(figures: dict[str, Any]) -> Table:
    seconds = figures["identifier"]["seconds_to_decision"]
    table = empty_table(
        "The identifier's own decision",
        f"first decision after {seconds['median']} s (95 % within {seconds['p95']} s), counted "
        f"from the record's start; never decided {figures['identifier']['undecided']} %",
    )
    for heading in ("", "at the record's end", "at any moment"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, cells in rows_identifier(figures):
        table.add_row(name, *cells)
    return table


def _by_angle(by_angle: dict[str, Any]) -> Table:
    table = empty_table("Electrodes turned away from where they were at the enrolment")
    for heading in ("angle", "EER %, 1 fitting", "rank-1 %", "EER %, 2 fittings", "rank-1 %"):
        table.add_column(heading, justify="right")
    for name, cells in rows_by_angle(by_angle):
        table.add_row(name, *cells)
    return table


def rows_by_angle(by_angle: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield each angle, and EER and rank-1 with one and two fittings."""
    for angle in by_angle["1"]:
        both = [by_angle[fittings][angle] for fittings in ("1", "2")]
        yield angle, [text(of[name]) for of in both for name in ("eer", "rank_1")]


def _random_split(split: dict[str, Any] | None) -> Table:
    table = empty_table("Comparable with the literature, says nothing of other days")
    table.add_column("six persons, the reference 1D-CNN")
    table.add_column("beats right %", justify="right")
    if split:
        table.add_row("beats split at random, 80/20", f"{split['random_beats']:.2f}")
        table.add_row("trained on the earliest record only", f"{split['by_record']:.2f}")
    return table
