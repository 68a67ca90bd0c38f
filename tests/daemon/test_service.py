"""The whole service as processes of its own: it starts, speaks, survives, and stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from daemon.client import Subscriber
from daemon.messages import BeatMessage, IdentityMessage, Received, StatusMessage
from tests.model.models import embedder

pytestmark = pytest.mark.realtime

PATIENCE_S = 30.0


class Running:
    """A service in a folder of its own, with a simulated chip and a quiet synthetic heart."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.address = f"ipc://{folder}/messages.ipc"
        given = (
            f"model={embedder(folder)}",
            f'publish.addresses=["{self.address}"]',
            "simulated.play=[{heart: 3, seconds: 600}]",
            *settings,
        )
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "daemon", "run", "--simulated"),
                *(f"--set={setting}" for setting in given),
            ],
            env={**os.environ, "STATE_DIRECTORY": str(folder), "RUNTIME_DIRECTORY": str(folder)},
            stderr=subprocess.PIPE,
            text=True,
        )

    def acquisition(self) -> int:
        """Return the process number of its only child."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())

    def stop(self) -> tuple[int, str]:
        """Stop it as systemd does; return the exit code and what it logged."""
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self) -> tuple[int, str]:
        """Wait for its end; return the exit code and what it logged."""
        log = self.process.communicate(timeout=PATIENCE_S)[1]
        return self.process.returncode, log


@contextmanager
def running(folder: Path, *settings: str) -> Iterator[Running]:
    service = Running(folder, *settings)
    try:
        yield service
    finally:
        service.process.kill()
        service.process.communicate()


def hear(subscriber: Subscriber, wanted: Callable[[Any], bool]) -> list[Any]:
    """Return the messages up to the first that is wanted."""
    heard: list[Any] = []
    until_s = time.monotonic() + PATIENCE_S
    for item in subscriber:
        assert time.monotonic() < until_s, f"not heard: {heard[-3:]}"
        if isinstance(item, Received):
            assert item.stamp.source == "simulated"
            heard.append(item.message)
            if wanted(item.message):
                return heard
    raise AssertionError


def is_running(message: object) -> bool:
    return isinstance(message, StatusMessage) and message.state == "running"


def test_a_subscriber_hears_the_status_and_a_decision_for_each_beat(tmp_path: Path) -> None:
    with running(tmp_path) as service, Subscriber(service.address) as subscriber:
        heard = hear(subscriber, lambda message: isinstance(message, BeatMessage))
        heard += hear(subscriber, lambda message: isinstance(message, IdentityMessage))
        heard += hear(subscriber, is_running)
        status = heard[-1]
        assert status.contact == "on"
        assert status.playing == "heart 3"
        assert status.chip["part"] == "ADS1292R"
        assert status.chip["simulated"]
        assert status.model["name"] == "cosines"
        assert status.counters["received"] > 0
        assert status.clock_offset_s == pytest.approx(0.0, abs=0.1)
        exit_code, log = service.stop()
    assert exit_code == 0
    assert "heart 3" not in log  # neither who it is nor what is played


def test_a_killed_acquisition_process_is_replaced_and_what_was_lost_is_counted(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as service, Subscriber(service.address) as subscriber:
        hear(subscriber, is_running)
        killed_s = time.monotonic()
        os.kill(service.acquisition(), signal.SIGKILL)
        heard = hear(
            subscriber,
            lambda message: isinstance(message, StatusMessage) and message.state == "recovering",
        )
        recovering = heard[-1]
        assert recovering.contact == "unknown"
        assert recovering.heart_rate_bpm is None
        status = hear(subscriber, is_running)[-1]
        assert status.counters["restarts"] == 1
        away_s = time.monotonic() - killed_s
        assert away_s - 1.5 < status.counters["lost"] / 250 < away_s
        assert service.stop()[0] == 0


def test_a_setting_that_cannot_be_is_one_line_and_exit_code_78(tmp_path: Path) -> None:
    with running(tmp_path, "chip.gain=5") as service:
        exit_code, log = service.end()
    assert exit_code == 78
    assert log == "qrsd: chip.gain: 5 is not one of 1, 2, 3, 4, 6, 8, 12\n"


def test_a_chip_that_is_not_there_is_one_line_that_says_what_to_check(tmp_path: Path) -> None:
    with running(tmp_path, 'simulated.chip.faults=["no-chip-ff"]') as service:
        exit_code, log = service.end()
    assert exit_code == 69
    assert log.splitlines()[-1].startswith("qrsd: ")
    assert "Traceback" not in log


def test_a_second_service_finds_the_address_taken(tmp_path: Path) -> None:
    with running(tmp_path) as first, Subscriber(first.address) as subscriber:
        hear(subscriber, is_running)
        with running(tmp_path) as second:
            exit_code, log = second.end()
        assert exit_code == 75
        assert "is in use" in log
        assert first.stop()[0] == 0


def test_the_end_of_a_play_is_the_end_of_the_service(tmp_path: Path) -> None:
    play = "simulated.play=[{heart: 3, seconds: 2}]"
    with (
        running(tmp_path, play, "simulated.repeat=false") as service,
        Subscriber(service.address) as subscriber,
    ):
        heard = hear(
            subscriber,
            lambda message: isinstance(message, StatusMessage) and message.state == "ended",
        )
        assert heard[-1].counters["received"] > 200
        assert service.end()[0] == 0
