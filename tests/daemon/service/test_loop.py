"""The service against the wall clock: subscribers hear it, systemd does, and its child may die."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest

from daemon.service.slow_commands import LONGEST_S
from daemon.wire.client import Control
from daemon.wire.messages import BeatMessage, IdentityMessage, StatusMessage, WaveMessage
from drivers.waveforms.hearts import Heart
from dsp.front_end import RATE_HZ
from tests.daemon.running import PATIENCE_S, Running, qrsd, running
from tests.model.models import embedder

pytestmark = pytest.mark.realtime

ONE_HEART = "--set=simulated.play=[{heart: 1}]"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return embedder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def service(folder: Path, model: Path) -> Iterator[Running]:
    """Start a service that the tests of this file use one after another, in their order."""
    with running(folder, model, ONE_HEART) as service:
        yield service


def add_up(service: Running) -> StatusMessage:
    """Return a status whose counters are those of the samples that were heard up to its index."""
    status = service.status(lambda status: status.state == "running")
    newest = status.index
    assert newest is not None
    service.hear(lambda message: isinstance(message, WaveMessage) and message.index > newest)
    waves = service.waves()
    heard = [wave.index + i for wave in waves for i in range(len(wave.counts))]
    assert heard == sorted(set(heard))
    up_to_then = sum(index <= newest for index in heard)
    assert status.counters.received == up_to_then
    assert status.counters.lost == newest + 1 - heard[0] - up_to_then
    return status


def test_a_subscriber_hears_every_sample_and_who_it_is(service: Running) -> None:
    service.hear(lambda message: isinstance(message, BeatMessage))
    identity = service.hear(lambda message: isinstance(message, IdentityMessage))[-1]
    assert isinstance(identity, IdentityMessage)
    assert identity.state == "undecided"
    assert add_up(service).counters.received > 250


def test_the_status_tells_how_the_service_is(service: Running) -> None:
    status = service.status(lambda status: status.state == "running")
    assert (status.contact, status.playing) == ("on", "heart 1")
    assert status.chip is not None
    assert status.chip.simulated is True
    assert status.model is not None
    assert status.model.name == "cosines"
    assert status.scheduling is not None
    assert abs(status.clock_offset_s or 0.0) < 0.01


def test_systemd_is_told_ready_and_then_each_second_that_samples_flow(service: Running) -> None:
    service.status(lambda status: status.state == "running")  # a model not ours is tried first
    told = [text for _, text in service.notified(2.5)]
    ready = told.index("READY=1")
    assert all(text == "STATUS=starting: no samples come" for text in told[:ready])
    assert told.count("READY=1") == 1
    assert told[ready:].count("WATCHDOG=1") >= 2


def test_commands_are_answered(service: Running, folder: Path) -> None:
    with Control(f"ipc://{folder}/control.ipc") as control:
        assert control.request("people") == {"ok": True, "people": [], "sealed": False}
        assert control.request("enroll", person="Ada")["state"] == "gathering"
        status = service.status(lambda status: status.enrolment is not None)
        assert status.enrolment is not None
        assert status.enrolment.needed == 20
        assert control.request("cancel")["ok"]


def test_recordings_are_compared_while_samples_flow(service: Running, folder: Path) -> None:
    longest = Heart(3).ecg_mv[: round(LONGEST_S * RATE_HZ)].tolist()
    add_up(service)
    newest = service.waves()[-1].index
    with (
        Control(f"ipc://{folder}/control.ipc", PATIENCE_S) as control,
        ThreadPoolExecutor(1) as client,
    ):
        began_s = time.monotonic()
        answer = client.submit(control.request, "verify", first_mv=longest, second_mv=longest)
        while not answer.done():
            service.hear(lambda message: isinstance(message, WaveMessage))
        took_s = time.monotonic() - began_s
    assert answer.result()["same"] is True
    heard_meanwhile = service.waves()[-1].index - newest
    assert heard_meanwhile > took_s * RATE_HZ / 2


def test_a_second_service_finds_the_sockets_taken(
    service: Running, folder: Path, model: Path
) -> None:
    second = qrsd(
        folder,
        "run",
        "--simulated",
        f"--set=model={model}",
        "--set=publish.addresses=['tcp://127.0.0.1:*']",
    )
    assert second.returncode == 75
    assert "control.ipc is in use: is another qrsd running?" in second.stderr
    service.status(lambda status: status.state == "running")  # the first one goes on


def test_an_acquisition_process_that_is_killed_leaves_a_jump_of_the_index(
    service: Running,
) -> None:
    before = add_up(service)
    os.kill(service.acquisition(), signal.SIGKILL)
    service.status(lambda status: status.state == "recovering")
    after = add_up(service)
    assert after.counters.restarts == 1
    assert after.counters.lost - before.counters.lost > 250  # Python needs more than a second


def test_the_watchdog_is_not_fed_while_no_samples_come(service: Running) -> None:
    child = service.acquisition()
    service.notified(0.1)
    os.kill(child, signal.SIGSTOP)
    try:
        begin_s = time.monotonic()
        told = service.notified(4.0)
        heard = service.hear(
            lambda message: isinstance(message, StatusMessage) and message.state == "recovering"
        )
    finally:
        os.kill(child, signal.SIGCONT)
    fed = [at_s - begin_s for at_s, text in told if text == "WATCHDOG=1"]
    assert max(fed, default=0.0) < 2.0
    assert "STATUS=recovering: no samples come" in [text for _, text in told]
    last = [message for message in heard if isinstance(message, IdentityMessage)][-1]
    assert last.state == "undecided"  # nobody is anybody while nothing is heard
    service.status(lambda status: status.state == "running")


def test_a_client_that_never_hangs_up_does_not_bring_it_down(
    service: Running, folder: Path
) -> None:
    unit = (Path(__file__).parents[3] / "systemd" / "qrsd.service").read_text()
    limits = re.findall(r"^LimitNOFILE=(\d+)", unit, re.MULTILINE)
    _, may_open = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(may_open, int(limits[0] if limits else 1024))  # that of systemd
    resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (most, most))
    resource.setrlimit(resource.RLIMIT_NOFILE, (may_open, may_open))
    with ExitStack() as leak:
        for _ in range(1200):
            client = leak.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(f"{folder}/messages.ipc")
        with Control(f"ipc://{folder}/control.ipc", PATIENCE_S) as control:
            assert control.request("people")["ok"]
    service.status(lambda status: status.state == "running")


def test_told_to_stop_it_says_goodbye_and_ends_well(service: Running) -> None:
    service.notified(0.1)
    begin_s = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    service.status(lambda status: status.state == "stopping")
    code, stderr = service.end()
    assert time.monotonic() - begin_s < 3.0
    assert code == 0
    assert "Traceback" not in stderr
    assert "STOPPING=1" in [text for _, text in service.notified(0.1)]


def test_prometheus_sees_samples_jitter_and_inference(tmp_path: Path, model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with running(tmp_path, model, ONE_HEART, f"--set=metrics.port={port}") as service:
        service.hear(lambda message: isinstance(message, BeatMessage))
        service.status(lambda status: status.counters.received > 500)
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines())
    simulated = '{source="simulated"}'
    assert float(lines[f"qrsd_samples_total{simulated}"]) > 500
    assert float(lines[f"qrsd_drdy_jitter_seconds_count{simulated}"]) > 500
    assert float(lines[f"qrsd_inference_seconds_count{simulated}"]) >= 1
    assert float(lines['qrsd_contact{contact="on",source="simulated"}']) == 1.0
    assert float(lines["process_resident_memory_bytes"]) > 10e6


def test_sockets_of_a_killed_service_are_taken_over_and_a_play_ends_the_service(
    tmp_path: Path, model: Path
) -> None:
    with running(tmp_path, model, ONE_HEART) as killed:
        killed.status(lambda status: True)
        killed.process.send_signal(signal.SIGKILL)
        killed.process.wait()
    assert (tmp_path / "control.ipc").is_socket()
    assert (tmp_path / "messages.ipc").is_socket()
    play = "--set=simulated.play=[{heart: 1, seconds: 3}]"
    with running(tmp_path, model, play, "--once") as service:
        ended = service.status(lambda status: status.state == "ended")
        assert service.end()[0] == 0
    assert ended.playing == ""
    assert ended.counters.received + ended.counters.lost > 250
