"""Log records as journald takes them: with fields to search by, over its own protocol.

    MESSAGE=no samples come     a datagram of such lines; a value of several lines has its length in
    PRIORITY=4                  eight bytes, little-endian, before it and its name on a line of its
    QRSD_EVENT=no_samples       own

``journalctl -u qrsd QRSD_EVENT=no_samples`` finds it. Fields name no person. Source: systemd,
"Native Journal Protocol" and systemd.journal-fields(7).
"""

from __future__ import annotations

import logging
import os
import re
import socket
import struct
import sys
from collections.abc import Mapping
from typing import TextIO

SOCKET = "/run/systemd/journal/socket"
PATIENCE_S = 1.0  # the service has samples to see to
PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}
PREFIX = "QRSD_"
NAME_OF_RECORDING = re.compile(r"[^/]+-(?=\d{4}-\d\d-\d\dT\d{6}Z)")  # such as bench-


def event(name: str, **fields: object) -> dict[str, object]:
    """Return the ``extra`` of a log record that tells of an event.

    Args:
        name: of the event, for QRSD_EVENT.
        fields: more fields; ``condition`` becomes QRSD_CONDITION, and None nothing.
    """
    named = {"event": name, **fields}
    return {f"{PREFIX}{key.upper()}": value for key, value in named.items() if value is not None}


def is_the_journal(stream: TextIO) -> bool:
    """Tell whether what is written to a stream goes to journald, as JOURNAL_STREAM says."""
    try:
        stat = os.fstat(stream.fileno())
    except OSError:  # no file of the system's at all
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"


def nameless(text: object) -> str:
    """Return a text without what recordings are called before their time: it may be a name."""
    return NAME_OF_RECORDING.sub("", str(text))


class PrefixFormatter(logging.Formatter):
    """Marks lines with the priority that journald takes from the start of what is written to it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return f"<{_priority(record)}>{super().format(record)}"


class JournalHandler(logging.Handler):
    """Sends records to journald, and to stderr what it does not take.

    Args:
        constant: fields of every record.

    Raises:
        OSError: there is no journald.
    """

    def __init__(self, constant: Mapping[str, object]) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter())  # else basicConfig's, with a level and a name
        self._constant = {"SYSLOG_IDENTIFIER": "qrsd", **constant}
        self._instead = logging.StreamHandler(sys.stderr)
        self._instead.setFormatter(PrefixFormatter())
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.connect(SOCKET)
        except OSError:
            self._socket.close()
            raise
        self._socket.settimeout(PATIENCE_S)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        fields: dict[str, object] = {
            "MESSAGE": self.format(record),
            "PRIORITY": _priority(record),
            "LOGGER": record.name,
            **self._constant,
        }
        fields |= {key: value for key, value in vars(record).items() if key.startswith(PREFIX)}
        try:
            self._socket.send(b"".join(_field(key, str(value)) for key, value in fields.items()))
        except OSError:  # journald is gone, or busy
            self._instead.emit(record)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
        super().close()


def _priority(record: logging.LogRecord) -> int:
    """Return syslog's number for the level."""
    return PRIORITIES.get(record.levelno, 3)


def _field(name: str, value: str) -> bytes:
    data = value.encode(errors="backslashreplace")  # a file's name need not be UTF-8
    if b"\n" in data:
        return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
    return name.encode() + b"=" + data + b"\n"
