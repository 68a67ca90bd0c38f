"""The acquisition process seen from the service: it is heard, it ends, and it can be ended."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from config.source import PlayOptions, SimulatedOptions, SourceOptions
from daemon.acquisition.handle import STOP_S, AcquisitionProcess
from drivers.frame import Frame
from drivers.simulator.options import SimulatorOptions

PATIENCE_S = 20.0


@contextmanager
def started(options: SourceOptions) -> Iterator[AcquisitionProcess]:
    process = AcquisitionProcess(options)
    try:
        yield process
    finally:
        if process._process.returncode is None:  # the test did not stop it
            process.stop()


def hearts(seconds: float, *faults: str, repeat: bool = False) -> SourceOptions:
    return SourceOptions(
        "simulated",
        simulated=SimulatedOptions(
            (PlayOptions(heart=1, seconds=seconds),), repeat, SimulatorOptions(faults=faults)
        ),
    )


def listen(process: AcquisitionProcess, until: int) -> tuple[list[Frame], list[dict[str, Any]]]:
    """Hear the process until it has said so many frames, or has ended."""
    frames, reports = list[Frame](), list[dict[str, Any]]()
    end_s = time.monotonic() + PATIENCE_S
    while len(frames) < until and not process.ended and time.monotonic() < end_s:
        ready, _, _ = select.select([process.samples, process.reports], [], [], 1.0)
        if process.reports in ready:
            reports += process.read_reports()
        if process.samples in ready:
            frames += process.read_frames()
    return frames, reports


@pytest.mark.realtime
def test_a_whole_play_is_heard_and_the_process_ends_well() -> None:
    with started(hearts(1.0)) as process:
        frames, reports = listen(process, until=10_000)
        assert process.ended
        assert process.stop() == 0
    kinds = [report["report"] for report in reports]
    assert kinds[:2] == ["scheduling", "setup"]
    assert kinds[-2:] == ["counters", "end"]
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    said = reports[-2]
    assert (said["frames"], said["dropped"]) == (len(indices), 0)
    assert said["lost"] == indices[-1] + 1 - indices[0] - len(indices)


def test_a_process_that_fails_says_why() -> None:
    with started(hearts(1.0, "no-chip-ff")) as process:
        frames, reports = listen(process, until=1)
        assert frames == []
        assert reports[-1]["error"] == "miso_high"
        assert process.stop() == 1


@pytest.mark.realtime
def test_samples_wait_in_the_pipe_for_a_reader_that_is_busy_elsewhere() -> None:
    with started(hearts(60.0)) as process:
        listen(process, until=1)
        time.sleep(0.4)
        frames, _ = listen(process, until=1)
        assert 50 <= len(frames) < 400
        assert process.stop() == 0


@pytest.mark.realtime
def test_a_process_that_does_not_stop_is_killed() -> None:
    with started(hearts(60.0)) as process:
        listen(process, until=1)
        os.kill(process.pid, signal.SIGSTOP)
        begin_s = time.monotonic()
        assert process.stop() == -signal.SIGKILL
        assert time.monotonic() - begin_s < STOP_S + 1.0


def test_a_process_that_hangs_in_the_kernel_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daemon.acquisition.handle.STOP_S", 0.01)
    with started(hearts(60.0)) as process:
        with monkeypatch.context() as hanging:
            hanging.setattr(process._process, "send_signal", lambda _: None)
            assert process.stop() == -signal.SIGKILL
        process._process.kill()
        process._process.wait()


def test_modules_of_the_folder_it_is_started_from_are_not_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "daemon").mkdir()
    (tmp_path / "daemon" / "__init__.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    with started(hearts(1.0, "no-chip-ff")) as process:
        _, reports = listen(process, until=1)
        assert reports[-1]["report"] == "error"
