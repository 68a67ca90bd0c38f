"""What ``qrsd run`` makes of its flags, and what ``qrsd selftest`` finds on simulated chips."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import SettingInvalid
from config.settings import Settings
from config.source import PlayOptions
from daemon.commands import service
from drivers.errors import MisoConstantHigh
from tests.daemon.commands.command import parse


def settings_of(*arguments: str) -> Settings:
    return service.settings_of(parse("run", *arguments))


def test_simulated_is_a_setting_like_others() -> None:
    assert settings_of("--simulated").source == "simulated"
    assert settings_of("--set", "source=simulated").source == "simulated"


def test_recordings_are_played_one_by_one_with_pauses_in_which_somebody_else_sits_down() -> None:
    settings = settings_of("--simulated", "--play", "a/1", "/b/2", "--signal", "ECG I", "--once")
    assert settings.simulated.play == (
        PlayOptions(record=str(Path.cwd() / "a/1"), signal="ECG I"),
        PlayOptions(pause=3.0),
        PlayOptions(record="/b/2", signal="ECG I"),
        PlayOptions(pause=3.0),
    )
    assert not settings.simulated.repeat


def test_one_recording_goes_on_and_on() -> None:
    settings = settings_of("--simulated", "--play", "a")
    assert [entry.pause for entry in settings.simulated.play] == [None]
    assert settings.simulated.repeat


def test_set_has_the_last_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "qrsd.yaml"
    file.write_text("chip: {gain: 2, vref_v: 4.033}")
    monkeypatch.setenv("QRSD_CHIP_GAIN", "3")
    settings = settings_of("--settings", str(file), "--set", "chip.gain=8")
    assert (settings.chip.gain, settings.chip.vref_v) == (8, 4.033)


@pytest.mark.parametrize("flags", [("--play", "a"), ("--once",)])
def test_nothing_is_played_to_a_real_chip(flags: tuple[str, ...]) -> None:
    with pytest.raises(SettingInvalid, match=f"{flags[0]} is for the simulated chip"):
        settings_of(*flags, "--set", "source=chip")  # whatever this machine is set to


def run_selftest(*arguments: str) -> int:
    args = parse("selftest", "--simulated", *arguments)
    exit_code: int = args.run(args)
    return exit_code


def test_a_good_chip_passes_every_test(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_selftest("--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["chip"]["part"] == "ADS1292R"
    assert told["chip"]["simulated"]
    assert all(line["passed"] for line in told["tests"])


def test_the_table_says_what_was_simulated(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_selftest() == 0
    assert "SIMULATED" in capsys.readouterr().out


def test_a_chip_that_is_not_there_is_an_error_that_says_what_to_check() -> None:
    with pytest.raises(MisoConstantHigh):
        run_selftest("--set", 'simulated.chip.faults=["no-chip-ff"]')


def test_the_journal_is_told_priorities_and_a_terminal_the_time() -> None:
    """JOURNAL_STREAM counts only where it is stderr's own (systemd.exec(5)).

    Where journald's own socket is out of reach, it takes the priority from the start of a line.
    """
    script = (
        "import logging, os, sys; from daemon import journal;"
        "from daemon.commands.service import _start_logging; from config.settings import Settings;"
        "journal.SOCKET = '/nowhere';"
        "stat = os.fstat(2);"
        "sys.argv[1:] and os.environ.update(JOURNAL_STREAM=f'{stat.st_dev}:{stat.st_ino}');"
        "_start_logging(Settings()); logging.warning('oops')"
    )

    def logged(*arguments: str) -> str:
        environment = {**os.environ, "JOURNAL_STREAM": "1:2"}
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.run(
            command, env=environment, stderr=subprocess.PIPE, text=True, check=True
        ).stderr

    assert logged("journal") == "<4>oops\n"
    assert logged().endswith(f" {logging.getLevelName(logging.WARNING)} oops\n")
