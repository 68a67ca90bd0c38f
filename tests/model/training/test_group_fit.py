"""Training that was interrupted goes on; other training begins afresh."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.model.training.crowd import crowd

pytestmark = pytest.mark.train
pytest.importorskip("tensorflow", reason="needs the [train] extra")

STEPS = 120


class Interruptible:
    """Counts steps, and is interrupted at one of them."""

    def __init__(self, at: int | None = None) -> None:
        self.steps = 0
        self._at = at

    def __call__(self, _stage: str, _steps: int) -> Callable[[], None]:
        return self._step

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self._at:
            raise KeyboardInterrupt


def test_it_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    from model.training.group_fit import Lesson, fit
    from model.training.train import Recipe

    members = crowd(2)
    lesson = Lesson(members, members.of(()), "ours", Recipe(steps=STEPS), seed=1)
    unfinished = tmp_path / "heart.unfinished"
    with pytest.raises(KeyboardInterrupt):
        fit(lesson, unfinished, Interruptible(at=110))
    other = Lesson(members, members.of(()), "ours", Recipe(steps=STEPS), seed=2)
    with pytest.raises(KeyboardInterrupt):
        fit(other, unfinished, interrupted := Interruptible(at=STEPS))
    assert interrupted.steps == STEPS, "another lesson has nothing to go on from"
    resumed = Interruptible()
    network = fit(lesson, unfinished, resumed)
    assert resumed.steps == STEPS - 100, "it was last saved after 100 steps"
    assert int(network.optimizer.iterations) == STEPS
    assert not unfinished.exists()


def test_strangers_have_one_output_more() -> None:
    from model.training.group_fit import Lesson
    from model.training.train import Recipe

    members, others = crowd(3), crowd(12)
    assert Lesson(members, members.of(()), "reference", Recipe(), 1).outputs == 3
    assert Lesson(members, others, "reference", Recipe(), 1).outputs == 4
