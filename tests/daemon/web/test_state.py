"""What is so now: the newest message as it was said, and nothing that is not true any more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daemon.web import hub
from tests.daemon.web.serving import identity, serving, status


def test_before_the_service_is_heard_nothing_is_said(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.client() as client:
        health = client.get("/health")
        nobody = client.get("/identity")

    assert health.status_code == 503
    assert health.json()["ok"] is False
    assert health.json()["silent_s"] is None
    assert nobody.status_code == 503
    assert nobody.headers["content-type"] == "application/problem+json"
    assert nobody.json()["code"] == "nothing_heard"


def test_the_newest_message_is_answered_as_the_service_sent_it(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.client() as client:
        served.say(status(250), identity(250, "Zoë"), identity(500))
        health = client.get("/health")
        who = client.get("/identity").json()
        how = client.get("/status").json()

    assert (health.status_code, health.json()["ok"]) == (200, True)
    assert who["person"] == "Ada"
    assert who["sequence"] == 1
    assert who["utc"] == "2026-11-28T10:00:02.000000Z"
    assert who["source"] == how["source"] == "simulated"
    assert how["heart_rate_bpm"] == 60


def test_what_a_silent_service_said_last_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "STALE_S", 0.2)
    with serving(tmp_path) as served, served.client() as client:
        served.say(identity(0))
        while client.get("/health").status_code == 200:
            pass
        who = client.get("/identity")

    assert who.status_code == 503
    assert who.json()["code"] == "service_silent"
    assert "Ada" not in json.dumps(who.json())


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/status/", 404),
        ("POST", "/status", 405),
        ("GET", "/live", 426),
        ("GET", "/events?topics=ecg", 422),
        ("GET", "/events?topic=status", 422),
        ("GET", "/events?topics=status&topics=hrv", 422),
    ],
)
def test_what_cannot_be_answered_is_a_problem(
    tmp_path: Path, method: str, path: str, expected: int
) -> None:
    with serving(tmp_path) as served, served.client() as client:
        answer = client.request(method, path)

    assert answer.status_code == expected
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == expected
    if expected == 405:
        assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/status", "/events"])
def test_a_head_is_answered_without_content(tmp_path: Path, path: str) -> None:
    with serving(tmp_path) as served, served.client() as client:
        served.say(status(0))
        answer = client.head(path)

    assert (answer.status_code, answer.content) == (200, b"")


def test_the_page_and_its_files_are_served(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.client() as client:
        page = client.get(served.url)
        nothing = client.get(f"{served.url}static/../server.py")

    assert page.status_code == 200
    assert "<html" in page.text
    assert nothing.status_code == 404
