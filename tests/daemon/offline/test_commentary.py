"""A language model's text: what is asked, what comes of any answer, and of none."""

from __future__ import annotations

import gzip
import ipaddress
import json
import ssl
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from config.commentary import CommentaryOptions
from config.errors import SettingInvalid
from daemon.commands.exit_codes import exit_code
from daemon.errors import ExtraMissing
from daemon.offline.commentary import (
    LARGEST_ANSWER,
    LONGEST_TEXT,
    Commentary,
    Commentator,
    NoCommentary,
    numbers,
    readable,
)
from daemon.offline.labels import BREATHING, OF_A_BEAT
from dsp.hrv import NEEDS
from tests.daemon.chat_server import Behaviour, ChatServer, answer_of, chat_server, saying

KEY = "sk-0123456789abcdef"
#: As ``Report.figures`` has them, with texts wherever it has any.
FIGURES: dict[str, Any] = {
    "record": "/home/zoe/Zoe.bdf",
    "begin": "2026-11-28T10:55:39+00:00",
    "source": "ads1292r",
    "simulated": False,
    "duration_s": 123.456,
    "notes": ["of Zoe's watch"],
    "who": {"person": "Zoe", "confidence": 0.987},
    "quality": {
        "beats": 148,
        "good": 140,
        "flaws": {"noisy": 8},
        "minutes": [
            {"begin_s": 0.0, "heart_rate_bpm": 71.23456},
            {"begin_s": 60.0, "heart_rate_bpm": None},
            {"begin_s": 120.0, "heart_rate_bpm": 73.0},
        ],
        "gaps_s": [[70.0, 4.0], [80.0, 1.5]],
        "lead_off_s": [[100.0, None]],
    },
    "strips": [{"begin_s": 0.0, "r_peaks_s": [0.5, 1.25], "averaged_beat": {"rr_ms": 750.0}}],
    "intervals": dict.fromkeys(OF_A_BEAT, 400.0) | {"pr_ms": None},
    "hrv": {
        "record": "/home/zoe/Zoe.bdf",
        "reasons": {"vlf_ms2": "needs 300 s"},
        "corrections": {"share": 0.01},
        "breathing": [{name: {"rate_per_min": 12.0, "quality": 0.9} for name in BREATHING}],
    }
    | dict.fromkeys(NEEDS, 31.41592)
    | {"vlf_ms2": None},
}


def ask(url: str, key: str | None = KEY, timeout_s: float = 60.0) -> Commentary:
    return Commentator(CommentaryOptions(url, "tiny", "", timeout_s), key).comment_on(FIGURES)


def reason_of(behave: Behaviour, timeout_s: float = 60.0) -> str:
    """Ask a server that gives no text, and return what is said of it."""
    with chat_server(behave) as server:
        commentary = ask(server.url, timeout_s=timeout_s)
    host = server.url.split("/")[2]
    assert commentary.text is None
    assert commentary.none_because
    assert commentary.none_because.startswith(f"{host} ")
    assert KEY not in commentary.none_because
    return commentary.none_because


def leaves(tree: object) -> Iterator[object]:
    if isinstance(tree, dict):
        for branch in tree.values():
            yield from leaves(branch)
    else:
        yield tree


def test_numbers_are_asked_about_and_nothing_else() -> None:
    with chat_server(saying(answer_of("All is said."))) as server:
        commentary = ask(server.url)
    assert (commentary.text, commentary.none_because) == ("All is said.", None)
    assert (commentary.model, commentary.host) == ("tiny", server.url.split("/")[2])
    assert server.paths == ["/v1/chat/completions"]
    [headers], [body] = server.headers, server.bodies
    assert headers["Authorization"] == f"Bearer {KEY}"
    whole = f"{headers} {body!r}"
    for private in ("Zoe", "zoe", "2026", "ads1292r", "watch", "0.98", "750", "100.0", "noisy"):
        assert private not in whole
    question = json.loads(body)
    system, user = question.pop("messages")
    assert question == {"model": "tiny", "stream": False}
    assert (system["role"], user["role"]) == ("system", "user")
    sent = json.loads(user["content"])
    assert all(leaf is None or type(leaf) in (int, float) for leaf in leaves(sent))
    assert sent["duration_s"] == 123.5
    assert (sent["gaps"], sent["gaps_s"]) == (2, 5.5)
    rates = {"lowest": 71.23, "median": 72.12, "highest": 73.0}
    assert sent["heart_rate_bpm_of_minutes"] == rates
    assert sent["heart_rate_variability"].keys() == NEEDS.keys()
    assert sent["heart_rate_variability"]["vlf_ms2"] is None
    assert sent["averaged_beat"]["pr_ms"] is None


