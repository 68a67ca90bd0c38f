"""What other sites' pages make a visitor's browser send: nothing of it gets through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daemon.web.tokens import SCOPES, add_token
from tests.daemon.web.visitor import Visitor, from_elsewhere, logged_in, loopback_app, tls_app

OWN = "http://127.0.0.1:5280"
EVIL = "http://evil.example"
ENROL = json.dumps({"person": "Mallory", "consent": True}).encode()
#: What an older browser sends, which has no Sec-Fetch headers; and one that has.
BROWSERS = ({}, {"sec_fetch_site": "cross-site", "sec_fetch_mode": "cors"})


def here() -> Visitor:
    return Visitor(loopback_app())


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:5280",
        "EVIL.example:5280",
        "localhost.evil.example:5280",
        "127.0.0.1.evil.example:5280",
        "localhost.:5280",
        "127.0.0.1.:5280",
        "localhost:80",
        "localhost",
        "[::1]",
        "[::2]:5280",
        "[::ffff:7f00:1]:5280",
        "0.0.0.0:5280",
        "user@localhost:5280",
        "localhost:5280@evil.example",
        "localhost:5280/",
        "localhost:5280 evil.example",
        "",
    ],
)
@pytest.mark.parametrize("target", ["/", "/api/v1/health", "/api/v1/people", "/nowhere"])
def test_a_name_that_was_rebound_to_loopback_gets_nothing(host: str, target: str) -> None:
    for method in ("GET", "WEBSOCKET"):
        answer = here().ask(method, target, host=host)
        assert (answer.status, answer.code) == (421, "wrong_host")
        assert not answer.accepted


@pytest.mark.parametrize("host", ["127.0.0.1:5280", "LOCALHOST:5280", "[::1]:5280"])
def test_its_own_names_get_through(host: str) -> None:
    assert here().ask("GET", "/api/v1/session", host=host).status == 200
    assert here().ask("GET", "/", host=host).status == 200


def test_a_rebound_page_may_not_even_post_as_its_own_origin() -> None:
    answer = here().ask(
        "POST",
        "/api/v1/enrolment",
        body=[ENROL],
        host="evil.example:5280",
        origin="http://evil.example:5280",
        sec_fetch_site="same-origin",
        content_type="application/json",
    )
    assert (answer.status, answer.code) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["evil.example:5280", "pi.local", "pi.local.:5280", "localhost"])
def test_host_is_checked_over_tls_too(tmp_path: Path, host: str) -> None:
    token = add_token(tmp_path, "tablet", SCOPES)
    answer = from_elsewhere(tls_app(tmp_path), token).ask("GET", "/api/v1/session", host=host)
    assert (answer.status, answer.code) == (421, "wrong_host")


def test_a_host_that_is_missing_or_there_twice_is_refused() -> None:
    assert here().ask("GET", "/", host=None).status == 400
    assert here().ask("GET", "/", [("Host", "evil.example")]).status == 400


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_a_proxy_does_not_open_loopback_to_the_world(tmp_path: Path, header: str) -> None:
    answer = here().ask("GET", "/api/v1/people", [(header, "198.51.100.7")])
    assert (answer.status, answer.code) == (421, "behind_proxy")
    token = add_token(tmp_path, "tablet", ["live"])
    visitor = from_elsewhere(tls_app(tmp_path), token)
    assert visitor.ask("GET", "/api/v1/session", [(header, "127.0.0.1")]).status == 200


@pytest.mark.parametrize("browser", BROWSERS)
@pytest.mark.parametrize(
    "origin",
    [EVIL, "null", "http://127.0.0.1:8000", "http://localhost:5280", "https://127.0.0.1:5280"],
)
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        None,
    ],
)
def test_another_sites_page_changes_nothing(
    origin: str, content_type: str | None, browser: dict[str, str]
) -> None:
    for method, target in (
        ("POST", "/api/v1/enrolment"),
        ("DELETE", "/api/v1/enrolment"),
        ("DELETE", "/api/v1/people/Ada"),
    ):
        answer = here().ask(
            method, target, body=[ENROL], origin=origin, content_type=content_type, **browser
        )
        assert (answer.status, answer.code) == (403, "other_origin")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "", None, "text/plain;application/json"],
)
def test_what_a_form_can_send_is_refused_even_if_no_origin_came(content_type: str | None) -> None:
    answer = here().ask("POST", "/api/v1/enrolment", body=[ENROL], content_type=content_type)
    assert (answer.status, answer.code) == (415, "media_type")
    answer = here().ask("POST", "/api/v1/logout", body=[b"a"], content_type=content_type)
    assert (answer.status, answer.code) == (415, "media_type")  # where nothing is read of it
    multipart = "multipart/form-data; boundary=x"
    answer = here().ask("POST", "/api/v1/enrolment", body=[ENROL], content_type=multipart)
    assert (answer.status, answer.code) == (415, "media_type")


def test_its_own_page_and_programs_get_through() -> None:
    page = {"origin": OWN, "sec_fetch_site": "same-origin", "sec_fetch_mode": "cors"}
    for headers in (page, {}):
        answer = here().post("/api/v1/people/Ada/rename", {"to": "Ann"}, **headers)
        assert (answer.status, answer.code) == (503, "service_unavailable")  # it got to the service


@pytest.mark.parametrize("site", ["cross-site", "same-site", "cross-origin"])
def test_a_page_of_another_site_or_port_may_not_read_either(site: str) -> None:
    for dest, mode in (("image", "no-cors"), ("iframe", "navigate"), ("document", "navigate")):
        answer = here().ask(
            "GET", "/api/v1/session", sec_fetch_site=site, sec_fetch_dest=dest, sec_fetch_mode=mode
        )
        assert (answer.status, answer.code) == (403, "other_origin")
    framed = {"sec_fetch_dest": "iframe", "sec_fetch_mode": "navigate"}
    assert here().ask("GET", "/", sec_fetch_site=site, **framed).status == 403


def test_a_link_to_the_page_may_be_followed_but_not_posted_to() -> None:
    link = {
        "sec_fetch_site": "cross-site",
        "sec_fetch_dest": "document",
        "sec_fetch_mode": "navigate",
    }
    assert here().ask("GET", "/", **link).status == 200
    assert here().ask("POST", "/", **link).status == 403


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "POST"])
def test_no_other_origin_is_ever_allowed_to_read(method: str) -> None:
    answer = here().ask(
        method, "/api/v1/session", origin=EVIL, access_control_request_method="POST"
    )
    assert answer.status == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "http://127.0.0.1:5281", "http://127.0.0.1", "ws://127.0.0.1:5280", ""]
)
def test_another_site_gets_no_websocket(origin: str) -> None:
    answer = here().ask("WEBSOCKET", "/api/v1/live", origin=origin)
    assert (answer.status, answer.code, answer.accepted) == (403, "other_origin", False)


def test_its_own_page_gets_a_websocket() -> None:
    assert here().ask("WEBSOCKET", "/api/v1/live", origin=OWN).accepted
    assert here().ask("WEBSOCKET", "/api/v1/live").accepted  # a program, which needs no browser


def test_a_websocket_by_cookie_needs_the_origin(tmp_path: Path) -> None:
    app = tls_app(tmp_path)
    token = add_token(tmp_path, "tablet", ["live"])
    browser = logged_in(app, token)
    assert browser.ask("WEBSOCKET", "/api/v1/live").accepted
    for origin in (None, "https://evil.example", "http://pi.local:5280"):
        answer = browser.ask("WEBSOCKET", "/api/v1/live", origin=origin)
        assert (answer.status, answer.code, answer.accepted) == (403, "other_origin", False)
    assert from_elsewhere(app, token).ask("WEBSOCKET", "/api/v1/live").accepted


@pytest.mark.parametrize("proof", [None, "", "x", "\xff"])
def test_a_cookie_alone_changes_nothing(tmp_path: Path, proof: str | None) -> None:
    app = tls_app(tmp_path)
    token = add_token(tmp_path, "tablet", SCOPES)
    browser, other = logged_in(app, token), logged_in(app, token)
    assert browser.post("/api/v1/people/Ada/rename", {"to": "Ann"}).status == 503
    for wrong in (proof, other.headers["x-csrf-token"]):
        answer = browser.post("/api/v1/people/Ada/rename", {"to": "Ann"}, x_csrf_token=wrong)
        assert (answer.status, answer.code) == (403, "csrf")
        assert browser.ask("POST", "/api/v1/logout", x_csrf_token=wrong).code == "csrf"
    assert browser.ask("GET", "/api/v1/session", x_csrf_token=None).status == 200


def test_a_visitor_is_not_logged_in_by_another_site(tmp_path: Path) -> None:
    token = add_token(tmp_path, "tablet", SCOPES)
    visitor = from_elsewhere(tls_app(tmp_path))
    for headers in ({"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}):
        answer = visitor.post("/api/v1/login", {"token": token}, **headers)
        assert (answer.status, answer.code) == (403, "other_origin")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "target",
    ["/", "/static/style.css", "/api/v1/session", "/api/v1/people", "/nowhere", "/api/v1/docs"],
)
def test_every_answer_tells_browsers_to_be_strict(tmp_path: Path, target: str) -> None:
    for visitor in (here(), from_elsewhere(tls_app(tmp_path))):
        for host in (visitor.headers["host"], "evil.example"):
            headers = visitor.ask("GET", target, host=host).headers
            policy = dict(
                part.split(" ", 1) for part in headers["content-security-policy"].split("; ")
            )
            assert policy["default-src"] == "'self'"
            assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
            assert policy["form-action"] == "'self'"
            assert "script-src" not in policy
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-frame-options"] == "DENY"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cross-origin-opener-policy"] == "same-origin"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "server" not in headers
            if target.startswith("/api/"):
                assert headers["cache-control"] == "no-store"
