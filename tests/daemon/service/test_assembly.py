"""A service is put together whole or not at all, and leaves nothing behind."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import asdict, replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import pytest
from jsonschema import Draft202012Validator

from config.errors import SettingInvalid
from config.folders import gallery_path
from config.gallery_key import CREDENTIAL
from config.secret_file import write_secret
from config.settings import ConnectOptions, ControlOptions, PublishOptions, Settings
from daemon.service import assembly
from daemon.service.assembly import assembled, check
from daemon.wire.client import Subscriber
from daemon.wire.errors import AddressInUse, ServiceRefusesKey
from daemon.wire.keys import SERVICE_COMMENT, KeyPair, service_key_path
from daemon.wire.messages import KINDS, Received, StatusMessage
from daemon.wire.status import StatusCounters
from drivers.chip_setup import ChipOptions
from model.errors import GallerySealed, GalleryUnreadable, ModelMissing
from model.local_calibration import LocalCalibration, write
from model.passport import file_sha256
from tests.daemon.frames import SETUP
from tests.daemon.running import PATIENCE_S
from tests.model.models import embedder


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that touch nothing outside a folder of the test's own."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setattr("config.gallery_key.CREDSTORE", tmp_path / "credstore")
    addresses = (f"ipc://{tmp_path}/run/messages.ipc",)
    return Settings(
        source="simulated",
        device="bench",
        model=str(embedder(tmp_path)),
        publish=PublishOptions(addresses),
    )


def test_its_files_are_for_their_owner_only(settings: Settings, tmp_path: Path) -> None:
    with assembled(settings):
        private = ("state/simulated.sqlite", "run/control.ipc", "run/messages.ipc")
        for name in private:
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) & 0o077 == 0


def test_a_simulated_run_leaves_the_real_gallery_alone(settings: Settings, tmp_path: Path) -> None:
    real = tmp_path / "state" / "gallery.sqlite"
    real.parent.mkdir()
    real.write_bytes(b"people")
    before = real.stat().st_mtime_ns
    with assembled(settings):
        assert real.with_name("simulated.sqlite").exists()
    assert (real.read_bytes(), real.stat().st_mtime_ns) == (b"people", before)
    assert len(list(real.parent.iterdir())) == 2
    real.unlink()
    with assembled(replace(settings, source="chip")):
        assert real.exists()


def test_what_it_let_go_of_can_be_had_again(settings: Settings) -> None:
    for _ in range(2):
        with assembled(settings):
            pass


@pytest.mark.parametrize("broken", ["model", "gallery", "publisher", "control"])
def test_a_part_that_cannot_be_had_leaves_the_others_free(
    settings: Settings, tmp_path: Path, broken: str
) -> None:
    gallery = tmp_path / "state" / "simulated.sqlite"
    errors: dict[str, type[Exception]] = {
        "model": ModelMissing,
        "gallery": GalleryUnreadable,
        "publisher": AddressInUse,
        "control": AddressInUse,
    }
    asked = settings
    if broken == "model":
        asked = replace(settings, model="/nowhere.tflite")
    if broken == "gallery":
        gallery.parent.mkdir()
        gallery.write_bytes(b"no gallery" * 1000)
    if broken == "publisher":
        asked = replace(settings, publish=PublishOptions(settings.publish.addresses * 2))
    if broken == "control":
        own = (f"ipc://{tmp_path}/run/control.ipc",)
        asked = replace(settings, publish=PublishOptions(own))
    with pytest.raises(errors[broken]), assembled(asked):
        pass
    if broken == "gallery":
        gallery.unlink()
    with assembled(settings):
        pass


def test_a_process_that_cannot_be_started_is_the_reason_that_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = OSError("no process to be had")

    def fail(_options: object) -> NoReturn:
        raise failure

    monkeypatch.setattr(assembly, "AcquisitionProcess", fail)
    with assembled(settings) as service:
        with pytest.raises(OSError, match="no process to be had") as told:
            service.run()
        assert told.value is failure


def test_messages_carry_the_devices_name_and_that_they_are_simulated(settings: Settings) -> None:
    with (
        assembled(settings) as service,
        Subscriber(settings.publish.addresses[0], timeout_s=PATIENCE_S) as subscriber,
    ):
        parts = service._parts
        assert parts.publisher.socket.poll(20_000)
        parts.publisher.welcome()
        parts.publisher.publish(status(), parts.clock.now())
        item = next(subscriber)
        assert isinstance(item, Received)
        assert (item.stamp.device, item.stamp.source) == ("bench", "simulated")


def test_it_describes_itself(settings: Settings) -> None:
    with assembled(settings) as service:
        said = json.loads(service._parts.control.reply(b'{"command": "describe"}'))
        model = service._parts.model
        service._parts.pipeline.use_setup(SETUP)
        later = json.loads(service._parts.control.reply(b'{"command": "describe"}'))
    assert said == {
        "ok": True,
        "version": version("qrsd"),
        "device": "bench",
        "source": "simulated",
        "schema": 1,
        "topics": [*KINDS],
        "channels": None,
        "model": asdict(model),
        "people_version": service._parts.people.version,
    }
    assert model.sha256 == sha256(Path(settings.model).read_bytes()).hexdigest()
    assert later == said | {"channels": ["respiration", "ecg"]}
    schema = json.loads((Path(__file__).parents[3] / "docs" / "control.schema.json").read_text())
    Draft202012Validator(schema | {"$ref": "#/$defs/describe_answer"}).validate(later)


def status() -> StatusMessage:
    return StatusMessage(
        None,
        "starting",
        "unknown",
        None,
        None,
        None,
        StatusCounters(),
        None,
        None,
        None,
        None,
        None,
        "set",
    )


Change = Callable[[Settings], Settings]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (
            lambda settings: replace(settings, chip=ChipOptions(rate_hz=500)),
            SettingInvalid,
            r"^chip\.rate_hz: 500 is not 250, the rate of the signal chain",
        ),
        (
            lambda settings: replace(settings, publish=PublishOptions(("tcp://192.168.1.2:1",))),
            SettingInvalid,
            r"^tcp://192\.168\.1\.2:1 is refused",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    settings: Settings, change: Change, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        check(change(settings))


def test_every_address_that_is_refused_is_named(settings: Settings) -> None:
    publish = PublishOptions(("tcp://*:1", f"ipc:///{'x' * 107}", "tcp://127.0.0.1:2"))
    control = ControlOptions(("ipc://@control", "tcp://127.0.0.1:3"))
    with pytest.raises(SettingInvalid) as refused:
        check(replace(settings, publish=publish, control=control))
    named = [problem.split(" is refused")[0] for problem in refused.value.problems]
    bad = [*publish.addresses[:2], *control.addresses]
    assert named == bad


def test_a_path_that_is_too_long_is_refused_wherever_it_is_set(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, path = f"/run/{'0' * 120}", f"ipc:///{'0' * 107}"
    monkeypatch.setenv("RUNTIME_DIRECTORY", folder)
    with pytest.raises(SettingInvalid) as refused:
        check(replace(settings, connect=ConnectOptions(messages=path, control=f"{path}0")))
    named = [problem.split(" is refused")[0] for problem in refused.value.problems]
    assert named == [f"ipc://{folder}/control.ipc", path, f"{path}0"]


def test_a_service_that_speaks_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^addresses: there is none"):
        PublishOptions(())


def test_with_keys_it_can_be_reached_from_outside(settings: Settings, tmp_path: Path) -> None:
    open_to_all = replace(settings, publish=PublishOptions(("tcp://0.0.0.0:*",)))
    KeyPair.new().write(service_key_path(tmp_path / "state" / "keys"), SERVICE_COMMENT)
    with assembled(open_to_all) as service:
        assert service._parts.gate is not None
        address = service._parts.publisher.addresses[0].replace("0.0.0.0", "127.0.0.1")
        stranger = Subscriber(address, timeout_s=PATIENCE_S)
        with stranger, pytest.raises(ServiceRefusesKey):
            next(stranger)


def test_an_open_gallery_is_sealed_as_soon_as_there_is_a_key(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with assembled(settings) as service:
        assert service._parts.model.people_sealed is False
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    write_secret(tmp_path / CREDENTIAL, bytes(32), "a comment")
    for _ in range(2):
        with assembled(settings) as service:
            assert service._parts.model.people_sealed is True
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(GallerySealed), assembled(settings):
        pass


@pytest.mark.parametrize(
    ("of_this_model", "said"), [(True, "locally_calibrated"), (False, "calibration_unused")]
)
def test_whether_the_devices_own_calibration_counts_is_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture, *, of_this_model: bool, said: str
) -> None:
    assert settings.model is not None
    model = file_sha256(Path(settings.model)) if of_this_model else "0" * 64
    gallery = gallery_path(simulated=True)
    gallery.parent.mkdir()
    write(LocalCalibration(model, 0.1, 12, "2026-01-01T00:00:00+00:00"), gallery)
    caplog.set_level("INFO")
    with assembled(settings):
        logged = [record.__dict__.get("QRSD_EVENT") for record in caplog.records]
    assert said in logged
