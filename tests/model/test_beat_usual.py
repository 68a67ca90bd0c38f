"""A wearer's own beats move what it takes for a beat to be ventricular."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.beat_clusters import USUAL
from model.beat_usual import UsualOdds


def logits(ln_odds: float) -> NDArray[np.float32]:
    return np.array([0, -3, ln_odds, ln_odds - 1], dtype=np.float32)


def asked(usual_ln_odds: float, beats: int, asked_ln_odds: float = 2.0) -> NDArray[np.float32]:
    """Return what a beat's logits are after so many usual ones."""
    usual = UsualOdds()
    for _ in range(beats):
        usual.correct(logits(usual_ln_odds), USUAL)
    return usual.correct(logits(asked_ln_odds), USUAL)


def test_of_a_stranger_nothing_is_changed() -> None:
    np.testing.assert_array_equal(asked(0.0, 0), logits(2.0))


def test_where_every_beat_looks_ventricular_it_takes_more() -> None:
    noisy, plain = asked(1.0, 200), asked(-5.0, 200)
    np.testing.assert_array_equal(plain, logits(2.0))
    np.testing.assert_allclose(plain - noisy, [0, 0, 0.3 * 6, 0.3 * 6], rtol=1e-5)


def test_where_none_does_it_takes_a_little_less_but_never_much() -> None:
    np.testing.assert_allclose(asked(-8.0, 200) - logits(2.0), [0, 0, 0.9, 0.9], rtol=1e-5)
    np.testing.assert_array_equal(asked(-8.0, 200), asked(-30.0, 200))


def test_bigeminy_does_not_hide_itself() -> None:
    usual = UsualOdds()
    for _ in range(100):
        usual.correct(logits(-5.0), USUAL)
        found = usual.correct(logits(6.0), USUAL)
    np.testing.assert_array_equal(found, logits(6.0))


def test_the_past_is_forgotten() -> None:
    usual = UsualOdds()
    for ln_odds in [3.0] * 300 + [-5.0] * 128:
        found = usual.correct(logits(ln_odds), USUAL)
    np.testing.assert_array_equal(found, logits(-5.0))


def test_a_beat_of_an_unusual_shape_is_drawn_to_what_was_said_of_this_shape_alone() -> None:
    usual = UsualOdds()
    for shape, ln_odds in ((1, 5.0), (2, -9.0), (1, 7.0)):
        usual.correct(logits(ln_odds), shape)
    found = usual.correct(logits(0.0), 1)
    np.testing.assert_allclose(found - logits(0.0), [0, 0, 0.7 * 4, 0.7 * 4], rtol=1e-6)
    np.testing.assert_array_equal(usual.correct(logits(0.0), 3), logits(0.0))
    np.testing.assert_array_equal(usual.correct(logits(0.0), USUAL), logits(0.0))


def test_one_strange_verdict_inside_a_run_is_turned_over() -> None:
    """A network that expects a normal beat after each V says V, N, V, N of one run."""
    usual = UsualOdds()
    run = [usual.correct(logits(ln_odds), 4) for ln_odds in (6.0, -1.0) * 4]
    assert all(beat[2] > beat[0] for beat in run)
