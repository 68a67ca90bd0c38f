"""What ``qrsd run`` makes of its flags, and what ``qrsd selftest`` finds on simulated chips."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from config.errors import SettingInvalid
from config.settings import Settings
from config.source import PlayOptions
from daemon.commands import service
from drivers.errors import MisoConstantHigh
from tests.daemon.commands.command import parse, qrsd


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
        "from daemon.commands.service import start_logging; from config.settings import Settings;"
        "journal.SOCKET = '/nowhere';"
        "stat = os.fstat(2);"
        "sys.argv[1:] and os.environ.update(JOURNAL_STREAM=f'{stat.st_dev}:{stat.st_ino}');"
        "start_logging(Settings()); logging.warning('oops')"
    )

    def logged(*arguments: str) -> str:
        environment = {**os.environ, "JOURNAL_STREAM": "1:2"}
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.run(
            command, env=environment, stderr=subprocess.PIPE, text=True, check=True
        ).stderr

    assert logged("journal") == "<4>oops\n"
    assert logged().endswith(f" {logging.getLevelName(logging.WARNING)} oops\n")


def test_on_a_terminal_it_says_where_it_is_and_what_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    ran: list[Settings] = []

    @contextmanager
    def assembled(settings: Settings) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(run=lambda: ran.append(settings))

    monkeypatch.setattr("daemon.service.assembly.assembled", assembled)
    address = f"ipc://{tmp_path}/messages.ipc"
    arguments = ("run", "--simulated", f"--set=publish.addresses=['{address}']")
    for terminal in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda answer=terminal: answer)
        assert qrsd(*arguments) == 0
        said = capsys.readouterr().err
        assert (said != "") is terminal
    assert len(ran) == 2
    for words in (address, f"ipc://{tmp_path}/control.ipc", f"{tmp_path}/simulated.sqlite"):
        assert words in said
    assert "the simulated chip" in said
    assert "qrsd watch" in said
