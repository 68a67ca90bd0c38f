"""Rates of the challenge's records, by who was fitted to."""

from __future__ import annotations

from benchmarks.rhythm.challenge import Heard, figures


def test_sensitivity_is_of_a_and_specificity_of_n() -> None:
    heard = [
        Heard("A", is_tested=True, is_fibrillation=True),
        Heard("A", is_tested=True, is_fibrillation=False),
        Heard("A", is_tested=False, is_fibrillation=True),
        Heard("N", is_tested=True, is_fibrillation=False),
        Heard("N", is_tested=False, is_fibrillation=True),
        Heard("O", is_tested=False, is_fibrillation=True),
    ]
    found = figures(heard)
    assert found["tested"]["sensitivity"]["percent"] == 50
    assert found["tested"]["specificity"] == {
        "records": 1,
        "percent": 100,
        "interval_95": [100, 100],
    }
    assert found["tested"]["other_called_fibrillation"] is None
    assert found["fitted_to"]["specificity"]["percent"] == 0
    assert found["all"]["sensitivity"]["percent"] == 66.67
