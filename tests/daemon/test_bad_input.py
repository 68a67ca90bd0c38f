"""What the service cannot work with ends it with one clear line and an exit code for scripts."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from daemon.__main__ import main
from model.gallery import Gallery
from model.passport import file_sha256
from tests.daemon.running import PATIENCE_S, environment
from tests.model.models import embedder

#: Even root may then not write where its own permissions forbid it.
WITHOUT_PRIVILEGES = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    if os.geteuid() == 0
    else []
)

Prepare = Callable[[Path], object]


class Ended(NamedTuple):
    """How the service ended."""

    exit_code: int
    stderr: str

    @property
    def complaint(self) -> str:
        """The one line that says what is wrong; above it there may be some of the log."""
        *log, last = self.stderr.splitlines()
        assert last.startswith("qrsd: ")
        assert not [line for line in log if line.startswith(("qrsd: ", "Traceback"))]
        return last.removeprefix("qrsd: ")


Run = Callable[..., Ended]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model, an empty state, and settings that name them."""
    (tmp_path / "state").mkdir()
    embedder(tmp_path)
    (tmp_path / "qrsd.yaml").write_text(
        f"model: {tmp_path}/cosines.tflite\n"
        "source: simulated\n"
        f"publish: {{addresses: ['ipc://{tmp_path}/messages.ipc']}}\n"
    )
    return tmp_path


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the service here, which spares the start of a Python."""
    for name, value in environment(folder).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Ended:
        exit_code = main(["run", "--settings", f"{folder}/qrsd.yaml", *arguments])
        return Ended(exit_code, capfd.readouterr().err)

    return run


def run_apart(folder: Path, *arguments: str, under: Sequence[str] = (), **more: str) -> Ended:
    """Run the service as a process of its own."""
    command = [sys.executable, "-m", "daemon", "run", "--settings", f"{folder}/qrsd.yaml"]
    ended = subprocess.run(
        [*under, *command, *arguments],
        env=environment(folder) | more,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return Ended(ended.returncode, ended.stderr)


@pytest.mark.parametrize(
    ("setting", "exit_code", "words"),
    [
        ("chip.gian=4", 78, "chip.gian: no such setting; did you mean gain?"),
        ("chip.gain=5", 78, "chip.gain: 5 is not one of 1, 2, 3, 4, 6, 8, 12"),
        ("chip.rate_hz=500", 78, "chip.rate_hz: 500 is not 250"),
        ("publish.addresses=['tcp://0.0.0.0:5292']", 78, "tcp://0.0.0.0:5292 is refused"),
        ("publish.addresses=['tcp://*:5292']", 78, "tcp://*:5292 is refused"),
        ("model=/nowhere/heart.tflite", 66, "/nowhere/heart.tflite: no such model"),
        ("simulated.play=[{record: /nowhere/rec_1}]", 66, "There is no recording /nowhere/rec_1"),
    ],
)
def test_a_setting_that_cannot_work(run: Run, setting: str, exit_code: int, words: str) -> None:
    ended = run("--set", setting)
    assert ended.complaint.startswith(words)
    assert ended.exit_code == exit_code


def spoil_settings(folder: Path) -> None:
    (folder / "qrsd.yaml").write_text("device: x\nchip: {gain: 6\n")


def spoil_model(folder: Path) -> None:
    model = folder / "cosines.tflite"
    model.write_bytes(model.read_bytes()[:-1] + b"\x55")


def forge_model(folder: Path) -> None:
    """Make a passport vouch for a file that is no model."""
    (folder / "cosines.tflite").write_bytes(b"TFL3, or so it says" * 10)
    change_passport(folder, sha256=file_sha256(folder / "cosines.tflite"))


def change_passport(folder: Path, **fields: object) -> None:
    passport = folder / "cosines.json"
    passport.write_text(json.dumps(json.loads(passport.read_text()) | fields))


def train_otherwise(folder: Path) -> None:
    front_end = json.loads((folder / "cosines.json").read_text())["front_end"]
    change_passport(folder, front_end=front_end | {"lowpass_hz": 100.0})


def take_from_the_future(folder: Path) -> None:
    Gallery(folder / "state" / "simulated.sqlite").close()
    database = sqlite3.connect(folder / "state" / "simulated.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.close()


def write_unreadable_record(folder: Path) -> None:
    (folder / "record.csv").write_text("timestamp, Channel 1\n0, heart\n")
    with (folder / "qrsd.yaml").open("a") as settings:
        settings.write(f"simulated: {{play: [{{record: {folder}/record.csv}}]}}\n")


@pytest.mark.parametrize(
    ("prepare", "exit_code", "words"),
    [
        (spoil_settings, 78, "qrsd.yaml:3:1: not YAML: expected ',' or '}'"),
        (lambda folder: (folder / "qrsd.yaml").unlink(), 78, "qrsd.yaml: no such settings file"),
        (spoil_model, 65, "cosines.tflite: SHA-256 is"),
        (forge_model, 65, "refuses it:"),
        (lambda folder: (folder / "cosines.json").unlink(), 66, "cosines.json: the model has no"),
        (lambda folder: (folder / "cosines.json").write_text("{"), 65, "cosines.json: not JSON"),
        (lambda folder: change_passport(folder, schema=99), 65, "cosines.json: schema is 99"),
        (train_otherwise, 78, "lowpass_hz is 40.0 here, 100.0 in training"),
        (
            lambda folder: (folder / "state" / "simulated.sqlite").write_bytes(b"my heart" * 1000),
            65,
            "simulated.sqlite: not a gallery, or damaged",
        ),
        (
            lambda folder: (folder / "state" / "simulated.sqlite").touch(),
            65,
            "(it is empty); move it",
        ),
        (take_from_the_future, 65, "simulated.sqlite: schema is 99, this version of qrsd reads 2"),
        (write_unreadable_record, 65, "record.csv"),
    ],
)
def test_a_file_that_cannot_be_used(
    folder: Path, run: Run, prepare: Prepare, exit_code: int, words: str
) -> None:
    prepare(folder)
    ended = run()
    assert words in ended.complaint
    assert ended.exit_code == exit_code


def test_a_port_that_somebody_has(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        ended = run("--set", f"publish.addresses=['{address}']")
    assert ended.complaint.startswith(f"{address} is in use: is another qrsd running?")
    assert ended.exit_code == 75


@pytest.fixture
def sealed(folder: Path) -> Iterator[Path]:
    """A folder whose state may not be written."""
    (folder / "state").chmod(0o500)
    yield folder
    (folder / "state").chmod(0o700)


def test_a_gallery_that_is_not_permitted(sealed: Path) -> None:
    ended = run_apart(sealed, under=WITHOUT_PRIVILEGES)
    assert "simulated.sqlite: this user may not read and write it" in ended.complaint
    assert ended.exit_code == 77


@pytest.mark.parametrize(
    ("spidev", "exit_code", "words"),
    [
        ("raise ImportError", 69, "spidev is not installed, and the SPI bus needs it: pip install"),
        ("number = 2", 69, "There is no /dev/spidev0.0: enable SPI with raspi-config"),
        ("number = 13", 77, "/dev/spidev0.0 may not be opened by this user: add it to the groups"),
    ],
)
def test_a_board_that_is_not_there_or_not_ours(
    folder: Path, spidev: str, exit_code: int, words: str
) -> None:
    (folder / "spidev.py").write_text(
        f"{spidev}\nclass SpiDev:\n    def open(self, bus, device):\n"
        "        raise OSError(number, 'no')\n"
    )
    ended = run_apart(folder, "--set=source=chip", PYTHONPATH=str(folder))
    assert ended.complaint.startswith(words)
    assert ended.exit_code == exit_code


def test_a_simulated_chip_that_does_not_answer(run: Run) -> None:
    ended = run("--set=simulated.chip.faults=[no-chip-00]")
    assert ended.complaint.startswith("Every bit read from the chip is 0")
    assert ended.exit_code == 69
