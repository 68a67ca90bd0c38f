"""The event stream, as a browser's EventSource reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.daemon.web.serving import ecg, identity, serving, status


def events(answer: httpx.Response) -> Iterator[dict[str, str]]:
    """Yield events by the fields of their lines, as the standard has a client read them."""
    event: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(":")
            event[name] = value.removeprefix(" ")
            continue
        if "data" in event:
            yield event
        event = {}


def test_events_come_by_name_with_an_id_and_the_header(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.client() as client:
        served.say(status(0), identity(1))
        with client.stream("GET", "/events") as answer:
            stream = events(answer)
            first = [next(stream), next(stream)]
            served.say(ecg(0), identity(2))
            then = next(stream)
        boot = served.publisher.boot

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [each["event"] for each in (*first, then)] == ["status", "identity", "identity"]
    assert then["id"] == f"{boot}:identity:1"
    assert json.loads(then["data"])["index"] == 2


def test_a_client_that_comes_back_hears_what_it_missed(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.client() as client:
        served.say(*(identity(i) for i in range(6)))
        last = {"Last-Event-ID": f"{served.publisher.boot}:identity:3"}
        with client.stream("GET", "/events?topics=identity", headers=last) as answer:
            stream = events(answer)
            missed = [json.loads(next(stream)["data"])["index"] for _ in range(2)]

    assert missed == [4, 5]


def test_a_stream_that_was_left_is_not_listened_for(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.client() as client:
        served.say(status(0))
        with client.stream("GET", "/events") as answer:
            stream = events(answer)
            next(stream)
            assert client.get("/health").json()["clients"] == 1
        while client.get("/health").json()["clients"]:
            pass
