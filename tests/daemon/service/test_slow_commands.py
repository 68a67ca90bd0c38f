"""What takes seconds is done beside the service's own work: recordings and decisions looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import zmq

from config.settings import Settings
from daemon.offline.analysis import analyse, analyse_recording
from daemon.recordings.recording import Recording, read_recording
from daemon.service.pipeline import Pipeline
from daemon.service.slow_commands import SlowCommands, recording
from daemon.wire.control import ControlServer
from daemon.wire.errors import CommandRefused
from drivers.waveforms.hearts import Heart
from model.comparison import compare
from model.errors import EmbedderNeeded
from model.explanation import explain
from model.gallery import Gallery
from model.network import Network
from model.scores import corrected_cosine
from model.template import Template
from model.tensor import normalise
from tests.daemon.commands.command import qrsd
from tests.daemon.commands.models import embedder_of_hearts, enrol
from tests.daemon.frames import ELECTRODE_OFF, STATUS, beating
from tests.daemon.hearts import write_heart
from tests.daemon.service.pipelines import pipeline_of, push
from tests.model.models import AXES, classifier, embedder, towards

RATE_HZ = 250


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return embedder(tmp_path_factory.mktemp("model"))


@pytest.fixture
def people() -> list[Template]:
    """Who is enrolled: nobody, but for what a test adds."""
    return []


@pytest.fixture
def pipeline(model: Path) -> Pipeline:
    return pipeline_of(Network(model))


@pytest.fixture
def slow(model: Path, people: list[Template], pipeline: Pipeline) -> Iterator[SlowCommands]:
    with SlowCommands(Network(model), Settings(), pipeline.recogniser, lambda: people) as slow:
        yield slow


@pytest.fixture(scope="module")
def recordings() -> dict[str, list[float]]:
    ecg_mv = Heart(3).ecg_mv
    return {
        "first_mv": ecg_mv[: 8 * RATE_HZ].tolist(),
        "second_mv": ecg_mv[100 * RATE_HZ : 108 * RATE_HZ].tolist(),
    }


@pytest.fixture
def server(slow: SlowCommands, tmp_path: Path) -> Iterator[ControlServer]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    address = f"ipc://{tmp_path}/control.ipc"
    with ControlServer(context, address, slow.commands) as server:
        yield server
    context.destroy(linger=0)


def ask(server: ControlServer, request: dict[str, object]) -> dict[str, Any]:
    """Send a request and have the server work as the service's loop does, until it answers."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    with context.socket(zmq.REQ) as client:
        client.linger = 0
        client.connect(server.address)
        client.send_json(request)
        for _ in range(1000):
            server.socket.poll(10)
            server.answer()
            server.keep_promises()
            if client.poll(0):
                answer = client.recv_json()
                assert isinstance(answer, dict)
                return answer
    raise AssertionError("no answer")


def test_two_recordings_are_compared_as_the_command_compares_files(
    server: ControlServer, recordings: dict[str, list[float]], model: Path
) -> None:
    answer = ask(server, {"command": "verify", **recordings})
    analyses = [analyse_recording(recording(mv, name)) for name, mv in recordings.items()]
    assert answer == {
        "ok": True,
        **asdict(compare(analyses[0].beats, analyses[1].beats, Network(model))),
    }
    assert answer["same"] is True
    assert answer["beats"] >= 4


def test_a_recording_without_a_beat_leaves_it_open(server: ControlServer) -> None:
    flat = [0.0] * RATE_HZ
    assert ask(server, {"command": "verify", "first_mv": flat, "second_mv": flat}) == {
        "ok": True,
        "same": None,
        "score": None,
        "ln_likelihood_ratio": None,
        "probability": None,
        "beats": 0,
    }


def test_a_refusal_in_the_thread_is_an_answer_too(server: ControlServer) -> None:
    answer = ask(server, {"command": "verify", "first_mv": [1.0], "second_mv": ["1.0"]})
    assert answer == {
        "ok": False,
        "error": "verify.second_mv: a str is not a number or null.",
        "code": "bad_request",
    }


def test_a_minute_of_any_numbers_fits_into_a_request(server: ControlServer) -> None:
    minute = [-0.12345678901234567e-100] * 60 * RATE_HZ
    assert ask(server, {"command": "verify", "first_mv": minute, "second_mv": [0]})["ok"]


