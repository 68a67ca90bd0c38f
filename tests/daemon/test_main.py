"""One line and an exit code for a user's mistake, a traceback for ours."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import benchmarks.commands  # noqa: F401  its exit codes
import daemon.__main__ as command
from config.errors import SettingInvalid
from daemon.commands import exit_codes
from daemon.service.errors import AcquisitionFailed
from daemon.wire.errors import ServiceUnavailable
from drivers.errors import NoSpiDevice
from model.errors import ModelMissing
from model.gallery import Gallery
from tests.model.galleries import template


def failing_with(error: BaseException, monkeypatch: pytest.MonkeyPatch, *flags: str) -> int:
    """Run a command that fails, and return the exit code."""

    def fail(_args: argparse.Namespace) -> int:
        raise error

    parser = argparse.ArgumentParser()
    parser.add_argument("--traceback", action="store_true")
    parser.set_defaults(run=fail)
    monkeypatch.setattr(command, "build_parser", lambda _arguments: parser)
    return command.main(list(flags))


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (SettingInvalid("chip.gain: 5 is not one of 1, 2"), 78),
        (NoSpiDevice("There is no /dev/spidev0.0: enable SPI."), 69),
        (ModelMissing("heart.tflite: no such model"), 66),
        (ServiceUnavailable("Nobody answers."), 69),
    ],
)
def test_an_error_of_any_family_is_one_line_with_its_exit_code(
    error: Exception,
    exit_code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert failing_with(error, monkeypatch) == exit_code
    assert capsys.readouterr().err == f"qrsd: {error}\n"


def test_an_error_of_several_lines_becomes_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_with(SettingInvalid("a\nb"), monkeypatch)
    assert capsys.readouterr().err == "qrsd: a b\n"


def test_a_traceback_is_there_for_the_asking(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing_with(SettingInvalid("wrong"), monkeypatch, "--traceback") == 78
    assert "Traceback" in capsys.readouterr().err


def test_a_bug_is_70_and_shows_where_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing_with(KeyError("oops"), monkeypatch) == 70
    assert "Traceback" in capsys.readouterr().err


def test_a_bug_s_message_which_may_name_somebody_stays_out_of_the_journal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(exit_codes, "is_the_journal", lambda _stream: True)
    assert failing_with(KeyError("Zacharias"), monkeypatch) == 70
    said = capsys.readouterr().err
    assert "Zacharias" not in said
    assert "in fail" in said
    assert "KeyError" in said
    assert failing_with(KeyError("Zacharias"), monkeypatch, "--traceback") == 70
    assert "Zacharias" in capsys.readouterr().err


def test_ctrl_c_is_130_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing_with(KeyboardInterrupt(), monkeypatch) == 130
    assert capsys.readouterr().err == ""


def test_wrong_usage_is_2() -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["run", "--gain", "4"])


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        command.main(["--version"])
    assert capsys.readouterr().out == f"qrsd {version('qrsd')}\n"


@pytest.mark.parametrize(
    "name",
    [
        "run",
        "watch",
        "enroll",
        "people",
        "verify",
        "identify",
        "detect",
        "embed",
        "train",
        "selftest",
        "demo",
    ],
)
def test_each_command_explains_itself_with_examples(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        command.main([name, "--help"])
    help_text = capsys.readouterr().out
    assert "example" in help_text
    assert f"qrsd {name}" in help_text


#: What takes a Raspberry Pi longer to import than all the rest.
HEAVY = {"cryptography", "numpy", "rich", "scipy", "starlette", "wfdb", "yaml", "zmq"}


@pytest.mark.parametrize(
    ("arguments", "may_load"),
    [
        (["--help"], set[str]()),
        (["--version"], set[str]()),
        (["demo", "--help"], {"rich", "yaml", "zmq"}),
        (["watch", "--help"], {"rich", "yaml", "zmq"}),
        (["web", "--help"], {"yaml", "zmq"}),
        (["people", "--help"], HEAVY - {"scipy", "wfdb"}),
        (["run", "--help"], {"yaml"}),
    ],
)
def test_a_command_loads_only_what_it_needs(arguments: list[str], may_load: set[str]) -> None:
    script = (
        "import sys, contextlib, daemon.__main__ as qrsd\n"
        f"with contextlib.suppress(SystemExit): qrsd.main({arguments})\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(run.stderr.split()) & HEAVY <= may_load


def test_the_help_lists_each_command_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert not command.COMMANDS.keys() & command.FROM_A_CHECKOUT.keys()
    for name, (_, line) in (command.COMMANDS | command.FROM_A_CHECKOUT).items():
        assert words.count(f" {name} {line}") == 1


@pytest.mark.parametrize(
    ("arguments", "unknown"), [(["train"], "train"), (["evaluate", "identity"], "identity")]
)
def test_without_a_checkout_there_are_no_commands_of_one(
    arguments: list[str],
    unknown: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda _name: None)
    with pytest.raises(SystemExit, match="2"):
        command.main([*arguments, "--help"])
    assert f"invalid choice: '{unknown}'" in capsys.readouterr().err


def test_an_error_of_the_acquisition_process_ends_the_service_with_its_code() -> None:
    codes = {"chip_silent": 74, "wrong_part": 78, "recording_not_found": 66, "internal": 70}
    for name, code in codes.items():
        assert exit_codes.exit_code(AcquisitionFailed("no samples", name)) == code
    assert exit_codes.exit_code(AcquisitionFailed("ended (-11)", None)) == 70


def test_every_error_of_ours_has_an_exit_code() -> None:
    modules = [sys.modules[name] for name in sys.modules if name.endswith(".errors")]
    ours = {
        kind
        for module in modules
        if module.__name__.split(".")[0] in {"benchmarks", "config", "daemon", "drivers", "model"}
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    }
    assert len(ours) > 60
    assert [kind for kind in ours if exit_codes.code_of(kind) == exit_codes.BUG] == []


def test_leaving_early_as_head_does_is_no_error() -> None:
    script = f"{sys.executable} -m daemon config show | head -1"
    shell = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script], capture_output=True, text=True, check=False
    )
    assert shell.stderr == ""
    assert shell.returncode == 0


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("config show >&-", 73, "the output cannot be written: Bad file descriptor"),
        ("config show >/dev/full", 73, "the output cannot be written: No space left on device"),
        ("people list >/dev/full", 73, "the output cannot be written: No space left on device"),
        ("people list 2>&- <&-", 0, ""),
        ("people rename - Ada <&-", 66, "no such gallery"),
    ],
)
def test_output_that_cannot_be_written_is_one_line_and_a_code(
    tmp_path: Path, line: str, code: int, says: str
) -> None:
    run = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m daemon {line}"],
        env={"STATE_DIRECTORY": str(tmp_path), "HOME": str(tmp_path)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code
    assert says in run.stderr
    assert len(run.stderr.splitlines()) <= 1


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "latin-1"}])
def test_names_come_out_in_any_encoding(tmp_path: Path, environment: dict[str, str]) -> None:
    with Gallery(tmp_path / "gallery.sqlite") as gallery:
        gallery.enrol(template("Владимир"), template("José"))
    for words in (["list"], ["export"]):
        run = subprocess.run(
            [sys.executable, "-m", "daemon", "people", *words],
            env={"STATE_DIRECTORY": str(tmp_path), "HOME": str(tmp_path), **environment},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=False,
        )
        assert (run.returncode, b"Traceback" in run.stderr) == (0, False)
    people = json.loads(run.stdout.decode(environment.get("PYTHONIOENCODING", "utf-8")))["people"]
    assert [person["name"] for person in people] == ["José", "Владимир"]


def test_what_others_wrote_commands_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_with(SettingInvalid("device: \x1b[2J\u202e is none"), monkeypatch)
    assert capsys.readouterr().err == "qrsd: device: \ufffd[2J\ufffd is none\n"


@pytest.mark.parametrize("redirected", ["> /dev/full", ">&-"])
@pytest.mark.parametrize("asked", ["--help", "--version", "run --help"])
def test_help_that_cannot_be_written_is_one_line_and_a_code(asked: str, redirected: str) -> None:
    script = f"{sys.executable} -m daemon {asked} {redirected}"
    shell = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert shell.returncode == 73
    assert re.fullmatch(r"qrsd: the output cannot be written: .*\n", shell.stderr)


#: A line for each command, which ends at once; alone, they name nobody and nothing that there is.
LINES = (
    "run --settings /nowhere.yaml",
    "selftest --settings /nowhere.yaml",
    "doctor --settings /nowhere.yaml",
    "watch --key /nowhere",
    "record --key /nowhere",
    "mark coffee",
    "notify",
    "web --port 99999",
    "bridge mqtt",
    "bridge influx",
    "fleet run",
    "convert /nowhere.bdf /nor-here.edf",
    "digitize /nowhere.png /nor-here.bdf",
    "enroll Zo\u00eb",
    "people list",
    "people rename Zo\u00eb Bob",
    "people forget Zo\u00eb",
    "people export",
    "people import -",
    "calibrate --gallery /nowhere.sqlite",
    "keys list",
    "keys revoke laptop",
    "keys web-token revoke tablet",
    "keys web-certificate show",
    "keys fleet-device door-3 --site nowhere",
    "detect /nowhere.csv",
    "hrv /nowhere.csv",
    "intervals /nowhere.csv",
    "features /nowhere.csv --out /nowhere-features.csv",
    "rhythm /nowhere.csv",
    "report /nowhere.csv --out /nowhere-report.json",
    "embed /nowhere.csv --out /nowhere.npz",
    "identify /nowhere.csv",
    "verify /nowhere.csv /nor-here.csv",
    "explain /nowhere.csv",
    "config check /nowhere.yaml",
    "config show",
    "data nowhere",
    "demo nowhere",
    "train /nowhere",
    "evaluate nowhere",
    "benchmark nowhere",
)


def ended(line: str, redirected: str, environment: dict[str, str]) -> tuple[int, str]:
    """Run a command of qrsd's; return its exit code and what it wrote to standard error."""
    run = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m daemon {line} {redirected}"],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return run.returncode, run.stderr


