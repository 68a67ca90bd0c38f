"""What a training prints."""

from __future__ import annotations

from rich.console import Console

from benchmarks.training.report import kind_table
from model.beat_network import BeatNetwork


def test_the_networks_of_beat_kinds_are_compared_in_one_table() -> None:
    metrics = BeatNetwork().passport.metrics
    console = Console(width=200)
    with console.capture() as printed:
        console.print(kind_table(metrics))
    rows = [line.split() for line in printed.get().splitlines()]
    sensitivity, predictivity = (
        f"{metrics['by_architecture']['sequence']['mitdb'][name][0]:.1f}"
        for name in ("V_sensitivity", "V_predictivity")
    )
    (row,) = (row for row in rows if row[:2] == ["mitdb", "sequence"])
    assert row[5:8] == [sensitivity, "/", predictivity]
    assert sum(row[:1] == ["svdb"] for row in rows) == 4
