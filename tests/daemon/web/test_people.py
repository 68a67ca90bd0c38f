"""People over HTTP: each request becomes a command of the service's, each refusal a problem."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import zmq

from config.settings import Settings
from daemon.service.slow_commands import SlowCommands
from daemon.web import context as web_context
from daemon.wire.answers import Done
from daemon.wire.control import Command
from model.network import Network
from model.people_file import from_json
from tests.daemon.office import open_office
from tests.daemon.web.serving import serving
from tests.model.models import embedder

ODD = "Zoë / 100 %?#"


@contextmanager
def staffed(folder: Path) -> Iterator[Mapping[str, Command]]:
    """Yield the service's commands, and ``wear``, by which a heart is heard."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    (folder / "office").mkdir()
    model = embedder(folder)
    office = open_office(model, folder / "office", context)
    recogniser = office.pipeline.recogniser

    def wear(seconds: float) -> Done:
        office.wear(seconds)
        return Done()

    templates = partial(office.gallery.templates, office.network.passport.sha256)
    with SlowCommands(Network(model), Settings(), recogniser, templates) as slow:
        yield {**office.desk.commands, **slow.commands, "wear": wear}
    office.close()
    context.destroy(linger=0)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with serving(tmp_path, staffed(tmp_path)) as served, served.client() as client:
        yield client


def wear(folder: Path, seconds: float) -> None:
    with web_context.Control(f"ipc://{folder}/control.ipc") as control:
        control.request("wear", seconds=seconds)


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_somebody_is_enrolled_renamed_exported_and_forgotten(
    client: httpx.Client, tmp_path: Path
) -> None:
    begun = client.post("/enrolment", json={"person": "Ada", "consent": True, "beats": 5})
    again = client.post("/enrolment", json={"person": "Bob", "consent": True})
    wear(tmp_path, 12.0)
    done = client.get("/enrolment").json()
    renamed = client.post("/people/Ada/rename", json={"to": ODD})
    listed = client.get("/people").json()
    export = client.get(f"/people/{quote(ODD, safe='')}/export")
    unsure = client.request("DELETE", f"/people/{quote(ODD, safe='')}", json={"confirm": "Ada"})
    forgotten = client.request("DELETE", f"/people/{quote(ODD, safe='')}", json={"confirm": ODD})

    assert begun.status_code == 202
    assert begun.headers["location"] == "/api/v1/enrolment"
    assert begun.json() == {"state": "gathering", "person": "Ada", "beats": 0, "needed": 5}
    assert problem(again) == (409, "busy")
    assert done["state"] == "done"
    assert renamed.status_code == 204
    assert [person["name"] for person in listed["people"]] == [ODD]
    assert listed["people"][0]["consent_utc"] is not None
    assert listed["sealed"] is False
    assert "attachment" in export.headers["content-disposition"]
    assert [person.name for person in from_json(export.text, "export")] == [ODD]
    assert problem(unsure) == (422, "not_confirmed")
    assert forgotten.status_code == 204
    assert client.get("/people").json()["people"] == []


def test_an_enrolment_can_be_cancelled_once(client: httpx.Client) -> None:
    client.post("/enrolment", json={"person": "Ada", "consent": True})
    assert client.delete("/enrolment").status_code == 204
    assert problem(client.delete("/enrolment")) == (409, "no_enrolment")
    assert client.get("/enrolment").json() == {"state": "none"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"person": "Ada"}, (422, "no_consent")),
        ({"person": "Ada", "consent": "yes"}, (422, "bad_request")),
        ({"consent": True}, (422, "bad_request")),
        ({"person": "", "consent": True}, (422, "name_invalid")),
        ({"person": "Ada", "consent": True, "beats": 0}, (422, "enrolment_failed")),
        ({"person": "Ada", "consent": True, "surname": "L"}, (422, "bad_request")),
        ([], (422, "bad_request")),
    ],
)
def test_an_enrolment_that_cannot_be_is_refused(
    client: httpx.Client, content: object, expected: tuple[int, str]
) -> None:
    assert problem(client.post("/enrolment", json=content)) == expected
    assert client.get("/enrolment").json() == {"state": "none"}


def test_nobody_of_that_name_is_a_404(client: httpx.Client) -> None:
    for answer in (
        client.get("/people/Bob/export"),
        client.post("/people/Bob/rename", json={"to": "Zoe"}),
        client.request("DELETE", "/people/Bob", json={"confirm": "Bob"}),
    ):
        assert problem(answer) == (404, "person_unknown")


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b'{"to": "Zoe"}', "text/plain", 415),
        (b'{"to": "Zoe"}', "application/x-www-form-urlencoded", 415),
        (b'{"to": ', "application/json", 422),
        (b"[" * 5000, "application/json", 422),
        (json.dumps({"to": "a" * (1 << 20)}).encode(), "application/json", 413),
    ],
)
def test_content_that_is_none_is_refused(
    client: httpx.Client, content: bytes, kind: str, expected: int
) -> None:
    answer = client.post("/people/Bob/rename", content=content, headers={"content-type": kind})
    assert problem(answer)[0] == expected


def test_a_service_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.client() as client:
        assert problem(client.get("/people")) == (503, "service_unavailable")


def test_a_service_that_does_not_answer_holds_up_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_context, "ANSWER_S", 0.5)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context, context.socket(zmq.ROUTER) as dumb, serving(tmp_path) as served:
        dumb.bind(f"ipc://{tmp_path}/control.ipc")
        with served.client() as client:
            assert client.get("/health").elapsed.total_seconds() < 0.4
            answer = client.get("/people")

    assert problem(answer) == (503, "service_unavailable")


def test_names_are_not_logged(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    client.get("/people/Zacharias/export")
    client.post("/people/Zacharias/rename?who=Zacharias", json={"to": "Zacharias"})
    ours = [record.getMessage() for record in caplog.records if "httpx" not in record.name]
    assert not [line for line in ours if "Zacharias" in line and "httpcore" not in line]
