"""Two recordings come as numbers, are compared beside the service's own work, or are refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import zmq

from daemon.offline.analysis import analyse_recording
from daemon.recordings.recording import Recording
from daemon.service.verification import Verifier, recording
from daemon.wire.control import ControlServer
from daemon.wire.errors import CommandRefused
from drivers.waveforms.hearts import Heart
from model.comparison import compare
from model.errors import EmbedderNeeded
from model.network import Network
from tests.model.models import classifier, embedder

RATE_HZ = 250


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return embedder(tmp_path_factory.mktemp("model"))


@pytest.fixture
def verifier(model: Path) -> Iterator[Verifier]:
    with Verifier(Network(model), mains_hz=50) as verifier:
        yield verifier


@pytest.fixture(scope="module")
def recordings() -> dict[str, list[float]]:
    ecg_mv = Heart(3).ecg_mv
    return {
        "first_mv": ecg_mv[: 8 * RATE_HZ].tolist(),
        "second_mv": ecg_mv[100 * RATE_HZ : 108 * RATE_HZ].tolist(),
    }


@pytest.fixture
def server(verifier: Verifier, tmp_path: Path) -> Iterator[ControlServer]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    address = f"ipc://{tmp_path}/control.ipc"
    with ControlServer(context, address, {"verify": verifier.verify}) as server:
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


def test_one_comparison_at_a_time(verifier: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = Event()
    monkeypatch.setattr(verifier, "_compare", lambda *_: {"waited": go_on.wait(10)})
    under_way = verifier.verify([], [])
    with pytest.raises(CommandRefused, match="are being compared"):
        verifier.verify([], [])
    go_on.set()
    assert under_way.result() == {"waited": True}
    verifier.verify([], []).result()


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
        recording(ecg_mv, "first_mv")


def test_null_is_a_sample_that_was_not_taken() -> None:
    read = recording(json.loads("[0.5, null, 1]"), "first_mv")
    assert isinstance(read, Recording)
    assert str(read.ecg_mv.tolist()) == "[0.5, nan, 1.0]"


def test_a_classifier_compares_nobody(tmp_path: Path) -> None:
    with Verifier(Network(classifier(tmp_path)), mains_hz=50) as verifier:
        promised = verifier.verify([0.0], [0.0])
        with pytest.raises(EmbedderNeeded, match="compared by an embedder"):
            promised.result()
