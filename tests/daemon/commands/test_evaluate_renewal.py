"""``qrsd evaluate renewal`` on generated hearts, and what it refuses."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from daemon.commands import evaluate
from daemon.offline.errors import EmbedderNeeded, TooFewBeats
from tests.daemon.commands.test_evaluate_attacks import write_person
from tests.model.models import classifier


def run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser("qrsd")
    evaluate.add_parsers(parser.add_subparsers(required=True))
    args = parser.parse_args(["evaluate", "renewal", *map(str, arguments), "--jobs", "1"])
    code: int = args.run(args)
    return code


def test_everybody_is_enrolled_by_the_first_recording_and_probed_with_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, seed in (("Ada", 64), ("Bob", 82)):
        write_person(tmp_path / "people" / name, seed)
    assert run(tmp_path / "people", "--json", tmp_path / "figures.json") == 0
    measured = json.loads((tmp_path / "figures.json").read_text())
    assert (measured["persons"], measured["probes"]) == (2, 2)
    assert measured["largest_difference_of_a_score"] < 1e-3
    assert "2 people, 2 probes, 50 pairs of secrets" in capsys.readouterr().out


def test_one_person_is_not_enough(tmp_path: Path) -> None:
    write_person(tmp_path / "people" / "Ada", 64)
    with pytest.raises(TooFewBeats, match="two people or more are needed"):
        run(tmp_path / "people")


def test_a_classifier_has_no_templates_to_turn(tmp_path: Path) -> None:
    with pytest.raises(EmbedderNeeded, match="has no templates"):
        run(tmp_path, "--model", classifier(tmp_path))
