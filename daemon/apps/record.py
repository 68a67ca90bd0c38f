"""Records what a service says: files of an hour, while somebody wears the electrodes or always."""

from __future__ import annotations

import logging
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from config.settings import RecordOptions
from daemon.apps.timeline import Second, Timeline
from daemon.closing import Closing
from daemon.errors import DaemonError
from daemon.journal import event, nameless
from daemon.recordings.encryption import ENCRYPTED, encrypt_finished, plain_name
from daemon.recordings.errors import RecordingNotWritten
from daemon.recordings.recorded import (
    HOUR_S,
    LONGEST_TEXT,
    Layout,
    RecordingWriter,
    printable,
)
from daemon.recordings.writers import SUFFIXES, open_writer
from daemon.wire.answers import Done, RecorderAnswer
from daemon.wire.client import Item, Silent
from daemon.wire.control import Command
from daemon.wire.messages import Received, StatusMessage

if TYPE_CHECKING:
    from pyrage.x25519 import Recipient

MEGABYTE = 1_000_000
MARKER = "Marker: "
LONGEST_MARKER = LONGEST_TEXT - len(MARKER)  # bytes
SILENT_S = 5.0  # until it is said that the service is silent

_LOG = logging.getLogger(__name__)


class NothingRecorded(DaemonError):
    """There is no recording for a marker to stand in or to be stopped, or nothing came for one."""

    code = "not_recording"


class MarkerRefused(DaemonError):
    """A marker says nothing, or more than an annotation holds."""

    code = "marker_refused"


