"""``qrsd evaluate renewal`` on generated hearts, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daemon.offline.errors import TooFewBeats
from model.errors import EmbedderNeeded
from tests.benchmarks.commands.test_evaluate_attacks import write_person
from tests.daemon.commands.command import qrsd
from tests.model.models import classifier


def test_everybody_is_enrolled_by_the_first_recording_and_probed_with_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, seed in (("Ada", 64), ("Bob", 82)):
        write_person(tmp_path / "people" / name, seed)
    assert (
        qrsd(
            "evaluate",
            "renewal",
            tmp_path / "people",
            "--json",
            tmp_path / "figures.json",
            "--jobs",
            "1",
        )
        == 0
    )
    measured = json.loads((tmp_path / "figures.json").read_text())
    assert (measured["persons"], measured["probes"]) == (2, 2)
    assert measured["largest_difference_of_a_score"] < 1e-3
    assert "2 people, 2 probes, 50 pairs of secrets" in capsys.readouterr().out


def test_one_person_is_not_enough(tmp_path: Path) -> None:
    write_person(tmp_path / "people" / "Ada", 64)
    with pytest.raises(TooFewBeats, match="two people or more are needed"):
        qrsd("evaluate", "renewal", tmp_path / "people", "--jobs", "1")


def test_a_classifier_has_no_templates_to_turn(tmp_path: Path) -> None:
    with pytest.raises(EmbedderNeeded, match="has no templates"):
        qrsd("evaluate", "renewal", tmp_path, "--model", classifier(tmp_path))
