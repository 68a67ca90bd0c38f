"""Turned templates are measured, on directions that are known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.renewal import Sessions, figures
from model.scores import unit


@pytest.fixture(scope="module")
def sessions() -> Sessions:
    """Thirty people in 16 dimensions, each probed twice."""
    rng = np.random.default_rng(1)
    templates, cohort = (unit(rng.normal(size=(n, 16)).astype(np.float32)) for n in (30, 40))
    probe_of = np.repeat(np.arange(30), 2)
    probes = unit(templates[probe_of] + 0.15 * rng.normal(size=(60, 16)).astype(np.float32))
    return Sessions(templates, probes, probe_of, cohort)


def test_turned_alike_nothing_changes_and_turned_otherwise_nothing_is_left(
    sessions: Sessions,
) -> None:
    measured = figures(sessions)
    assert (measured["persons"], measured["probes"]) == (30, 60)
    assert measured["eer"] < 10
    assert measured["eer_turned"]["mean"] == pytest.approx(measured["eer"], abs=0.05)
    assert measured["largest_difference_of_a_score"] < 1e-4
    assert measured["eer_with_template_of_another_secret"]["mean"] == pytest.approx(50, abs=4)
    assert measured["eer_of_linking_two_galleries"]["mean"] == pytest.approx(50, abs=4)
    assert measured["linking_kolmogorov_smirnov_p"] > 0.01