class Recorder(Closing):
    """Takes what a subscriber hears, and writes it.

    Args:
        options: the ``record`` section of the settings.
        folder: where the files go.
        name_of: returns what to call an enrolled person in them.
        name: begins the files' names.
        while_worn: record only while somebody wears the electrodes; else all the time.
        for_s: how much to record; None for no end.
        keys: public keys for which each file is encrypted once it is finished; none for plain ones.

    Attributes:
        files: those written so far, the open one last.
        commands: of its control socket, by name.
        is_done: whether ``for_s`` is over.

    Raises:
        RecordingNotWritten: while it takes; the disk refuses, or has little room left.
    """

    def __init__(
        self,
        options: RecordOptions,
        folder: Path,
        name_of: Callable[[str], str],
        *,
        name: str = "",
        while_worn: bool = False,
        for_s: float | None = None,
        keys: Sequence[Recipient] = (),
    ) -> None:
        self._options = options
        self._folder = folder
        self._name = name
        self._while_worn = while_worn
        self._asked: Literal["start", "stop"] | None = None  # what somebody wants besides
        self._left_s = for_s
        self._keys = keys
        self._timeline = Timeline(name_of)
        self._worn = False
        self._is_silent = False
        self._unworn_s = options.after_s  # for how long nobody has worn the electrodes
        self._before: deque[Second] = deque(maxlen=round(options.before_s) + 1)
        self._writer: RecordingWriter | None = None
        self._begin = 0  # position where it begins
        self._file_s = 0.0  # how long it is
        self.files: list[Path] = []
        self.commands: dict[str, Command] = {
            name: getattr(self, name) for name in ("mark", "start", "stop", "state")
        }
        self.is_done = False

    def take(self, item: Item) -> None:
        """Take in what was heard next."""
        match item:
            case Silent(seconds):
                self._take_silence(seconds)
            case Received():
                self._is_silent = False
        match item:
            case Received(_, StatusMessage(contact=contact, heart_rate_bpm=rate)):
                self._worn = contact == "on" or (contact == "unknown" and rate is not None)
        for second in self._timeline.take(item):
            self._take_second(second)
        if self._timeline.is_broken:
            self._finish()

    def _take_silence(self, seconds: float) -> None:
        if seconds >= SILENT_S and not self._is_silent:
            self._is_silent = True
            _LOG.warning(
                "nothing is heard, so nothing is recorded: is the service running? "
                "systemctl status qrsd",
                extra=event("nothing_heard"),
            )

    def mark(self, text: str) -> RecorderAnswer:
        """Put a marker into the recording, and tell which that is and how long.

        Raises:
            MarkerRefused: it is empty or too long.
            NothingRecorded: none is being made.
        """
        words = printable(text).strip()
        there = len(words.encode())
        if not 0 < there <= LONGEST_MARKER:
            raise MarkerRefused(
                f"A marker has 1 to {LONGEST_MARKER} bytes of text, and this one {there}."
            )
        if self._writer is None:
            raise NothingRecorded(
                "Nothing is being recorded just now, so there is nothing to mark."
            )
        self._timeline.note(MARKER + words)
        return self.state()

    def start(self) -> Done:
        """Record from now on, whoever wears the electrodes, until ``stop``."""
        self._asked = "start"
        self._before.clear()
        return Done()

    def stop(self) -> Done:
        """End the recording until ``start``, or until the electrodes are put on anew.

        Raises:
            NothingRecorded: none is being made.
        """
        if self._writer is None and self._asked != "start":
            raise NothingRecorded("Nothing is being recorded just now, so there is nothing to end.")
        self.close()
        self._asked = "stop"
        return Done()

    def state(self) -> RecorderAnswer:
        """Tell whether something is being recorded, and where."""
        if self._writer is None:
            return RecorderAnswer("waiting")
        return RecorderAnswer("recording", self._writer.path.name, self._file_s)

    def close(self) -> None:
        """Write what is left."""
        for second in self._timeline.end():
            self._take_second(second)
        self._finish()

    def _take_second(self, second: Second) -> None:
        if not second.continues:
            self._finish()
            self._before.clear()
        self._before.append(second)
        length_s = len(second.codes) / second.layout.rate_hz
        self._unworn_s = 0.0 if self._worn else self._unworn_s + length_s
        unworn = self._while_worn and self._unworn_s >= self._options.after_s
        if self._asked == "stop":
            self._before.clear()
            self._asked = None if unworn else "stop"
        elif unworn and self._asked != "start":
            self._finish()
        else:
            self._write_all()

    def _write_all(self) -> None:
        while self._before and not self.is_done:
            self._write(self._before.popleft())

    def _write(self, second: Second) -> None:
        rate_hz = second.layout.rate_hz
        if self._writer is not None and second.begin - self._begin >= HOUR_S * rate_hz:
            self._finish()
        annotations = second.annotations
        try:
            self._check_room()
            if self._writer is None:
                annotations = (*second.going_on, *annotations)
            writer = self._writer = self._writer or self._open(second)
            from_begin = (replace(each, sample=each.sample - self._begin) for each in annotations)
            writer.write(second.codes, from_begin)
            self._file_s = (second.begin + len(second.codes) - self._begin) / rate_hz
        except RecordingNotWritten:
            with suppress(RecordingNotWritten):  # the same again
                self._finish()
            raise
        if self._left_s is not None:
            self._left_s -= len(second.codes) / rate_hz
            self.is_done = self._left_s <= 0

    def _open(self, second: Second) -> RecordingWriter:
        """Begin a file, named by when its first sample was taken."""
        self._begin = second.begin
        stem = f"{second.layout.begin_utc:%Y-%m-%dT%H%M%SZ}"
        stem = f"{self._name}-{stem}" if self._name else stem
        suffix = SUFFIXES[self._options.format] + (ENCRYPTED if self._keys else "")
        names = (f"{stem}{more}{suffix}" for more in ("", *(f"-{n}" for n in range(2, 1000))))
        paths = (self._folder / name for name in names)
        free = (each for each in paths if not (each.exists() or plain_name(each).exists()))
        path, writer = self._begin_first(free, second.layout)
        self.files.append(path)
        said = ("recording in %s, to ...%s", path.parent, nameless(path.name))
        _LOG.info(*said, extra=event("recording_started"))
        return writer

    def _begin_first(self, free: Iterator[Path], layout: Layout) -> tuple[Path, RecordingWriter]:
        """Begin the first file that no other recorder in the folder begins at the same moment."""
        path = next(free)
        path = plain_name(path) if self._keys else path
        try:
            return path, open_writer(path, layout, self._options.sync_s)
        except RecordingNotWritten as error:
            if not (isinstance(error.__cause__, FileExistsError) and path.parent.is_dir()):
                raise
        return self._begin_first(free, layout)

    def _finish(self) -> None:
        """End the file that is open, if one is."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            if self._keys:
                self.files[-1] = encrypt_finished(writer.path, self._keys)
            said = nameless(self.files[-1].name)
            _LOG.info("...%s is complete", said, extra=event("recording_ended"))

    def _check_room(self) -> None:
        there = next(each for each in (self._folder, *self._folder.parents) if each.is_dir())
        if shutil.disk_usage(there).free < self._options.free_mb * MEGABYTE:
            raise RecordingNotWritten(
                f"Less than {self._options.free_mb:g} MB are left on the disk of {there}, so "
                "recording stops: move recordings away, or set record.free_mb."
            )