def test_one_at_a_time(slow: SlowCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = Event()
    monkeypatch.setattr(slow, "_compare", lambda *_: {"waited": go_on.wait(10)})
    under_way = slow.verify([], [])
    for ask_more in (partial(slow.verify, [], []), partial(slow.identify, [0.0])):
        with pytest.raises(CommandRefused, match="is being looked at") as refused:
            ask_more()
        assert refused.value.code == "busy"
    go_on.set()
    assert under_way.result() == {"waited": True}
    assert slow.identify([0.0]).result().state == "undecided"


def mv_of(path: Path) -> list[float | None]:
    """Return a recording as a client sends it."""
    return read_recording(path).ecg_mv.round(6).tolist()


@pytest.mark.parametrize(
    ("how", "state", "hint"),
    [
        ({"seed": 3, "start_s": 100}, "accepted", None),
        ({"seed": 3, "seconds": 4}, "undecided", None),
        ({"seed": 3, "start_s": 100, "sign": -1}, "unknown", "electrodes_swapped"),
        ({"seed": 3, "start_s": 100, "seconds": 8, "turns": 3}, "suspect", "repeated"),
    ],
    ids=["herself", "short", "swapped", "looped"],
)
def test_a_recording_is_whose_qrsd_identify_says_it_is(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    how: dict[str, Any],
    state: str,
    hint: str | None,
) -> None:
    model = embedder_of_hearts(tmp_path)
    enrol(tmp_path / "gallery.sqlite", "Ada", write_heart(tmp_path / "ada.csv", seed=3), model)
    path = write_heart(tmp_path / "asked.csv", **how)
    options = ("--gallery", tmp_path / "gallery.sqlite", "--model", model, "--json")
    assert qrsd("identify", path, *options) == 0
    told = json.loads(capsys.readouterr().out)["records"][0]
    network = Network(model)
    with Gallery(tmp_path / "gallery.sqlite") as gallery:
        templates = gallery.templates(network.passport.sha256)
    nobody: Any = None
    with SlowCommands(network, Settings(), nobody, lambda: templates) as slow:
        answer = asdict(slow.identify(mv_of(path)).result())
    good = sum(beat.quality.good for beat in analyse(str(path)).beats)
    assert answer.pop("good_beats") == good
    assert answer.pop("seconds") == how.get("seconds", 20) * how.get("turns", 1)
    assert answer == {name: told[name] for name in answer}
    assert (answer["state"], answer["hint"]) == (state, hint)


def test_there_must_be_a_decision_to_be_explained(
    server: ControlServer, pipeline: Pipeline, people: list[Template]
) -> None:
    answer = ask(server, {"command": "explain"})
    assert (answer["ok"], answer["code"]) == (False, "no_decision")
    push(pipeline, beating(10))
    answer = ask(server, {"command": "explain"})
    assert answer["error"].startswith("Nobody is enrolled")


def test_a_decision_rests_on_the_parts_that_qrsd_explain_names(
    server: ControlServer, pipeline: Pipeline, people: list[Template], model: Path
) -> None:
    network = Network(model)
    of_ada = Template("Ada", towards(3, 1, 0, 0), 16, "2026-03-01", network.passport.sha256, "")
    people.append(of_ada)
    pipeline.recogniser.use_templates(people)
    push(pipeline, beating(20))
    beats = list(pipeline.recogniser.counted)
    assert len(beats) == pipeline.recogniser.decision.beats == 10
    answer = ask(server, {"command": "explain"})

    windows_mv = np.array([beat.ecg_mv for beat in beats])
    normalised = normalise(windows_mv)
    template = of_ada.embedding[None]
    expected = explain(
        network.run,
        normalised,
        [lambda outputs: corrected_cosine(template, outputs, AXES)[0]] * len(beats),
    )
    assert (answer["person"], answer["state"]) == ("Ada", pipeline.recogniser.decision.state)
    assert answer["beats"] == 10
    assert answer["score"] == pytest.approx(expected.score)
    assert answer["weights"] == pytest.approx(expected.importance.tolist())
    assert answer["ecg_mv"] == pytest.approx(windows_mv.mean(axis=0).tolist())
    assert answer["offsets_s"][70] == 0
    assert np.argmax(answer["ecg_mv"]) == 70


def test_who_takes_the_electrodes_off_takes_what_can_be_explained_along(
    server: ControlServer, pipeline: Pipeline
) -> None:
    push(pipeline, beating(10))
    assert pipeline.recogniser.counted
    push(pipeline, beating(2, first=2500, status=STATUS | ELECTRODE_OFF))
    assert not pipeline.recogniser.counted
    assert ask(server, {"command": "explain"})["code"] == "no_decision"


@pytest.mark.parametrize(
    ("ecg_mv", "complaint"),
    [
        (None, "None is not a list of numbers"),
        ("0.1", "'0.1' is not a list of numbers"),
        ([], "0 samples are not between 1 and 15000, which are 60 s at 250 Hz"),
        ([0.0] * 15001, "15001 samples are not between"),
        ([0.0, True], "a bool is not a number or null"),
        ([[0.0]], "a list is not a number or null"),
        ([10**400], "a number is too large"),
    ],
)
def test_what_is_no_recording_is_refused_by_its_name(ecg_mv: object, complaint: str) -> None:
    with pytest.raises(CommandRefused, match=f"verify.first_mv: {complaint}"):
        recording(ecg_mv, "verify.first_mv")


def test_null_is_a_sample_that_was_not_taken() -> None:
    read = recording(json.loads("[0.5, null, 1]"), "first_mv")
    assert isinstance(read, Recording)
    assert str(read.ecg_mv.tolist()) == "[0.5, nan, 1.0]"


def test_a_classifier_compares_nobody(tmp_path: Path) -> None:
    nobody: Any = None
    with SlowCommands(Network(classifier(tmp_path)), Settings(), nobody, list) as slow:
        promised = slow.verify([0.0], [0.0])
        with pytest.raises(EmbedderNeeded, match="compared by an embedder"):
            promised.result()