@pytest.mark.parametrize("line", LINES)
def test_whatever_its_streams_and_home_a_command_ends_with_a_line_and_a_code(
    tmp_path: Path, line: str
) -> None:
    state = {"STATE_DIRECTORY": str(tmp_path), "RUNTIME_DIRECTORY": str(tmp_path)}
    homeless = {"HOME": ""} | (state if os.geteuid() == 0 else {})  # root has the service's state
    poor = homeless | {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    code, said = ended(line, "</dev/null", poor)
    codes = {0, 1, 2, 65, 66, 69, 78}
    assert code in codes
    same = {code} if "STATE_DIRECTORY" in homeless else codes
    # To a command, an error output that is closed and one that is full differ by a number only.
    unheard = ("</dev/null >&- 2>&-", "<&- >&- 2>/dev/full")[LINES.index(line) % 2]
    for redirected in ("<&- >/dev/full", unheard):
        again, more = ended(line, redirected, state)
        assert again in same | {73}, redirected
        said += more
        assert "Traceback" not in said
        errors = [each for each in more.splitlines() if each.startswith("qrsd")]
        assert len(errors) <= max(1, line.count("csv"))  # a line for each record


def test_every_command_has_such_a_line() -> None:
    assert {line.split()[0] for line in LINES} == {*command.COMMANDS, *command.FROM_A_CHECKOUT}
