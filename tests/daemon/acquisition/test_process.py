"""The acquisition process: what it reads it passes on, in order, until told to stop or orphaned."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from config.mapping import build
from config.source import PlayOptions, SimulatedOptions, SourceOptions
from daemon.acquisition.frame_records import RECORD, RecordReader
from daemon.acquisition.process import PipeReports, PipeSink, acquire, error_report
from daemon.acquisition.sources import open_source
from drivers.errors import MisoConstantLow
from drivers.frame import Frame
from drivers.simulator.options import SimulatorOptions
from drivers.waveforms.hearts import Heart

RATE_HZ = 250
TWO_HEARTS = (
    PlayOptions(heart=1, seconds=2.0),
    PlayOptions(pause=1.0),
    PlayOptions(heart=2, seconds=2.0),
)
PLAYED = 5 * RATE_HZ


class ListSink:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.dropped = 0
        self.frames: list[Frame] = []

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)


def simulated(*faults: str, play: tuple[PlayOptions, ...] = TWO_HEARTS) -> SourceOptions:
    chip = SimulatorOptions(faults=faults)
    return SourceOptions("simulated", simulated=SimulatedOptions(play, repeat=False, chip=chip))


def acquired(options: SourceOptions) -> tuple[list[Frame], list[Mapping[str, Any]]]:
    """Run a whole play in virtual time."""
    sink, reports = ListSink(), list[Mapping[str, Any]]()
    source = open_source(options, paced=False)
    with closing(source.board):
        acquire(source, options.chip, sink, reports.append)
    return sink.frames, reports


@pytest.fixture(scope="module")
def whole_play() -> tuple[list[Frame], list[Mapping[str, Any]]]:
    return acquired(simulated())


Play = tuple[list[Frame], list[Mapping[str, Any]]]


def test_every_sample_of_a_play_arrives(whole_play: Play) -> None:
    frames, _ = whole_play
    indices = [frame.index for frame in frames]
    assert indices == list(range(indices[0], indices[-1] + 1))
    assert indices[0] <= RATE_HZ  # what the analog side takes to settle
    assert PLAYED <= indices[-1] <= PLAYED + 25


def test_samples_are_stamped_with_the_edges_of_the_chip(whole_play: Play) -> None:
    frames, _ = whole_play
    seconds = frames[-1].time_s - frames[0].time_s
    assert seconds == pytest.approx((len(frames) - 1) / RATE_HZ, rel=1e-3)


def test_the_ecg_channel_carries_the_heart_that_plays(whole_play: Play) -> None:
    frames, _ = whole_play
    codes = [frame.counts[1] for frame in frames if frame.index < 2 * RATE_HZ]
    heart_mv = Heart(1).ecg_mv[frames[0].index : 2 * RATE_HZ]
    assert np.corrcoef(codes, heart_mv)[0, 1] > 0.95


def test_reports_tell_the_setup_first_and_the_end_last(whole_play: Play) -> None:
    _, reports = whole_play
    kinds = [report["report"] for report in reports]
    assert kinds[0] == "setup"
    assert kinds[-2:] == ["counters", "end"]
    assert kinds.count("setup") == kinds.count("end") == 1
    assert 5 <= kinds.count("counters") <= 7  # each second, and at the end
    assert reports[0]["part"] == "ADS1292R"
    assert reports[0]["simulated"] is True


def test_who_plays_is_told_as_it_changes(whole_play: Play) -> None:
    _, reports = whole_play
    names = [report["name"] for report in reports if report["report"] == "playing"]
    assert len(names) == 4
    assert names[1] == "electrodes off"
    assert names[3] == ""


def test_counters_are_those_of_the_samples(whole_play: Play) -> None:
    frames, reports = whole_play
    last = reports[-2]
    assert (last["frames"], last["lost"], last["dropped"]) == (len(frames), 0, 0)
    assert last["rate_hz"] == pytest.approx(RATE_HZ, rel=1e-3)
    assert last["last_fault"] is None


def test_reports_are_json(whole_play: Play) -> None:
    _, reports = whole_play
    for report in reports:
        assert len(json.dumps(report)) < select.PIPE_BUF  # so that none is written in part


def test_a_chip_that_was_set_up_again_says_so() -> None:
    frames, reports = acquired(simulated("brown-out@4", play=(PlayOptions(heart=1, seconds=12.0),)))
    kinds = [report["report"] for report in reports]
    assert kinds.count("setup") == 2
    last = reports[-2]
    assert last["reinitialisations"] == 1
    assert last["last_fault"]
    gaps = frames[-1].index - frames[0].index + 1 - len(frames)
    assert gaps == last["lost"] > 0


def test_a_chip_that_never_answers_is_an_error() -> None:
    with pytest.raises(MisoConstantLow) as told:
        acquired(simulated("no-chip-00"))
    report = error_report(told.value)
    assert report["error"] == "miso_low"


def test_a_full_pipe_drops_samples_and_counts_them() -> None:
    reading, writing = os.pipe()
    sink = PipeSink(writing)
    frames = [Frame(index, index / RATE_HZ, 0xC00000, (1, -1)) for index in range(3000)]
    for frame in frames:
        sink.write(frame)
    held = RecordReader().feed(os.read(reading, 1 << 20))
    os.close(reading)
    os.close(writing)
    assert held == frames[: len(held)]
    assert sink.dropped == len(frames) - len(held) > 0
    assert len(held) / RATE_HZ > 9.0  # the seconds that the drawing promises


def test_a_reader_of_reports_that_is_behind_misses_whole_lines() -> None:
    reading, writing = os.pipe()
    report = PipeReports(writing)
    for number in range(5000):
        report({"report": "counters", "number": number})
    lines = os.read(reading, 1 << 20).splitlines()
    os.close(reading)
    os.close(writing)
    assert [json.loads(line)["number"] for line in lines] == list(range(len(lines)))


def test_a_real_chip_is_read_without_numpy() -> None:
    code = (
        "import sys, daemon.acquisition.process, drivers.raspberry; print('numpy' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert told.stdout.strip() == b"False"


def test_options_survive_the_way_to_the_process() -> None:
    options = simulated("brown-out@4", "lgpio-hold")
    assert build(SourceOptions, json.loads(json.dumps(asdict(options)))) == options


# As a process of its own


@contextmanager
def process(options: Mapping[str, Any]) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """Start it, and give it with the ends of its pipes."""
    samples, samples_end = os.pipe()
    reports, reports_end = os.pipe()
    ends = (samples_end, reports_end)
    child = subprocess.Popen(
        [sys.executable, "-m", "daemon.acquisition.process", *map(str, ends)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=ends,
    )
    assert child.stdin is not None
    child.stdin.write(json.dumps(options).encode())
    child.stdin.close()
    for end in ends:
        os.close(end)
    try:
        yield child, samples, reports
    finally:
        child.kill()
        child.wait()
        assert child.stderr is not None
        child.stderr.close()
        os.close(samples)
        os.close(reports)


def read_all(descriptor: int) -> bytes:
    data = b""
    while part := os.read(descriptor, 65536):
        data += part
    return data


SIMULATED = {"source": "simulated", "simulated": {"play": [{"heart": 1}]}}


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (SIMULATED | {"simulated": {"chip": {"faults": ["no-chip-00"]}}}, "miso_low"),
        (SIMULATED | {"simulated": {"play": [{"record": "/no"}]}}, "recording_not_found"),
    ],
)
def test_an_error_is_reported_by_its_name(options: Mapping[str, Any], error: str) -> None:
    with process(options) as (child, samples, reports):
        assert read_all(samples) == b""
        last = json.loads(read_all(reports).splitlines()[-1])
        assert child.wait(5) == 1
    assert (last["report"], last["error"]) == ("error", error)


@pytest.mark.realtime
def test_told_to_stop_it_stops_quietly() -> None:
    with process(SIMULATED) as (child, samples, _):
        assert os.read(samples, RECORD.size)
        child.send_signal(signal.SIGTERM)
        assert child.wait(3) == 0
        assert child.stderr is not None
        assert child.stderr.read() == b""


@pytest.mark.realtime
def test_ctrl_c_is_for_the_service() -> None:
    with process(SIMULATED) as (child, samples, _):
        assert os.read(samples, RECORD.size)
        child.send_signal(signal.SIGINT)
        for _ in range(50):
            assert os.read(samples, RECORD.size)
        assert child.poll() is None


ORPHAN = """
import os, sys
from config.source import SourceOptions
from daemon.acquisition.handle import AcquisitionProcess
child = AcquisitionProcess(SourceOptions("simulated"))
os.read(child.samples, 28)
print(child.pid, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.realtime
def test_it_ends_with_its_parent() -> None:
    parent = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, check=False)
    assert parent.returncode == -signal.SIGKILL
    orphan = Path("/proc", parent.stdout.decode().strip())
    end_s = time.monotonic() + 3.0
    while orphan.exists() and time.monotonic() < end_s:
        time.sleep(0.02)
    assert not orphan.exists()
