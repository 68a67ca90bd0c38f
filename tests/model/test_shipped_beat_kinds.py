"""The network of beat kinds that comes with the project: whole, small, and right on plain beats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.waveforms.hearts import Heart
from model.beat_kinds import BeatKindJudge
from model.beat_network import SHIPPED, BeatNetwork
from model.beat_passport import Decision
from model.errors import (
    ModelAltered,
    ModelMissing,
    PassportFieldInvalid,
    PassportMismatch,
    PassportSchemaUnknown,
)
from model.passport import passport_path
from tests.model.made_up_rhythm import events_of, rhythm


def kinds_of(ecg_mv: NDArray[np.float64]) -> dict[int, str]:
    """Return the kind of the beat at each R peak, as the shipped network tells it."""
    judge = BeatKindJudge(BeatNetwork())
    found = [kind for event in events_of(ecg_mv) for kind in judge.push(event)] + judge.finish()
    return {beat.r_index: beat.kind for beat in found}


def told(places: Sequence[int], kinds: dict[int, str]) -> list[str]:
    """Return the kind of the beat found next to each place."""
    return [kinds[min(kinds, key=lambda found: abs(found - place))] for place in places]


def test_it_computes_what_keras_computed() -> None:
    with np.load(SHIPPED.with_suffix(".reference.npz")) as reference:
        inputs, logits = reference["inputs"], reference["logits"]
    network = BeatNetwork()
    found = np.array([network.logits(each) for each in inputs])
    assert len(inputs) == 64
    np.testing.assert_allclose(found, logits, atol=0.01)


def test_it_is_small_and_says_what_it_was_made_of() -> None:
    passport = BeatNetwork().passport
    assert SHIPPED.stat().st_size < 200_000
    assert {"mitdb", "svdb"} <= set(passport.training["patients"])
    assert passport.training["licence"] == "ODC-By 1.0"
    assert set(passport.metrics["by_architecture"]) == {"single", "sequence", "autoencoder", "both"}


def test_wide_early_beats_among_narrow_ones_are_ventricular() -> None:
    ectopic = (20, 33, 34 + 10)
    r_peaks, ecg_mv = rhythm(60, ectopic, wide=True)
    kinds = kinds_of(ecg_mv)
    assert told([r_peaks[beat] for beat in ectopic], kinds) == ["V"] * 3
    assert Counter(kinds.values()) == {"N": 57, "V": 3}


def test_narrow_early_beats_are_supraventricular() -> None:
    ectopic = (40, 53, 64)
    r_peaks, ecg_mv = rhythm(80, ectopic)
    kinds = kinds_of(ecg_mv)
    assert told([r_peaks[beat] for beat in ectopic], kinds) == ["S"] * 3
    assert Counter(kinds.values()) == {"N": 77, "S": 3}


def test_healthy_simulated_hearts_are_hardly_ever_called_abnormal() -> None:
    counts: Counter[str] = Counter()
    for seed in range(6):
        counts += Counter(kinds_of(Heart(seed).ecg_mv[: 60 * 250]).values())
    assert counts["N"] > 250
    assert counts["N"] >= 0.99 * counts.total()


def test_the_probability_rises_with_the_odds_and_the_biases_choose() -> None:
    logits = np.array([[3, 0, 0, 0], [1, 0, 2, 0], [0, 0, 5, 1]], dtype=np.float32)
    plain = Decision((0.0, 0.0, 0.0, 0.0), 1.0, 0.0)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(plain.abnormal(logits), 1 - softmax[:, 0], rtol=1e-5)
    assert plain.kinds(logits).tolist() == [0, 2, 2]
    assert Decision((0.0, 0.0, -2.0, 0.0), 1.0, 0.0).kinds(logits).tolist() == [0, 0, 2]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the shipped network and its passport."""
    for file in (SHIPPED, passport_path(SHIPPED)):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path / SHIPPED.name


def test_a_missing_or_altered_model_is_refused(copied: Path) -> None:
    BeatNetwork(copied)
    copied.write_bytes(copied.read_bytes() + b" ")
    with pytest.raises(ModelAltered, match="SHA-256"):
        BeatNetwork(copied)
    copied.unlink()
    with pytest.raises(ModelMissing, match="no such model"):
        BeatNetwork(copied)


@pytest.mark.parametrize(
    ("was", "becomes", "error"),
    [
        ('"rr_rank"', '"rr_place"', PassportSchemaUnknown),
        ('"beat_kinds 1"', '"beat_kinds 9"', PassportSchemaUnknown),
        ('"biases": [', '"biases": [0.5,', PassportFieldInvalid),
        ('"slope"', '"slop"', PassportFieldInvalid),
        ('"notch_q": 8.0', '"notch_q": 9.0', PassportMismatch),
    ],
)
def test_a_passport_of_another_chain_or_inputs_or_without_a_decision_is_refused(
    copied: Path, was: str, becomes: str, error: type[Exception]
) -> None:
    passport = passport_path(copied)
    text = passport.read_text()
    assert was in text
    passport.write_text(text.replace(was, becomes))
    with pytest.raises(error):
        BeatNetwork(copied)
