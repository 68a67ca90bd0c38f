"""What the service does about an acquisition process that dies, fails or falls silent.

Here the process is a script: what it would have written lies in its pipes, and it ends with them.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
import zmq

from daemon.acquisition.frame_records import RecordReader, pack
from daemon.acquisition.handle import AcquisitionProcess
from daemon.commands.exit_codes import exit_code
from daemon.service.errors import AcquisitionFailed
from daemon.service.loop import RESTART_PAUSES_S, Parts, Service
from daemon.service.people_commands import PeopleCommands
from daemon.service.pipeline import Pipeline
from daemon.service.sd_notify import Notifier
from daemon.service.time_source import TimeSource
from daemon.service.utc_clock import UtcClock
from daemon.wire.connection_limit import ConnectionLimit
from daemon.wire.control import ControlServer
from daemon.wire.messages import IdentityMessage, Message, StatusMessage
from daemon.wire.publisher import MOST_BYTES, Publisher
from daemon.wire.status import ModelStatus
from drivers.frame import Frame
from dsp.options import FrontEndOptions, LivenessOptions
from model.gallery import Gallery
from model.options import IdentifierOptions
from tests.daemon.frames import SETUP, beating, fake_network
from tests.model.models import embedder

RATE_HZ = 250.0
UNPLUGGED = {
    "report": "error",
    "error": "chip_silent",
    "message": "DRDY did not fall for 12 ms: check START.",
}
END = {"report": "end"}


class Script:
    """One run of the acquisition process: some samples, perhaps an error, and its end.

    An ``ill`` chip cannot be set up.
    """

    def __init__(
        self, frames: list[Frame], *reports: dict[str, Any], exit_code: int = 0, ill: bool = False
    ) -> None:
        self.samples, samples_end = os.pipe()
        self.reports, reports_end = os.pipe()
        setup = {"report": "setup", **asdict(SETUP)}
        lines = (json.dumps(report) + "\n" for report in (*([] if ill else [setup]), *reports))
        os.write(reports_end, "".join(lines).encode())
        os.write(samples_end, b"".join(map(pack, frames)))
        os.close(samples_end)
        os.close(reports_end)
        self._exit_code = exit_code
        self._reader = RecordReader()
        self.ended = False

    def read_frames(self) -> list[Frame]:
        data = os.read(self.samples, 65536)
        self.ended = not data
        return self._reader.feed(data)

    def read_reports(self) -> Iterator[dict[str, Any]]:
        for line in os.read(self.reports, 65536).splitlines():
            yield json.loads(line)

    def stop(self) -> int:
        os.close(self.samples)
        os.close(self.reports)
        return self._exit_code


class Systemd(Notifier):
    """Remembers what it was told."""

    def __init__(self) -> None:
        super().__init__(None)
        self.told: list[str] = []

    def _send(self, text: str) -> None:
        self.told.append(text)


class Megaphone:
    """Remembers what was published."""

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        self.socket = socket
        self.connections = ConnectionLimit(socket, MOST_BYTES)
        self.said: list[Message] = []

    def publish(self, message: Message, _utc: datetime) -> None:
        self.said.append(message)

    def welcome(self) -> None:
        raise AssertionError("nobody subscribes")


class Told(NamedTuple):
    """What a service told while it ran."""

    status: list[StatusMessage]
    identity: list[IdentityMessage]
    systemd: list[str]
    starts: int
    error: AcquisitionFailed | None


Run = Callable[..., Told]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Give a function that runs a service on scripts, by a clock that is ten times too fast."""
    began_s = time.monotonic()

    def fast_s() -> float:
        return 1000.0 + 10 * (time.monotonic() - began_s)

    with ExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        gallery = stack.enter_context(Gallery(tmp_path / "gallery.sqlite"))
        network = fake_network(embedder(tmp_path))
        xpub = stack.enter_context(context.socket(zmq.XPUB))
        megaphone, systemd = Megaphone(xpub), Systemd()
        stack.callback(megaphone.connections.close)

        def run_scripts(*scripts: Script) -> Told:
            pipeline = Pipeline(
                network.as_network(),
                [],
                FrontEndOptions(),
                IdentifierOptions(min_beats=2),
                LivenessOptions("ignore"),
            )
            desk = PeopleCommands(
                gallery, network.passport, pipeline.recogniser, "simulated", lambda: ""
            )
            control = stack.enter_context(
                ControlServer(context, f"ipc://{tmp_path}/control", desk.commands)
            )
            left = list(scripts)
            parts = Parts(
                start_acquisition=lambda: cast(AcquisitionProcess, left.pop(0)),
                pipeline=pipeline,
                people=desk,
                publisher=cast(Publisher, megaphone),
                control=control,
                clock=UtcClock(RATE_HZ, fast_s, time.time),
                notifier=systemd,
                time=TimeSource(monotonic=fast_s),
                model=ModelStatus("whose-heart", "embedder", "", "none", people_sealed=False),
            )
            error = None
            try:
                Service(parts).run()
            except AcquisitionFailed as failure:
                error = failure
            for script in left:
                script.stop()
            said = megaphone.said
            return Told(
                [message for message in said if isinstance(message, StatusMessage)],
                [message for message in said if isinstance(message, IdentityMessage)],
                systemd.told,
                len(scripts) - len(left),
                error,
            )

        yield run_scripts


