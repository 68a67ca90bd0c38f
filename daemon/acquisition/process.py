"""The acquisition process: reads the chip, stamps each sample, and writes it to a pipe.

    python -m daemon.acquisition.process SAMPLES_FD REPORTS_FD  < options as JSON

It does nothing else, because the next sample is due in 4 ms: no numpy, no disk, no sockets. Samples
go to one pipe as records (``frame_records``), reports to the other as lines of JSON:

    {"report": "scheduling", "policy": "SCHED_FIFO", ...}      what the kernel granted
    {"report": "setup", "part": "ADS1292R", ...}               what the chip's registers say
    {"report": "playing", "name": "heart 1"}                   simulated electrodes only
    {"report": "counters", "frames": 1000, ..., "dropped": 0}  each second; since the start
    {"report": "error", "error": "chip_silent", "message": "..."}
    {"report": "end"}                                          the simulated play is over
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from types import FrameType
from typing import Any, Protocol

from config.errors import SettingsError
from config.mapping import build
from config.source import SourceOptions
from daemon.acquisition.frame_records import pack
from daemon.acquisition.realtime import ask_for_realtime, die_with_parent, stop_collecting_garbage
from daemon.acquisition.sources import Source, open_source
from daemon.recordings.errors import RecordingError
from drivers.ads1292r import Ads1292r
from drivers.chip_setup import ChipOptions, ChipSetup
from drivers.errors import DriverError
from drivers.frame import Frame
from drivers.stream import FrameStream

REPORT_S = 1.0
PLAYING_EVERY = 25  # samples between two looks at what is played

Report = Callable[[Mapping[str, Any]], None]


class Sink(Protocol):
    """Takes samples."""

    dropped: int

    def write(self, frame: Frame) -> None:
        """Take one."""
        ...


class PipeSink:
    """Writes samples to a pipe, and counts those for which it had no room."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self.dropped = 0

    def write(self, frame: Frame) -> None:
        """Write a frame, or drop it if the reader is nine seconds behind."""
        try:
            os.write(self._descriptor, pack(frame))
        except BlockingIOError:
            self.dropped += 1


def acquire(source: Source, options: ChipOptions, sink: Sink, report: Report) -> None:
    """Bring the chip up and pass its samples on until a simulated play ends.

    Raises:
        DriverError: the chip failed for good.
    """
    chip = Ads1292r(source.board, options)
    report({"report": "setup", **asdict(chip.power_up())})
    with chip.stream() as stream:
        pass_on(stream, source, sink, report)
    report({"report": "end"})


def pass_on(stream: FrameStream, source: Source, sink: Sink, report: Report) -> None:
    """Write each sample to the sink and, now and then, what happened, until a play ends."""
    setup: ChipSetup = stream.setup
    playing: str | None = None
    report_at_s = 0.0
    for frame in stream:
        if stream.setup is not setup:
            setup = stream.setup
            report({"report": "setup", **asdict(setup)})
        sink.write(frame)
        index, time_s, _, _ = frame
        if time_s >= report_at_s:
            report_at_s = time_s + REPORT_S
            report(_counters(stream, sink))
        if source.electrodes is not None and index % PLAYING_EVERY == 0:
            name = source.electrodes.playing(index / setup.rate_hz)
            if name != playing:
                playing = name
                report({"report": "playing", "name": name})
            if not name:
                report(_counters(stream, sink))
                return


def _counters(stream: FrameStream, sink: Sink) -> dict[str, Any]:
    return {
        "report": "counters",
        **asdict(stream.counters),
        "dropped": sink.dropped,
        "rate_hz": round(1 / stream.period_s, 4),
        "conditions": [
            {"condition": condition.code, "message": str(condition)}
            for condition in stream.conditions
        ],
        "last_fault": str(stream.last_fault) if stream.last_fault else None,
        "last_fault_code": stream.last_fault.code if stream.last_fault else None,
    }


def error_report(error: Exception) -> dict[str, Any]:
    """Return the report of an error that ends the process."""
    code = getattr(error, "code", "internal")
    return {"report": "error", "error": code, "message": str(error)}


class PipeReports:
    """Writes reports as lines of JSON; a reader that is far behind misses some."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    def __call__(self, report: Mapping[str, Any]) -> None:
        """Write one line."""
        try:
            os.write(self._descriptor, json.dumps(report).encode() + b"\n")
        except BlockingIOError:
            return


def main(arguments: list[str]) -> int:
    """Run the process; return its exit code."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which tells us
    signal.signal(signal.SIGTERM, _exit)
    sink, report = PipeSink(int(arguments[0])), PipeReports(int(arguments[1]))
    options = build(SourceOptions, json.load(sys.stdin))
    try:
        return _run(options, sink, report)
    except BrokenPipeError:  # the service is gone
        return 0


def _run(options: SourceOptions, sink: PipeSink, report: PipeReports) -> int:
    try:
        source = open_source(options)
        with closing(source.board):
            stop_collecting_garbage()
            report({"report": "scheduling", **ask_for_realtime()})
            acquire(source, options.chip, sink, report)
    except BrokenPipeError:
        raise
    except (DriverError, RecordingError, SettingsError) as error:
        report(error_report(error))
        return 1
    except Exception as error:  # a bug: let Python print where
        report(error_report(error))
        raise
    return 0


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
