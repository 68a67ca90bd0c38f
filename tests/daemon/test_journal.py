"""Records reach a journald made of a socket, and are taken apart by the rules of its protocol."""

from __future__ import annotations

import logging
import os
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import journal
from daemon.__main__ import main
from daemon.journal import JournalHandler, event, nameless


def parsed(datagram: bytes) -> dict[str, str]:
    """Take a datagram apart: NAME=value lines, or NAME, a length in eight bytes, and the value."""
    fields = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, separator, value = line.partition(b"=")
        if not separator:
            (length,) = struct.unpack_from("<Q", rest)
            value, rest = rest[8 : 8 + length], rest[8 + length :]
            assert rest[:1] == b"\n"
            rest = rest[1:]
        fields[name.decode()] = value.decode()
        datagram = rest
    return fields


@pytest.fixture
def journald(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    monkeypatch.setattr(journal, "SOCKET", str(tmp_path / "socket"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.settimeout(1.0)
        yield listener


@pytest.fixture
def log(journald: socket.socket) -> Iterator[logging.Logger]:
    logger = logging.Logger("daemon.service")
    handler = JournalHandler({"QRSD_SOURCE": "simulated"})
    logger.addHandler(handler)
    yield logger
    handler.close()


def test_the_name_of_a_file_that_is_no_utf_8_arrives(
    journald: socket.socket, log: logging.Logger
) -> None:
    log.warning("%s is left", os.fsdecode(b"caf\xe9.bdf"))
    assert parsed(journald.recv(1 << 16))["MESSAGE"] == r"caf\udce9.bdf is left"


def test_a_record_arrives_with_its_event_and_where_it_comes_from(
    journald: socket.socket, log: logging.Logger
) -> None:
    log.warning("%d samples were lost", 3, extra=event("condition", condition="samples_lost"))
    assert parsed(journald.recv(4096)) == {
        "MESSAGE": "3 samples were lost",
        "PRIORITY": "4",
        "LOGGER": "daemon.service",
        "SYSLOG_IDENTIFIER": "qrsd",
        "QRSD_SOURCE": "simulated",
        "QRSD_EVENT": "condition",
        "QRSD_CONDITION": "samples_lost",
    }


def test_the_service_sends_its_sentences_as_they_are(journald: socket.socket) -> None:
    script = (
        "import logging, os, sys; from daemon import journal;"
        "from daemon.commands.service import start_logging; from config.settings import Settings;"
        "stat = os.fstat(2); os.environ['JOURNAL_STREAM'] = f'{stat.st_dev}:{stat.st_ino}';"
        "journal.SOCKET = sys.argv[1]; start_logging(Settings());"
        "logging.getLogger('x').info('%s is set up', 'it', extra=journal.event('set_up', cpu=None))"
    )
    command = [sys.executable, "-c", script, journald.getsockname()]
    ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True)
    fields = parsed(journald.recv(4096))
    assert (fields["MESSAGE"], fields["PRIORITY"]) == ("it is set up", "6")
    assert (fields["QRSD_SOURCE"], fields["QRSD_EVENT"]) == ("chip", "set_up")
    assert "QRSD_CPU" not in fields
    assert ended.stderr == ""


def test_a_traceback_is_one_record(journald: socket.socket, log: logging.Logger) -> None:
    try:
        raise ZeroDivisionError("a bug")
    except ZeroDivisionError:
        log.exception("it broke")
    fields = parsed(journald.recv(65536))
    assert fields["MESSAGE"].splitlines()[0] == "it broke"
    assert fields["MESSAGE"].endswith("ZeroDivisionError: a bug")
    assert fields["PRIORITY"] == "3"


@given(st.text(st.characters(codec="utf-8")))
def test_no_value_can_make_fields_of_its_own(value: str) -> None:
    data = journal._field("QRSD_ERROR", value) + journal._field("PRIORITY", "4")
    assert parsed(data) == {"QRSD_ERROR": value, "PRIORITY": "4"}


def test_what_journald_does_not_take_goes_to_stderr(
    journald: socket.socket, log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    journald.close()
    instead = log.handlers[0]._instead  # type: ignore[attr-defined]
    instead.setStream(sys.stderr)
    log.error("the reader is gone")
    assert capsys.readouterr().err == "<3>the reader is gone\n"


def test_without_journald_there_is_no_handler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SOCKET", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError):
        JournalHandler({})


def test_the_sentence_that_ends_a_command_is_an_error_in_the_journal(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stderr = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{stderr.st_dev}:{stderr.st_ino}")
    assert main(["run", "--set", "chip.gain=5"]) == 78
    assert capfd.readouterr().err.startswith("<3>qrsd: chip.gain: 5 is not one of")


def test_every_event_is_in_the_documentation_and_no_other() -> None:
    root = Path(__file__).parents[2]
    code = "".join(path.read_text() for path in sorted((root / "daemon").rglob("*.py")))
    table = (root / "docs" / "monitoring.md").read_text().partition("| `QRSD_EVENT` |")[2]
    rows = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    told = set(re.findall(r"`(\w+)`", "".join(rows)))
    assert told == set(re.findall(r'event\(\s*"(\w+)"', code))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/data/Ada B-2-2026-11-28T100000Z.bdf is", "/data/2026-11-28T100000Z.bdf is"),
        ("/data/2026-11-28T100000Z-2.plain.bdf", "/data/2026-11-28T100000Z-2.plain.bdf"),
        ("Ada-2026-11-28T100000Z.hea", "2026-11-28T100000Z.hea"),
        ("/data is full", "/data is full"),
    ],
)
def test_what_recordings_are_called_after_is_taken_out(text: str, left: str) -> None:
    assert nameless(text) == left