def test_a_text_where_a_number_belongs_is_never_sent() -> None:
    for section, name in (("hrv", "rmssd_ms"), ("intervals", "qt_ms"), ("quality", "beats")):
        with pytest.raises((TypeError, ValueError)):
            numbers(FIGURES | {section: FIGURES[section] | {name: "Zoe"}})


def test_without_a_key_none_is_sent() -> None:
    with chat_server(saying(answer_of("Fine."))) as server:
        assert ask(server.url, key=None).text == "Fine."
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "refuses the key, or wants one (HTTP 401)"),
        (402, "wants money"),
        (404, "no such model"),
        (418, "refuses the question (HTTP 418)"),
        (429, "too many requests"),
        (500, "out of order"),
        (503, "too much to do"),
    ],
)
def test_a_refusal_is_told(status: int, reason: str) -> None:
    assert reason in reason_of(saying(answer_of(f"Your key is {KEY}"), status))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_goes_where_a_server_points_to(status: int) -> None:
    with chat_server(saying(answer_of("Mine now."))) as other:
        pointing = saying(b"", status, Location=f"{other.url}/chat/completions")
        assert "points to another address" in reason_of(pointing)
        assert other.paths == []


def test_nothing_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        chat_server(saying(answer_of("Mine now."))) as proxy,
        chat_server(saying(answer_of("Fine."))) as server,
    ):
        for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert ask(server.url).text == "Fine."
        assert proxy.paths == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>Gateway</html>", "does not answer as"),
        (b"", "does not answer as"),
        (b"\xff\xfe\x00", "does not answer as"),
        (b"[" * 500_000, "does not answer as"),
        (b"9" * 10_000, "does not answer as"),
        (b'{"choices": []}', "does not answer as"),
        (b'{"choices": [{"message": "text"}]}', "does not answer as"),
        (b'{"error": {"message": "no"}}', "does not answer as"),
        (answer_of(["a", "list"]), "other than text"),
        (answer_of(None), "nothing to say"),
        (answer_of(" \n\u200b\x07 "), "nothing to say"),
        (answer_of("<think>Hm, what?</think>"), "nothing to say"),
    ],
)
def test_nonsense_is_told(body: bytes, reason: str) -> None:
    assert reason in reason_of(saying(body))


def test_an_answer_that_is_packed_against_the_wish_is_not_unpacked() -> None:
    body = gzip.compress(answer_of("x" * 50_000_000))
    assert len(body) < LARGEST_ANSWER
    assert "does not answer as" in reason_of(saying(body, Content_Encoding="gzip"))


def test_an_answer_without_end_is_left() -> None:
    sent = []

    def endless(handler: BaseHTTPRequestHandler, server: ChatServer) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not server.ended.is_set():
            sent.append(handler.wfile.write(b" " * (1 << 16)))

    assert "sends more than 1 MiB" in reason_of(endless)
    assert sum(sent) < 100 * LARGEST_ANSWER


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
@pytest.mark.parametrize("drip", [b"", b"x"])
def test_the_whole_answer_has_its_time(before: bytes, drip: bytes) -> None:
    def slow(handler: BaseHTTPRequestHandler, server: ChatServer) -> None:
        handler.wfile.write(before)
        while not server.ended.wait(0.05):
            handler.wfile.write(drip)

    began_s = monotonic()
    assert "has not answered within 1 s" in reason_of(slow, timeout_s=1)
    assert 0.9 < monotonic() - began_s < 10


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_who_breaks_off_or_speaks_no_http_is_told(said: bytes) -> None:
    def other(handler: BaseHTTPRequestHandler, _: ChatServer) -> None:
        handler.wfile.write(said)
        handler.close_connection = True

    assert "broke off, or speaks no HTTP" in reason_of(other)


