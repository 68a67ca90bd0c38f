"""Recordings through the signal chain, one by one and side by side."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from daemon.offline import analysis
from daemon.offline.analysis import find_beats, side_by_side
from daemon.offline.errors import WorkerKilled
from tests.daemon.hearts import write_heart


def test_side_by_side_is_the_same_as_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "WORTH_PROCESSES_S", 0.0)
    paths = [str(write_heart(tmp_path / f"heart{seed}.csv", seed)) for seed in range(3)]
    alone, together = (list(side_by_side(find_beats, paths, jobs)) for jobs in (1, 2))
    assert [found.path for found in together] == paths
    for one, other in zip(alone, together, strict=True):
        assert len(one.r_indices) > 10
        np.testing.assert_array_equal(one.r_indices, other.r_indices)


def test_side_by_side_tells_of_a_worker_that_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "WORTH_PROCESSES_S", 0.0)
    with pytest.raises(WorkerKilled):
        list(side_by_side(_kill_unless, [os.getpid()] * 4, 2))


def _kill_unless(parent: int) -> None:
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
