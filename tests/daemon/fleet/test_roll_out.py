"""A model rolled out to devices whose services are made up; the test before the switch is real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from daemon.fleet import model_switch
from daemon.fleet.errors import RolledBack
from daemon.fleet.link import linked
from daemon.fleet.model_files import ModelFiles, pack
from daemon.fleet.model_switch import ModelSwitch
from daemon.fleet.roll_out import roll_out
from daemon.fleet.telling import Telling
from daemon.wire.messages import Received, StatusMessage
from daemon.wire.status import ModelStatus
from model.opening import DEFAULT_MODEL
from model.passport import Passport, file_sha256
from tests.daemon.apps.made_up_service import Service
from tests.daemon.commands.models import embedder_of_hearts
from tests.daemon.fleet.nats_server import NatsServer, serving

pytestmark = pytest.mark.servers
SHIPPED = file_sha256(DEFAULT_MODEL)
DOORS = ("door-1", "door-2", "door-3")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with serving(tmp_path_factory.mktemp("fleet") / "server", *DOORS, "door-4") as running:
        yield running


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_switch, "START_S", 3.0)
    monkeypatch.setattr(model_switch, "STEADY_S", 0.3)
    monkeypatch.setattr(model_switch, "STEP_S", 0.05)


@pytest.fixture
def _untested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the test before the switch, which takes seconds, where it is not the matter."""
    monkeypatch.setattr(model_switch, "check", lambda _model: None)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    folder = tmp_path / "other"
    folder.mkdir()
    return embedder_of_hearts(folder)


def status(files: ModelFiles, broken: str) -> Received:
    """Say what a service says that runs with the current model, which one model breaks."""
    said = Service().status()
    assert isinstance(said, Received)
    assert isinstance(said.message, StatusMessage)
    model = ModelStatus("a model", "embedder", files.current, "tflite_runtime", people_sealed=False)
    state = "recovering" if files.current == broken else "running"
    return replace(said, message=replace(said.message, model=model, state=state))


@asynccontextmanager
async def devices(
    server: NatsServer, folder: Path, broken: Mapping[str, str]
) -> AsyncIterator[dict[str, ModelFiles]]:
    """Run devices, each of which a model may break."""
    found = {}
    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        running = []
        for name in DOORS:
            link = await stack.enter_async_context(linked(server.options(name)))
            files = found[name] = ModelFiles(folder / name)
            files.begin(DEFAULT_MODEL)
            telling = Telling("1")
            switch = ModelSwitch(files, str(files.path), telling)
            running.append(tasks.create_task(switch.run(link)))
            running.append(tasks.create_task(_say(telling, files, broken.get(name, ""))))
        yield found
        for task in running:
            task.cancel()


async def _say(telling: Telling, files: ModelFiles, broken: str) -> None:
    while True:
        telling.put(status(files, broken))
        await asyncio.sleep(0.02)