def test_nobody_there_is_told() -> None:
    with chat_server(saying(b"")) as server:
        url = server.url
    assert "cannot be reached: " in str(ask(url).none_because)


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for this machine that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = folder / "here.pem"
    path.write_bytes(
        made.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context


def test_nothing_goes_to_a_server_that_nobody_vouches_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, context = certificate(tmp_path)
    with chat_server(saying(answer_of("Fine.")), context) as server:
        assert "CERTIFICATE_VERIFY_FAILED" in str(ask(server.url).none_because)
        assert server.paths == []
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        assert ask(server.url).text == "Fine."


def test_a_key_that_comes_back_is_not_shown() -> None:
    with chat_server(saying(answer_of(f"You came with {KEY}."))) as server:
        assert ask(server.url).text == "You came with (key)."


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("RMSSD is 31 ms (< 50 ms, > 20 ms).", "RMSSD is 31 ms (< 50 ms, > 20 ms)."),
        ("<think>No <b>idea</b></think>\n\nFine.", "Fine."),
        ("# Heart\r\n\r\n**Rate**: `70`\tbpm\u2028*calm*", "Heart\nRate: 70 bpm\ncalm"),
        ("<script>alert(1)</script>Fine", "alert(1)Fine"),
        ("<<b>script>alert(1)<</b>/script>", "< script>alert(1)< /script>"),
        ("<\u200bimg src=x onerror=y", "< img src=x onerror=y"),
        ("Go to [my shop](http://x.example/?q) now", "Go to my shop now"),
        (
            "Go to ht<b>tps://x.example/?q now, or www.x.example",
            "Go to (address) now, or (address)",
        ),
        ("\x1b[31mred\x1b[0m\x00\ud800\u202eder", "[31mred[0mder"),
        ("Gr\u00fc\u00dfe, \u5fc3\u81d3", "Gr\u00fc\u00dfe, \u5fc3\u81d3"),
    ],
)
def test_a_stranger_s_text_becomes_lines_of_letters(said: str, read: str) -> None:
    assert readable(said) == read


@given(st.lists(st.sampled_from([*"<>/!a[]()*#: \n\x1b\u202e", "www.", "http://", "script"])))
def test_no_text_brings_markup_or_commands(parts: list[str]) -> None:
    try:
        text = readable("".join(parts))
    except NoCommentary:
        return
    assert "://" not in text
    assert not any(f"<{letter}" in text for letter in "a/!hsw")
    assert all(letter.isprintable() for letter in text.replace("\n", ""))
    assert len(text) <= LONGEST_TEXT + 20


@pytest.mark.parametrize(
    "part", ["<", "<a", "[", "[a](", "a", "www", "http:", "* ", "#", "</think>a"]
)
def test_no_text_takes_long(part: str) -> None:
    began_s = monotonic()
    with suppress(NoCommentary):
        assert len(readable(part * (LARGEST_ANSWER // len(part)))) <= LONGEST_TEXT + 20
    assert monotonic() - began_s < 20


def test_whom_to_ask_has_to_be_set() -> None:
    for options in (CommentaryOptions(), CommentaryOptions("http://127.0.0.1/v1")):
        with pytest.raises(SettingInvalid, match="not set, so nobody can be asked") as told:
            Commentator.of(options)
        assert exit_code(told.value) == 78


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ExtraMissing, match=r"needs httpx.*'\.\[commentary\]'"):
        Commentator.of(CommentaryOptions("http://127.0.0.1/v1", "tiny"))


def test_the_key_is_not_in_a_traceback() -> None:
    assert KEY not in repr(Commentator(CommentaryOptions("http://127.0.0.1/v1", "tiny"), KEY))
