"""The acquisition process as the service sees it: started, read, started again, stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from config.source import SourceOptions
from daemon.acquisition.frame_records import RecordReader
from drivers.frame import Frame

READ_BYTES = 65536
STOP_S = 3.0


class Acquisition(ABC):
    """The two pipes that ``daemon.acquisition.process`` writes to, at the end where they are read.

    Attributes:
        samples: descriptor to be polled for samples.
        reports: descriptor to be polled for reports.
        ended: True once the pipe of samples has been closed at the other end.
    """

    def __init__(self) -> None:
        self.samples, samples_end = os.pipe()
        self.reports, reports_end = os.pipe()
        self._ends = (samples_end, reports_end)
        self._reader = RecordReader()
        self._rest_of_reports = b""
        self.ended = False

    def read_frames(self) -> list[Frame]:
        """Return the samples that wait."""
        data = os.read(self.samples, READ_BYTES)  # all: no pipe of ours holds more
        self.ended = not data
        return self._reader.feed(data)

    def read_reports(self) -> Iterator[dict[str, Any]]:
        """Yield the reports that wait."""
        data = os.read(self.reports, READ_BYTES)
        *lines, self._rest_of_reports = (self._rest_of_reports + data).split(b"\n")
        for line in lines:
            yield json.loads(line)

    @abstractmethod
    def stop(self) -> int:
        """End what writes to the pipes if it has not ended, and return its exit code."""

    def _close_ends(self) -> None:
        """Close the ends that are written to."""
        for descriptor in self._ends:
            os.close(descriptor)


class AcquisitionProcess(Acquisition):
    """One run of ``daemon.acquisition.process``.

    Args:
        options: where samples come from.
    """

    def __init__(self, options: SourceOptions) -> None:
        super().__init__()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "daemon.acquisition.process", *map(str, self._ends)],
            stdin=subprocess.PIPE,
            pass_fds=self._ends,
        )
        self._close_ends()
        self._configure(options)

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def stop(self) -> int:
        """End the process if it has not ended, and return its exit code."""
        for end in (self._process.terminate, self._process.kill):
            end()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S)
                break
        os.close(self.samples)
        os.close(self.reports)
        # One that hangs in the kernel, in an SPI transfer, outlives even a kill: not our end too.
        return -signal.SIGKILL if self._process.returncode is None else self._process.returncode

    def _configure(self, options: SourceOptions) -> None:
        names = SourceOptions.__dataclass_fields__
        plain = {name: value for name, value in asdict(options).items() if name in names}
        assert self._process.stdin is not None
        try:
            with self._process.stdin as pipe:
                pipe.write(json.dumps(plain).encode())
        except BrokenPipeError:
            return  # it has died already; whoever reads the samples will find out
