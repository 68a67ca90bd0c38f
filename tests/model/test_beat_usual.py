"""A wearer's own beats move what it takes for a beat to be ventricular."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.beat_usual import UsualOdds


def logits(ln_odds: float) -> NDArray[np.float32]:
    return np.array([0, -3, ln_odds, ln_odds - 1], dtype=np.float32)


def asked(usual_ln_odds: float, beats: int, asked_ln_odds: float = 2.0) -> NDArray[np.float32]:
    """Return what a beat's logits are after so many usual ones."""
    usual = UsualOdds()
    for _ in range(beats):
        usual.correct(logits(usual_ln_odds))
    return usual.correct(logits(asked_ln_odds))


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
        usual.correct(logits(-5.0))
        found = usual.correct(logits(6.0))
    np.testing.assert_array_equal(found, logits(6.0))


def test_the_past_is_forgotten() -> None:
    usual = UsualOdds()
    for ln_odds in [3.0] * 300 + [-5.0] * 128:
        found = usual.correct(logits(ln_odds))
    np.testing.assert_array_equal(found, logits(-5.0))
