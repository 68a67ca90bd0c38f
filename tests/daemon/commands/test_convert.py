"""``qrsd convert`` on the command line, and what other commands make of an encrypted record."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyrage
import pytest

from daemon.commands.convert import recipients_of
from daemon.recordings.errors import RecipientUnusable
from drivers.frame import millivolts_per_count
from drivers.waveforms.hearts import Heart
from tests.daemon.commands.command import parse
from tests.daemon.recordings.recordings import RATE_HZ, write_bdf
from tests.daemon.running import qrsd


@pytest.fixture
def key(tmp_path: Path) -> str:
    """A public key, whose private one is in key.txt."""
    made = pyrage.x25519.Identity.generate()
    (tmp_path / "key.txt").write_text(f"{made}\n")
    return str(made.to_public())


@pytest.fixture
def record(tmp_path: Path) -> Path:
    ecg = np.rint(Heart(1).ecg_mv[: 20 * RATE_HZ] / millivolts_per_count(6, 2.42)).astype(np.int32)
    write_bdf(tmp_path / "one.bdf", np.column_stack([ecg // 100, ecg]), [])
    return tmp_path / "one.bdf"


def test_an_encrypted_record_is_read_by_the_option_or_by_the_setting(
    tmp_path: Path, record: Path, key: str
) -> None:
    sealed = f"{record}.age"
    told = qrsd(tmp_path, "convert", str(record), sealed, "--recipient", key)
    assert (told.returncode, told.stderr) == (0, "")
    record.unlink()
    detect = ("detect", sealed, "--out", str(tmp_path / "beats"), "--json")
    refused = qrsd(tmp_path, *detect)
    assert refused.returncode == 77
    assert refused.stderr == (
        f"qrsd: {sealed} is encrypted: name the file with your age key by --identity, or in the "
        "setting record.identity.\n"
    )
    identity = str(tmp_path / "key.txt")
    found = [
        qrsd(tmp_path, *detect, "--identity", identity),
        qrsd(tmp_path, *detect, QRSD_RECORD_IDENTITY=identity),
    ]
    beats = [json.loads(each.stdout)["records"][0]["beats"] for each in found]
    assert beats[0] == beats[1] > 15
    assert (tmp_path / "beats" / "one.txt").is_file()


def test_it_is_said_where_nothing_would_be_encrypted_or_for_nobody(
    tmp_path: Path, key: str
) -> None:
    plain = parse("convert", "one.bdf", "two.bdf", "--recipient", key)
    with pytest.raises(RecipientUnusable, match=r"would not be encrypted: call it two\.bdf\.age"):
        recipients_of(plain)
    with pytest.raises(RecipientUnusable, match="but for whom"):
        recipients_of(parse("convert", "one.bdf", "two.bdf.age"))


def test_recipients_come_from_a_file_or_the_setting_too(
    tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keys").write_text(f"# the office\n{key}\n\n{key}\n")
    arguments = ("convert", "one.bdf", "two.bdf.age")
    assert recipients_of(parse(*arguments, "--recipients-file", tmp_path / "keys")) == [key, key]
    monkeypatch.setenv("QRSD_RECORD_RECIPIENT", key)
    assert recipients_of(parse(*arguments)) == [key]
    (tmp_path / "keys").write_text("# nobody\n")
    with pytest.raises(RecipientUnusable, match="lists no public key"):
        recipients_of(parse(*arguments, "--recipients-file", tmp_path / "keys"))
