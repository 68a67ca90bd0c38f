"""What is told of a stream that goes on although not all is well."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.chip_setup import ChipOptions
from drivers.counters import Counters, conditions_of
from tests.drivers.test_chip_setup import setup


@pytest.mark.parametrize(
    ("counted", "rate_ratio", "lead_off", "codes"),
    [
        ({}, None, True, []),
        ({}, 1.014, True, []),  # the oscillator's tolerance is 1.5 %
        ({}, 1.03, True, ["clock_off"]),
        ({}, 0.97, True, ["clock_off"]),
        ({"lost": 1}, 1.0, True, ["samples_lost"]),
        ({"late_reads": 1}, 1.0, True, ["late_reads"]),
        ({}, 1.0, False, ["lead_off_unknown"]),
        (
            {"lost": 2, "late_reads": 2},
            1.03,
            False,
            ["clock_off", "samples_lost", "late_reads", "lead_off_unknown"],
        ),
    ],
)
def test_each_condition_is_told_when_it_holds_and_else_not(
    counted: dict[str, Any], rate_ratio: float | None, lead_off: bool, codes: list[str]
) -> None:
    chip = setup(ChipOptions(lead_off=lead_off))
    found = conditions_of(Counters(**counted), rate_ratio, chip)
    assert [condition.code for condition in found] == codes