async def rolled_out(
    server: NatsServer, folder: Path, model: Path, broken: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Roll a model out, and return what is told and which model each device has then."""
    told: list[str] = []
    async with (
        devices(server, folder, broken) as found,
        linked(server.options("operator")) as link,
    ):
        try:
            await roll_out(link, model, DOORS, told.append)
        except RolledBack as error:
            told.append(str(error))
        return told, {name: files.current for name, files in found.items()}


def test_all_devices_take_a_model_the_first_before_the_others(
    server: NatsServer, tmp_path: Path, other: Path
) -> None:
    told, current = asyncio.run(rolled_out(server, tmp_path, other, {}))

    assert set(current.values()) == {file_sha256(other)}
    assert told[1] == "door-1: has it, and works"
    assert {*told[2:]} == {"door-2: has it, and works", "door-3: has it, and works"}
    assert Passport.load(ModelFiles(tmp_path / "door-3").path).name == "closed form"


@pytest.mark.usefixtures("_untested")
def test_what_breaks_the_first_never_reaches_the_others(
    server: NatsServer, tmp_path: Path, other: Path
) -> None:
    broken = {"door-1": file_sha256(other)}

    told, current = asyncio.run(rolled_out(server, tmp_path, other, broken))

    assert set(current.values()) == {SHIPPED}
    assert "the service is recovering" in told[1]
    assert "the model of before is in use again" in told[1]
    assert told[2].startswith("door-1 did not take the model")
    assert not (tmp_path / "door-2" / file_sha256(other)).exists()


@pytest.mark.usefixtures("_untested")
def test_what_breaks_a_later_one_is_taken_back_from_all(
    server: NatsServer, tmp_path: Path, other: Path
) -> None:
    broken = {"door-3": file_sha256(other)}

    told, current = asyncio.run(rolled_out(server, tmp_path, other, broken))

    assert set(current.values()) == {SHIPPED}
    assert {"door-1: has the model of before", "door-2: has the model of before"} <= {*told}
    assert told[-1].startswith("door-3 did not take the model; it was taken back")


def test_a_model_that_fails_its_self_test_never_becomes_the_current(
    server: NatsServer, tmp_path: Path, other: Path
) -> None:
    passport = Passport.load(other)
    front_end = passport.front_end | {"window_samples": 99}
    replace(passport, front_end=front_end).save(other)

    told, current = asyncio.run(rolled_out(server, tmp_path, other, {}))

    assert set(current.values()) == {SHIPPED}
    assert "its self test failed: qrsd: model 'closed form' was trained behind" in told[1]
    assert not (tmp_path / "door-1" / "switched").exists()


def test_a_trial_that_a_power_cut_ended_is_finished(
    server: NatsServer, tmp_path: Path, other: Path
) -> None:
    files = ModelFiles(tmp_path / "door-1")
    files.begin(DEFAULT_MODEL)
    files.switch(files.keep(pack(other)), on_trial=True)

    async def run() -> str:
        async with devices(server, tmp_path, {"door-1": file_sha256(other)}) as found:
            while found["door-1"].is_on_trial:
                await asyncio.sleep(0.02)
            return found["door-1"].current

    assert asyncio.run(asyncio.wait_for(run(), 30)) == SHIPPED


def test_a_device_whose_service_takes_its_model_from_elsewhere_says_so(
    server: NatsServer, tmp_path: Path, other: Path
) -> None:
    async def run() -> list[str]:
        told: list[str] = []
        files = ModelFiles(tmp_path / "door-1")
        files.begin(DEFAULT_MODEL)
        async with (
            linked(server.options("door-1")) as link,
            linked(server.options("operator")) as operator,
        ):
            running = asyncio.create_task(ModelSwitch(files, "", Telling("1")).run(link))
            await asyncio.sleep(0.2)
            with pytest.raises(RolledBack, match="door-1 did not take the model"):
                await roll_out(operator, other, ["door-1"], told.append)
            running.cancel()
        return told

    told = asyncio.run(asyncio.wait_for(run(), 30))

    assert "its service does not take models from here: set model: " in told[1]


@pytest.mark.usefixtures("_untested")
@pytest.mark.parametrize("answer", [b"[" * 200_000, b"\xff", b"[]", b"null", b'{"ok": 0}', b""])
def test_an_answer_that_is_none_takes_the_model_back_from_all(
    server: NatsServer, tmp_path: Path, other: Path, answer: bytes
) -> None:
    async def run() -> tuple[list[str], str]:
        told: list[str] = []
        async with (
            devices(server, tmp_path, {}) as found,
            linked(server.options("door-4")) as hostile,
            linked(server.options("operator")) as link,
        ):

            async def lie(asked: Msg) -> None:
                await asked.respond(answer)

            await hostile.nats.subscribe(hostile.subject("model"), cb=lie)
            await hostile.nats.flush()
            with pytest.raises(RolledBack, match="door-4 did not take"):
                await roll_out(link, other, ["door-1", "door-4"], told.append)
            return told, found["door-1"].current

    told, current = asyncio.run(asyncio.wait_for(run(), 60))

    assert current == SHIPPED
    assert told[-1] == "door-1: has the model of before"


def test_an_order_of_nobody_s_is_no_event_of_the_device(server: NatsServer, tmp_path: Path) -> None:
    """Whoever can have the server send something to it would fill its events."""

    async def run() -> dict[str, object]:
        files = ModelFiles(tmp_path / "door-1")
        files.begin(DEFAULT_MODEL)
        telling = Telling("1")
        async with (
            linked(server.options("door-1")) as link,
            linked(server.options("operator")) as operator,
        ):
            switch = ModelSwitch(files, str(files.path), telling)
            running = asyncio.create_task(switch.run(link))
            await asyncio.sleep(0.2)
            answer = await operator.nats.request(operator.subject("model", "door-1"), b"[" * 99_999)
            running.cancel()
        assert not telling._events._waiting
        said: dict[str, object] = json.loads(answer.data)
        return said

    assert asyncio.run(asyncio.wait_for(run(), 30))["ok"] is False
