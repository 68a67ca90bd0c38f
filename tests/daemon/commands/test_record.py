"""The recorder beside a real service, as a process of its own, and the words for it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyrage
import pytest

from config.folders import pseudonym_key_path
from config.pseudonyms import pseudonym, pseudonym_key
from daemon.commands.parts import duration_s
from daemon.recordings.edf_file import EdfFile
from daemon.recordings.signal_file import Reading
from model.gallery import Gallery
from tests.daemon.commands.command import parse
from tests.daemon.recordings.recordings import RATE_HZ, noise, write_bdf
from tests.daemon.running import PATIENCE_S, environment, qrsd, running
from tests.model.galleries import template
from tests.model.models import embedder


def recorder(folder: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "daemon", "record", *arguments]
    command += [f"--address=ipc://{folder}/messages.ipc"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment(folder) | more, text=True, **pipes)


def files_of(process: subprocess.Popen[str]) -> list[EdfFile]:
    """Wait for a recorder's end, and open what it wrote."""
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, stderr
    return [EdfFile(Path(line), Reading()) for line in stdout.splitlines()]


@pytest.mark.realtime
def test_a_marker_r_peaks_and_an_end_by_sigterm(tmp_path: Path) -> None:
    with running(tmp_path, embedder(tmp_path)):
        process = recorder(tmp_path)
        end_s = time.monotonic() + PATIENCE_S
        while (said := qrsd(tmp_path, "mark", "coffee")).returncode and time.monotonic() < end_s:
            assert "recorded" in said.stderr
        time.sleep(6)
        process.send_signal(signal.SIGTERM)
        [file] = files_of(process)
    texts = [each.text for each in file.annotations()]
    assert texts.count("Marker: coffee") == 1
    assert re.fullmatch(r"\d{4}-.*Z\.bdf, after \d s: marked\n", said.stdout)
    assert texts.count("R peak") >= 3
    assert file.notes == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10min", 600), ("1.5h", 5400), ("0.5 h", 1800)]
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "10m", "-3s", "1h30min", "nan"])
def test_what_is_no_duration_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("record", f"--for={text}")
    assert "is no duration such as 90s, 10min or 1.5h" in capsys.readouterr().err


def test_a_marker_without_a_recorder_says_what_to_do(tmp_path: Path) -> None:
    said = qrsd(tmp_path, "mark", "coffee")
    assert said.returncode == 69
    assert said.stderr == (
        "qrsd: Nothing is being recorded on this machine: qrsd record, or systemctl start "
        "qrsd-record\n"
    )


def test_pseudonyms_are_listed_and_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    path = pseudonym_key_path()
    ada, bob = (pseudonym(name, pseudonym_key(path)) for name in ("Ada", "Bob"))
    assert ada != bob
    assert ada == pseudonym("Ada", pseudonym_key(path))
    assert ada != pseudonym("Ada", bytes(32))  # who has not the key cannot try names
    assert path.stat().st_mode & 0o777 == 0o600
    with Gallery(tmp_path / "gallery.sqlite") as gallery:
        gallery.enrol(template("Ada"))
    said = qrsd(tmp_path, "people", "list", "--json", f"--gallery={tmp_path}/gallery.sqlite")
    assert [person["pseudonym"] for person in json.loads(said.stdout)["people"]] == [ada]


def test_what_a_power_cut_left_plain_is_encrypted_at_the_start(tmp_path: Path) -> None:
    key = pyrage.x25519.Identity.generate()
    folder = tmp_path / "recordings"
    write_bdf(folder / "bench-2026-11-28T100000Z.plain.bdf", noise(3 * RATE_HZ), [])
    with (folder / "bench-2026-11-28T100000Z.plain.bdf").open("ab") as file:
        file.write(b"half a record")
    public = str(key.to_public())
    process = recorder(tmp_path, f"--folder={folder}", QRSD_RECORD_RECIPIENT=public)
    assert process.stderr is not None
    stderr = process.stderr.readline() + process.stderr.readline()  # it tells once it is done
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert "its 3 s are kept" in stderr
    [path] = folder.iterdir()
    assert path.name == "bench-2026-11-28T100000Z.bdf.age"
    assert f"was left unencrypted, and is now {path.name}" in stderr
    (tmp_path / "key.txt").write_text(str(key))
    file = EdfFile(path, Reading(identity=tmp_path / "key.txt"))
    assert np.array_equal(np.concatenate([codes for codes, _ in file.codes(0)]), noise(750)[:, 0])


def test_what_cannot_be_encrypted_is_a_wrong_setting(tmp_path: Path) -> None:
    key = str(pyrage.x25519.Identity.generate().to_public())
    told = qrsd(tmp_path, "record", "--format=wfdb", QRSD_RECORD_RECIPIENT=key)
    assert told.returncode == 78
    assert "record.recipient: a record of format wfdb is several files" in told.stderr
    told = qrsd(tmp_path, "record", QRSD_RECORD_RECIPIENT=key[:-1])
    assert told.returncode == 78
    assert "is no public key of age" in told.stderr


def test_nothing_recorded_is_no_success(tmp_path: Path) -> None:
    process = recorder(tmp_path)
    assert process.stderr is not None
    assert "nothing is heard, so nothing is recorded" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert (stdout, process.returncode) == ("", 69)
    assert stderr.endswith("qrsd: Nothing was recorded: no samples came from the service.\n")
