"""The OpenAPI is valid, whole, and true: what is asked by it is answered as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.specs.openapi.checks import positive_data_acceptance

from config.settings import RecordOptions, Settings
from daemon.web.openapi import openapi
from daemon.web.routes import API
from daemon.web.server import all_routes
from tests.daemon.web.serving import BEGIN, Serving, hrv, identity, rhythm, serving, status
from tests.daemon.web.test_people import staffed

#: They never end.
STREAMS = {f"{API}/events", f"{API}/live"}
EXAMPLES = 4  # of requests by each operation, allowed and not
#: Each starts a process of its own, which takes a second.
COSTLY = {f"{API}/{name}" for name in ("identify", "verify", "detect", "variability", "anomaly")}


def test_every_route_is_told() -> None:
    paths = openapi(all_routes())["paths"]

    told = {(path, method) for path, methods in paths.items() for method in methods}
    there = {(f"{API}{each.path}", each.method.lower()) for each in all_routes()}
    assert told == {(path, method.replace("websocket", "get")) for path, method in there}
    operations = [of["operationId"] for methods in paths.values() for of in methods.values()]
    assert len(set(operations)) == len(operations)


def test_the_document_and_its_page_are_served(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.client() as client:
        document = client.get("/openapi.json").json()
        page = client.get("/docs")

    assert document["openapi"] == "3.1.0"
    assert page.headers["content-type"].startswith("text/html")
    assert set(re.findall(rf"{API}/[^ <\"]*", page.text)) >= set(document["paths"])
    assert "<script" not in page.text


def try_out(served: Serving, max_examples: int) -> set[str]:
    """Send requests that the document allows and such that it does not; return what was asked."""
    schema = schemathesis.openapi.from_url(f"{served.url}api/v1/openapi.json")
    schema.validate()
    tried = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in STREAMS:
            continue
        for mode in schemathesis.GenerationMode:

            @settings(
                max_examples=1 if operation.path in COSTLY else max_examples,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: schemathesis.Case) -> None:
                # What may be a name, or is enrolled, no schema can tell.
                case.call_and_validate(timeout=30, excluded_checks=[positive_data_acceptance])
                tried.add(case.operation.path)

            with suppress(Unsatisfiable):  # what takes nothing can be asked nothing wrong
                ask()
    return tried


@contextmanager
def talking(served: Serving) -> Iterator[None]:
    """Have the service go on saying everything that can be asked for."""
    ended = Event()

    def talk() -> None:
        while not ended.wait(0.5):
            for message in (status(0), identity(0), hrv(0), rhythm(0)):
                served.publisher.publish(message, BEGIN)

    served.say(status(0), identity(0), hrv(0), rhythm(0))
    thread = Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_requests_by_the_document_are_answered_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    recorder = Settings(record=RecordOptions(folder=str(tmp_path / "recordings")))
    with serving(tmp_path, staffed(tmp_path), recorder) as served, talking(served):
        tried = try_out(served, EXAMPLES)

    assert len(tried) > 10
