"""What the benchmark of cost runs: all samples pass, and what it adds up is what was counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import cost
from drivers.frame import decode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "frames").write_bytes(b"".join(map(cost.answer, cost.frames(100))))
    return tmp_path


@pytest.mark.parametrize("part", ["acquisition", "stand-ins", "service", "stranger"])
def test_a_part_takes_its_samples_and_ends(part: str, folder: Path) -> None:
    assert "Traceback" not in cost.run(part, 300, (), folder)


def test_the_chip_s_answers_are_its_frames() -> None:
    for frame in cost.frames(50):
        assert decode(cost.answer(frame)[1:]) == (frame.status, frame.counts)


def test_a_share_is_of_the_instructions_that_a_core_runs_in_a_second() -> None:
    core = cost.Core("half as fast", hz=1e9, instructions_per_cycle=0.5)
    assert cost.Cost(20_000.0, 4.0).share(core) == pytest.approx(0.01)
