"""The stopwatch beside the acquisition loop."""

from __future__ import annotations

import pytest

from benchmarks.jitter import measure
from config.source import PlayOptions, SimulatedOptions, SourceOptions
from daemon.acquisition.sources import open_source
from drivers.simulator.options import SimulatorOptions


def test_jitter_is_the_time_from_the_edge_to_the_sample() -> None:
    """Here the edges are told 0.5 to 1 ms late, and reading takes a tenth of a millisecond."""
    simulated = SimulatedOptions(
        play=(PlayOptions(heart=1, seconds=5.0),),
        repeat=False,
        chip=SimulatorOptions(faults=("lgpio-hold",)),
    )
    figures = measure(open_source(SourceOptions("simulated", simulated=simulated), paced=False))
    assert figures["frames"] > 1000
    assert figures["lost"] == 0
    assert figures["jitter, 50 %"] == pytest.approx(0.85, abs=0.05)
    assert figures["jitter, 100 %"] == pytest.approx(1.1, abs=0.03)
