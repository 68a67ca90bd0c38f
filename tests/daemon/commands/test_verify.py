"""``qrsd verify``: whether two recordings are one person's, and how that is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from daemon.commands.records import explained
from dsp.front_end import FrontEnd
from model.errors import EmbedderNeeded, ModelMissing, PassportMismatch
from model.passport import Passport
from model.verdict import Verdict
from tests.daemon.commands.command import qrsd
from tests.daemon.commands.models import write_passport
from tests.daemon.hearts import write_heart


def test_verify_says_by_its_exit_code_whether_two_records_are_one_persons(
    tmp_path: Path, embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write_heart(tmp_path / "first.csv", seed=3)
    later = write_heart(tmp_path / "later.csv", seed=3, start_s=100)
    other = write_heart(tmp_path / "other.csv", seed=5)
    quiet = write_heart(tmp_path / "quiet.csv", seed=3, seconds=1)
    codes = [
        qrsd("verify", first, second, "--model", embedder, "--json")
        for second in (later, other, quiet)
    ]
    same, different, undecided = map(json.loads, capsys.readouterr().out.splitlines())
    assert codes == [0, 1, 3]
    assert [same["same"], different["same"], undecided["same"]] == [True, False, None]
    assert same["ln_likelihood_ratio"] == pytest.approx(20 * same["score"] - 9.4)
    assert same["probability"] == pytest.approx(1 / (1 + np.exp(9.4 - 20 * same["score"])))
    assert different["score"] < 0.47 < same["score"]
    assert undecided["score"] is undecided["ln_likelihood_ratio"] is None


def test_a_single_good_beat_is_enough_for_a_verdict(
    tmp_path: Path, embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write_heart(tmp_path / "first.csv", seed=3)
    short = write_heart(tmp_path / "short.csv", seed=3, start_s=0.5, seconds=2.1)
    assert qrsd("verify", first, short, "--model", embedder, "--json") == 0
    assert json.loads(capsys.readouterr().out)["beats"] == 1


@pytest.mark.parametrize(
    ("same", "ln_ratio", "words"),
    [
        (
            True,
            np.log(312),
            "the same person: the signals are 310 times as likely if they are one ",
        ),
        (True, 9.9, "the same person: the signals are 1000 times or more as likely if they are on"),
        (False, -np.log(2), "different persons: the signals are 2 times as likely if they are two"),
        (None, None, "undecided: there is no good beat in one of the recordings, or in neither"),
    ],
)
def test_a_verdict_is_explained(same: bool | None, ln_ratio: float | None, words: str) -> None:
    known = ln_ratio is not None
    verdict = Verdict(same, 2.0 if known else None, ln_ratio, 0.6 if known else None, 7)
    assert explained(verdict).startswith(words)


def test_verify_of_an_unreadable_record_has_that_errors_exit_code(
    tmp_path: Path, embedder: Path
) -> None:
    record = write_heart(tmp_path / "one.csv", seed=1)
    assert qrsd("verify", record, tmp_path / "missing.csv", "--model", embedder) == 66


def test_verify_needs_an_embedder(tmp_path: Path, classifier: Path) -> None:
    record = write_heart(tmp_path / "one.csv", seed=1)
    with pytest.raises(EmbedderNeeded, match="knows only the group it was trained on"):
        qrsd("verify", record, record, "--model", classifier)


def test_a_model_that_is_missing_or_trained_otherwise_is_refused_before_listening(
    tmp_path: Path, embedder: Path
) -> None:
    with pytest.raises(ModelMissing):
        qrsd("verify", "one", "other", "--model", tmp_path / "missing.tflite")
    cohort = Passport.load(embedder).cohort
    write_passport(embedder, cohort, front_end={**FrontEnd.description(), "lowpass_hz": 100.0})
    with pytest.raises(PassportMismatch, match="lowpass_hz"):
        qrsd("verify", "one", "other", "--model", embedder)
