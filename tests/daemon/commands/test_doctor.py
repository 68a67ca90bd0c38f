"""``qrsd doctor`` as a user sees it: lines, JSON, exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daemon.__main__ import main


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))
    monkeypatch.setenv("QRSD_PUBLISH_ADDRESSES", f"['ipc://{tmp_path}/messages.ipc']")


def test_a_sound_simulated_chip_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--simulated"]) == 0
    told = capsys.readouterr().out
    assert "fine     DRDY rate" in told
    assert told.splitlines()[-1].startswith("SIMULATED, no real chip was looked at: ")


def test_what_is_wrong_shows_in_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    fault = 'simulated.chip.faults=["no-chip-ff"]'
    assert main(["doctor", "--simulated", "--json", "--set", fault]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["simulated"] is True
    verdicts = {finding["about"]: finding["verdict"] for finding in told["findings"]}
    assert (verdicts["registers"], verdicts["samples"]) == ("wrong", "skipped")


def test_settings_that_cannot_work_are_a_finding_like_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "--set", "chip.gian=4"]) == 1
    assert "did you mean gain?" in " ".join(capsys.readouterr().out.split())


def test_a_setting_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--set", "chip.gain=\x1b[2J[red]"]) == 1
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "[2J[red]" in "".join(told.split())