def beats_at(time_s: float, seconds: float) -> list[Frame]:
    """Return the frames of a process that began to read at a time, numbered from 0 as all are."""
    return [frame._replace(time_s=time_s + frame.time_s) for frame in beating(seconds)]


def test_a_process_that_died_is_replaced_and_its_absence_is_a_gap(run: Run) -> None:
    told = run(Script(beats_at(50, 4), exit_code=-9), Script(beats_at(57, 4), END))
    assert told.error is None
    last = told.status[-1]
    assert last.state == "ended"
    assert last.counters.restarts == 1
    assert last.counters.received == 2000
    assert last.counters.lost == 3 * RATE_HZ
    assert last.index == (57 + 4 - 50) * RATE_HZ - 1


def test_the_length_of_the_gap_is_by_the_chips_own_clock(run: Run) -> None:
    """A chip that is 1.5 % slow takes fewer samples than nominal while nobody reads it."""
    slow = [frame._replace(time_s=50 + frame.index / RATE_HZ * 1.015) for frame in beating(6)]
    away = [frame._replace(time_s=frame.time_s + 20 * 1.015) for frame in slow]
    told = run(Script(slow, exit_code=-9), Script(away, END))
    assert told.status[-1].counters.lost == pytest.approx((20 - 6) * RATE_HZ, abs=1)


def test_nobody_is_known_and_nothing_is_measured_until_samples_come_again(run: Run) -> None:
    told = run(Script(beats_at(50, 8), exit_code=-9), Script(beats_at(60, 0.5), END))
    assert "unknown" in [identity.state for identity in told.identity]
    assert told.identity[-1].state == "undecided"
    [recovering] = [status for status in told.status if status.state == "recovering"]
    assert recovering.contact == "unknown"
    assert recovering.heart_rate_bpm is None
    assert recovering.quality is None


def test_a_chip_that_never_worked_ends_the_service_at_once(run: Run) -> None:
    told = run(Script([], UNPLUGGED, exit_code=74, ill=True), Script([], END))
    assert told.starts == 1
    last = told.status[-1]
    assert last.state == "stopping"
    assert last.chip is not None
    assert last.chip.error is not None
    assert last.chip.error.message == UNPLUGGED["message"]
    assert last.chip.part is None  # it was never set up
    assert told.error is not None
    assert exit_code(told.error) == 74
    assert str(told.error) == UNPLUGGED["message"]
    assert f"STATUS={UNPLUGGED['message']}" in told.systemd
    assert told.systemd[-1] == "STOPPING=1"
    assert "READY=1" not in told.systemd


def test_a_chip_that_was_unplugged_is_tried_a_bounded_number_of_times(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    first = Script(beats_at(50, 2), UNPLUGGED, exit_code=74)
    told = run(first, *(Script([], UNPLUGGED, exit_code=74) for _ in range(9)))
    assert told.starts == 1 + len(RESTART_PAUSES_S)
    assert told.error is not None
    assert exit_code(told.error) == 74
    chip = told.status[-1].chip
    assert chip is not None
    assert chip.error is not None
    assert chip.error.error == "chip_silent"
    warned = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warned) == len(RESTART_PAUSES_S)
    assert all("chip_silent" in record.getMessage() for record in warned)


def test_a_process_that_dies_without_a_word_is_a_bug(run: Run) -> None:
    told = run(Script([], exit_code=-11))
    assert told.error is not None
    assert exit_code(told.error) == 70
    assert "-11" in str(told.error)


def test_systemd_is_told_ready_only_when_samples_come(run: Run) -> None:
    told = run(Script(beats_at(50, 1), END))
    assert told.systemd.count("READY=1") == 1
    assert told.systemd[-1] == "STOPPING=1"
