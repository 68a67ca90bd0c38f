"""Settings, sockets, model, people and disk, and a running service that is asked."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import pytest
import zmq

from config.gallery_key import CREDENTIAL
from config.secret_file import write_secret
from daemon.doctor import computer, samples, software
from daemon.doctor.checks import CHECKS
from daemon.doctor.walk import walk
from daemon.wire.curve_gate import CurveGate
from daemon.wire.errors import ServiceUnavailable
from daemon.wire.keys import Client, ClientKeys, KeyPair, allow, service_key_path
from daemon.wire.messages import StatusMessage, WaveFlags, WaveMessage
from daemon.wire.publisher import Publisher
from daemon.wire.status import (
    ChipStatus,
    Failure,
    Scheduling,
    SchedulingPolicy,
    StatusCounters,
)
from drivers.chip_setup import ChipOptions
from model.gallery import Gallery
from model.template import Template
from tests.daemon.doctor.visits import found, raspberry_pi, visit_to
from tests.daemon.service.test_assembly import status
from tests.drivers.test_chip_setup import setup
from tests.model.models import embedder

STEPS = (
    software.settings,
    software.service,
    software.sockets,
    software.model,
    software.people,
    software.disk,
)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))
    monkeypatch.setattr(software, "PATIENCE_S", 0.3)


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/messages.ipc"


def publishing_at(address: str) -> str:
    return f"publish.addresses=['{address}']"


def test_without_a_service_everything_is_free(tmp_path: Path, address: str) -> None:
    said = found(visit_to(tmp_path, publishing_at(address)), STEPS)
    verdicts = {name: finding.verdict for name, finding in said.items()}
    assert verdicts.pop("people") == "note"  # nobody is enrolled yet
    assert set(verdicts.values()) == {"fine"}
    assert "does not run" in said["service"].says
    assert not (tmp_path / "run").exists()  # a doctor leaves nothing behind


def test_settings_that_cannot_work_are_told_and_the_walk_goes_on(tmp_path: Path) -> None:
    said = found(visit_to(tmp_path, "chip.gain=5"), CHECKS)
    assert said["settings"].says == "chip.gain: 5 is not one of 1, 2, 3, 4, 6, 8, 12"
    assert said["board"].verdict == "skipped"
    assert said["disk"].verdict == "fine"
    assert "is not 250" in found(visit_to(tmp_path, "chip.rate_hz=500"), CHECKS)["settings"].says


def test_a_model_that_is_not_its_passports_is_told(tmp_path: Path, address: str) -> None:
    model = embedder(tmp_path)
    asked = (publishing_at(address), f"model={model}")
    assert "cosines (embedder): SHA-256" in found(visit_to(tmp_path, *asked), STEPS)["model"].says
    model.write_bytes(model.read_bytes() + b"\0")
    said = found(visit_to(tmp_path, *asked), STEPS)
    assert (said["model"].verdict, said["people"].verdict) == ("wrong", "skipped")
    assert "put back the model and the passport that belong together" in said["model"].says


def test_people_are_counted_and_not_named(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = embedder(tmp_path)
    asked = (publishing_at(address), f"model={model}")
    visit = visit_to(tmp_path, *asked)
    found(visit, STEPS)
    unit, sha256 = np.eye(4, dtype=np.float32)[0], visit.passport.sha256
    with Gallery(tmp_path / "state" / "gallery.sqlite") as gallery:
        gallery.enrol(Template("Ada", unit, 20, "2026-01-01T00:00:00Z", sha256, "simulated"))
    said = found(visit_to(tmp_path, *asked), STEPS)["people"]
    assert (said.verdict, said.figures) == ("note", {"enrolled": 1})
    assert said.says.startswith("1 enrolled for this model; ")
    assert "sudo qrsd people seal" in said.says
    assert "Ada" not in said.says

    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with Gallery(tmp_path / "state" / "gallery.sqlite") as gallery:
        write_secret(tmp_path / CREDENTIAL, key := bytes(32), "")
        gallery.seal(key)
    said = found(visit_to(tmp_path, *asked), STEPS)["people"]
    assert (said.verdict, said.says) == ("fine", "1 enrolled for this model, sealed")

    (tmp_path / "state" / "gallery.sqlite").write_bytes(b"no gallery" * 1000)
    assert found(visit_to(tmp_path, *asked), STEPS)["people"].verdict == "wrong"


def test_a_full_disk_is_told(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=20e6))
    said = found(visit_to(tmp_path, publishing_at(address)), STEPS)["disk"]
    assert (said.verdict, said.figures) == ("wrong", {"free_mb": 20.0})


def test_a_disk_with_little_room_for_recordings_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (software.settings, software.room_for_recordings)
    for free_mb, verdict, told in ((3900, "fine", "30 days"), (129, "note", "erase recordings")):
        usage = SimpleNamespace(free=free_mb * 1e6)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        said = found(visit_to(tmp_path), steps)["room for recordings"]
        assert said.verdict == verdict
        assert told in said.says


def test_a_port_that_another_program_has_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        asked = publishing_at(f"tcp://127.0.0.1:{other.getsockname()[1]}")
        said = found(visit_to(tmp_path, asked, "source=simulated"), CHECKS)
    assert said["service"].verdict == "wrong"
    assert "another program has the port" in said["service"].says
    assert said["samples"].verdict == "skipped"
    assert said["scheduling"].verdict != "skipped"


def test_sockets_in_a_folder_of_somebody_else_are_a_note(tmp_path: Path, address: str) -> None:
    visit = visit_to(tmp_path, publishing_at(address), may_use=lambda _: False)
    said = found(visit, STEPS)
    assert (said["sockets"].verdict, said["disk"].verdict) == ("note", "note")


def test_a_sealed_gallery_is_healthy_though_its_key_is_not_ours(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = publishing_at(address)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    Gallery(tmp_path / "state" / "gallery.sqlite", key=bytes(32)).close()
    assert found(visit_to(tmp_path, asked), STEPS)["people"].verdict == "skipped"
    write_secret(tmp_path / CREDENTIAL, bytes([1] * 32), "")
    assert found(visit_to(tmp_path, asked), STEPS)["people"].verdict == "wrong"


def test_a_path_that_is_too_long_for_a_socket_is_told(tmp_path: Path) -> None:
    visit = visit_to(tmp_path, publishing_at(f"ipc:///{'x' * 107}"))
    said = [finding.says for finding in walk(STEPS, visit) if finding.verdict == "wrong"]
    assert len(said) == 1
    assert said[0].endswith("the path of a socket has 107 bytes at most, not 108.")


def test_a_mere_user_is_not_told_of_keys_and_people_that_are_not_his(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("config.folders.SYSTEM_STATE", tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: tmp_path.stat().st_uid + 1)
    said = found(visit_to(tmp_path, publishing_at("tcp://*:*")), STEPS)
    assert (said["settings"].verdict, said["people"].verdict) == ("fine", "skipped")


def test_a_port_that_cannot_be_one_is_told(tmp_path: Path) -> None:
    said = found(visit_to(tmp_path, publishing_at("tcp://127.0.0.1:99999")), STEPS)
    assert said["settings"].says.endswith("ports go up to 65535.")


@pytest.fixture
def keyed(tmp_path: Path) -> tuple[str, ClientKeys]:
    """The one address of a service, which asks for a key, and a key that it knows."""
    service, client = KeyPair.new(), KeyPair.new()
    service.write(service_key_path(tmp_path / "state" / "keys"), "")
    allow(tmp_path / "state" / "keys", Client("doctor", "listen", client.public))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return f"tcp://*:{port}", ClientKeys(client, service.public)


def test_addresses_that_ask_for_keys_are_free_too(
    tmp_path: Path, keyed: tuple[str, ClientKeys]
) -> None:
    address, _ = keyed
    elsewhere = "control.addresses=['tcp://*:*']"
    said = found(visit_to(tmp_path, publishing_at(address), elsewhere), STEPS)
    assert said["service"].verdict == said["sockets"].verdict == "fine"


# A service that runs


def test_a_service_that_asks_for_a_key_is_asked_with_one(
    tmp_path: Path, keyed: tuple[str, ClientKeys], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(software, "PATIENCE_S", 20.0)
    address, key = keyed
    asked = (publishing_at(address), "source=simulated")
    with service(address, running_status(), keys=tmp_path / "state" / "keys"):
        refused = found(visit_to(tmp_path, *asked), CHECKS)
        visit = visit_to(tmp_path, *asked)
        visit.read_keys = lambda _: key
        heard = found(visit, CHECKS)
    assert refused["service"].verdict == "wrong"
    assert "give --key and --service-key" in refused["service"].says
    assert refused["board"].verdict == "skipped"  # the service has the chip
    assert heard["service"].verdict == heard["samples"].verdict == "fine"


CHIP = ChipStatus(part="ADS1292R", gains=setup(ChipOptions()).gains, conditions=())
COUNTERS = StatusCounters(received=100_000, lost=3, rate_hz=249.9, frames=100_000)
HUM_MV = 0.1 * np.sin(2 * np.pi * 60 / 250 * np.arange(3000))


def running_status(**changes: Any) -> StatusMessage:
    running = replace(
        status(),
        state="running",
        contact="on",
        index=0,
        counters=COUNTERS,
        chip=CHIP,
        scheduling=Scheduling("SCHED_FIFO", None, memory_locked=True),
    )
    return replace(running, **changes)


@contextmanager
def service(
    address: str,
    said: StatusMessage,
    source: Literal["ads1292r", "simulated"] = "simulated",
    keys: Path | None = None,
) -> Iterator[None]:
    """Say a status and twelve seconds of hum again and again, as fast as can be."""
    stopped = threading.Event()
    with ExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        gate = stack.enter_context(CurveGate(context, keys)) if keys else None
        publisher = stack.enter_context(Publisher(context, [address], "bench", source, gate))
        thread = threading.Thread(target=_speak, args=(publisher, said, stopped))
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()


def _speak(publisher: Publisher, said: StatusMessage, stopped: threading.Event) -> None:
    now = datetime.now(UTC)
    begin = 0
    while not stopped.wait(0.001):
        publisher.welcome()
        if begin % 250 == 0:
            publisher.publish(said, now)
        counts = tuple((0, round(mv * 1000)) for mv in HUM_MV[np.arange(begin, begin + 25) % 3000])
        wave = WaveMessage(
            begin,
            250.0,
            (0.001, 0.001),
            ("respiration", "ecg"),
            WaveFlags((), ((), ()), ()),
            counts,
        )
        publisher.publish(wave, now)
        begin += 25


def test_a_running_service_keeps_the_chip_and_is_asked(tmp_path: Path, address: str) -> None:
    with service(address, running_status()):
        said = found(visit_to(tmp_path, publishing_at(address), "source=simulated"), CHECKS)
    verdicts = {name: finding.verdict for name, finding in said.items()}
    assert verdicts["service"] == "fine"
    assert {verdicts[name] for name in ("board", "self test", "DRDY jitter")} == {"skipped"}
    assert said["registers"].says.startswith("ADS1292R, gains [4, 6]")
    assert said["DRDY rate"].figures["rate_hz"] == 249.9
    assert "3 of 100003 samples were lost" in said["losses"].says
    assert (verdicts["losses"], verdicts["electrodes"]) == ("note", "fine")
    assert "set front_end.mains_hz: 60" in said["mains"].says
    assert said["scheduling"].says == "the running service got SCHED_FIFO and locked memory"


@pytest.mark.parametrize(
    ("policy", "locked", "advised", "not_advised"),
    [
        ("SCHED_OTHER", True, "allow it LimitRTPRIO=50 (systemctl", "LimitMEMLOCK"),
        ("SCHED_FIFO", False, "allow it LimitMEMLOCK=infinity (systemctl", "LimitRTPRIO"),
        ("SCHED_OTHER", False, "LimitRTPRIO=50 and LimitMEMLOCK=infinity", "SCHED_FIFO"),
    ],
)
def test_only_what_was_refused_to_the_service_is_to_be_allowed(
    tmp_path: Path, policy: SchedulingPolicy, locked: bool, advised: str, not_advised: str
) -> None:
    visit = visit_to(tmp_path)
    visit.running = running_status(scheduling=Scheduling(policy, None, locked))
    said = found(visit, (computer.scheduling,))["scheduling"]
    assert said.verdict == "note"
    assert advised in said.says
    assert not_advised not in said.says


def test_a_clock_that_was_set_under_the_service_is_told(tmp_path: Path) -> None:
    visit = visit_to(tmp_path)
    visit.running = running_status(clock="stepped")
    said = found(visit, (computer.date,))["date"]
    assert (said.verdict, "until the electrodes come off" in said.says) == ("note", True)


def test_a_service_that_gets_no_samples_is_told_in_the_drivers_words(
    tmp_path: Path, address: str
) -> None:
    error = Failure("miso_low", "Every bit is 0: check its supply.")
    ill = running_status(state="recovering", chip=replace(CHIP, error=error))
    with service(address, ill):
        said = found(visit_to(tmp_path, publishing_at(address), "source=simulated"), CHECKS)
    assert said["service"].verdict == "wrong"
    assert said["service"].says.endswith("Every bit is 0: check its supply.")
    assert said["samples"].verdict == "skipped"


def test_a_service_without_realtime_is_told(tmp_path: Path, address: str) -> None:
    poor = running_status(scheduling=Scheduling("SCHED_OTHER", None, memory_locked=False))
    steps = (software.settings, software.service, computer.scheduling)
    with service(address, poor):
        said = found(visit_to(tmp_path, publishing_at(address), "source=simulated"), steps)
    assert "got SCHED_OTHER, memory not locked: allow it LimitRTPRIO" in said["scheduling"].says


def test_a_simulated_service_does_not_keep_the_real_chip(tmp_path: Path, address: str) -> None:
    raspberry_pi(tmp_path / "pi")
    with service(address, running_status(), "simulated"):
        visit = visit_to(tmp_path / "pi", publishing_at(address))
        said = found(visit, (software.settings, software.service))
    assert said["service"].verdict == "note"
    assert visit.running is None


def test_a_service_whose_samples_stop_meanwhile_is_not_waited_for(address: str) -> None:
    with (
        service(address, running_status(state="recovering")),
        pytest.raises(ServiceUnavailable, match="now is recovering"),
    ):
        samples.from_service(address)
