"""Content that is too much, too slow or not what it says, and what errors tell of the inside."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest
from starlette.requests import Request
from starlette.responses import Response

from daemon.web import exchange
from daemon.web.access import MOST_OF_A_TOKEN, MOST_UPLOADS
from daemon.web.routes import Route
from daemon.web.screening import MOST_NUMBERS_BYTES, MOST_OTHER_BYTES, MOST_UPLOAD_BYTES
from daemon.web.server import all_routes
from daemon.web.tokens import add_token
from daemon.web.uploads import OneRecording
from tests.daemon.web.visitor import Answer, Visitor, from_elsewhere, loopback_app, tls_app

#: Starlette leaves what it had of a form that breaks off to Python to close.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")

UPLOADED = "/api/v1/upload"
UPLOAD = "multipart/form-data; boundary=x"
FILE = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n',
    b"\r\n--x--\r\n",
)
SECRET = "Zacharias"


@dataclass(frozen=True, slots=True)
class Text:
    """Some text."""

    text: str


async def upload(request: Request, _: None) -> Response:
    """Read a file of a form, as the real ones do."""
    async with request.form() as form:
        return Response(str(len(await form["file"].read())))  # type: ignore[union-attr]


async def take(_: Request, asked: Text) -> Response:
    return Response(str(len(asked.text)))


async def add(_: Request, asked: OneRecording) -> Response:
    return Response(str(len(asked.ecg_mv)))


async def ignore(_: Request, __: None) -> Response:
    return Response("not read")


async def fail(_: Request, __: None) -> Response:
    raise KeyError(SECRET)


ROUTES = [
    *all_routes(),
    Route("POST", "/upload", upload, "recordings", "Upload", files=("file",)),
    Route("POST", "/numbers", add, "recordings", "Add", body=OneRecording, files=("file",)),
    Route("POST", "/text", take, "control", "Take", body=Text),
    Route("POST", "/ignore", ignore, "control", "Ignore"),
    Route("GET", "/fail", fail, "live", "Fail"),
]


@pytest.fixture
def visitor() -> Visitor:
    return Visitor(loopback_app(ROUTES))


def sent(visitor: Visitor, *pieces: bytes | float, **headers: str) -> Answer:
    usual = {"content_type": UPLOAD} | headers
    return visitor.ask("POST", UPLOADED, body=[FILE[0], *pieces, FILE[1]], **usual)


def test_a_file_gets_through_in_pieces_of_any_size(visitor: Visitor) -> None:
    assert sent(visitor, b"a" * 300_000, b"", b"b").body == b"300001"


def test_a_body_without_a_length_is_cut_off_where_its_limit_is(visitor: Visitor) -> None:
    pieces = [bytes(1 << 20)] * (MOST_UPLOAD_BYTES >> 20)
    answer = sent(visitor, *pieces, *pieces)
    assert (answer.status, answer.code) == (413, "too_large")
    assert answer.headers["connection"] == "close"
    text = [b'{"text": "', *[b"x" * 100_000] * 40, b'"}']
    answer = visitor.ask("POST", "/api/v1/text", body=text, content_type="application/json")
    assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.parametrize("length", [MOST_UPLOAD_BYTES + 1, 10**12, 10**14])
def test_a_length_that_is_too_much_is_refused_before_a_byte_is_read(
    visitor: Visitor, length: int
) -> None:
    answer = sent(visitor, b"a", content_length=str(length))
    assert (answer.status, answer.code) == (413, "too_large")
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("target", "most_bytes"),
    [("/text", MOST_OTHER_BYTES), ("/login", MOST_OTHER_BYTES), ("/detect", MOST_NUMBERS_BYTES)],
)
def test_the_most_that_json_may_be_is_less(visitor: Visitor, target: str, most_bytes: int) -> None:
    def of(length: int) -> Answer:
        kind = {"content_type": "application/json", "content_length": str(length)}
        return visitor.ask("POST", f"/api/v1{target}", body=[b"{}"], **kind)

    assert of(most_bytes).code != "too_large"
    assert (of(most_bytes + 1).status, of(most_bytes + 1).code) == (413, "too_large")


def test_nobody_without_a_token_has_much_kept_for_them(tmp_path: Path) -> None:
    stranger = from_elsewhere(tls_app(tmp_path))
    pieces = [b'{"token": "', *[b"x" * 1000] * 1000]
    headers = [*stranger.headers.items(), ("content-type", "application/json")]
    answer = asyncio.run(stranger.exchange("POST", "/api/v1/login", headers, pieces))
    assert (answer.status, answer.code) == (413, "too_large")
    assert len(pieces) > 950  # the rest is not even taken


def test_numbers_take_room_of_uploads_as_files_do(visitor: Visitor) -> None:
    async def all_of_them() -> list[Answer]:
        slow = [b'{"ecg_mv": [', 0.2, b"0]}"]
        headers = [*visitor.headers.items(), ("content-type", "application/json")]
        asked = [
            visitor.exchange("POST", "/api/v1/numbers", headers, list(slow))
            for _ in range(MOST_UPLOADS + 1)
        ]
        return await asyncio.gather(*asked)

    statuses = sorted(each.status for each in asyncio.run(all_of_them()))
    assert statuses == [200] * MOST_UPLOADS + [503]


@pytest.mark.parametrize(
    "header",
    [b"X-A: " + b"a" * (8 << 20), b"X-A: a\r\n" * 300_000, b"a" * (8 << 20)],
    ids=["long", "many", "without an end"],
)
def test_a_part_s_head_that_is_huge_costs_next_to_nothing(visitor: Visitor, header: bytes) -> None:
    pieces = [header[at : at + 65536] for at in range(0, len(header), 65536)]
    begun_s = time.process_time()
    answer = visitor.ask("POST", UPLOADED, body=[b"--x\r\n", *pieces], content_type=UPLOAD)
    assert answer.status != 200
    assert time.process_time() - begun_s < 2


@pytest.mark.parametrize("length", ["-1", "+5", "0x10", "1,1", "1 1", "", "\u00b2", "9" * 16])
def test_a_length_that_two_programs_might_read_in_two_ways_is_refused(
    visitor: Visitor, length: str
) -> None:
    answer = sent(visitor, b"a", content_length=length)
    assert (answer.status, answer.code) == (400, "bad_request")


def test_two_lengths_of_one_body_are_refused(visitor: Visitor) -> None:
    more = [("transfer-encoding", "chunked")]
    for headers in (more, [("Content-Length", "4")]):
        answer = visitor.ask(
            "POST", "/api/v1/text", headers, [b"{}"], content_type="a", content_length="2"
        )
        assert (answer.status, answer.code) == (400, "bad_request")


def test_a_body_that_trickles_in_is_given_up(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "BODY_S", 0.1)
    drops = [piece for _ in range(20) for piece in (0.02, b"a")]
    answer = sent(visitor, *drops)
    assert (answer.status, answer.code) == (408, "too_slow")
    assert sent(visitor, 30.0, b"a").code == "too_slow"
    assert sent(visitor, 0.02, b"a").body == b"1"


def test_a_body_that_is_fast_may_last(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "BODY_S", 0.1)
    steady = [piece for _ in range(8) for piece in (0.02, b"a" * 65536)]
    assert sent(visitor, *steady).body == str(8 * 65536).encode()


def test_a_body_that_nobody_reads_ends_the_connection(visitor: Visitor) -> None:
    content = {"content_type": "application/json"}
    answer = visitor.ask("POST", "/api/v1/ignore", body=[b"{", b"}"], **content)
    assert answer.headers["connection"] == "close"
    answer = visitor.post("/api/v1/text", {"text": "ab"})
    assert answer.body == b"2"
    assert "connection" not in answer.headers


def many(visitor: Visitor, count: int) -> list[int]:
    """Upload slowly, all at once, and return the statuses, sorted."""

    async def all_of_them() -> list[Answer]:
        body: list[bytes | float] = [FILE[0], 0.1, b"a", FILE[1]]
        headers = [*visitor.headers.items(), ("content-type", UPLOAD)]
        asked = (visitor.exchange("POST", UPLOADED, headers, list(body)) for _ in range(count))
        return await asyncio.gather(*asked)

    return sorted(each.status for each in asyncio.run(all_of_them()))


def test_only_so_many_uploads_are_taken_at_a_time(visitor: Visitor) -> None:
    assert many(visitor, MOST_UPLOADS + 2) == [200] * MOST_UPLOADS + [503] * 2
    assert sent(visitor, b"a").status == 200  # they have made room again


def test_who_holds_uploads_leaves_room_for_others(tmp_path: Path) -> None:
    app = tls_app(tmp_path, ROUTES)
    greedy, other = (
        from_elsewhere(app, add_token(tmp_path, name, ["recordings"])) for name in ("a", "b")
    )

    async def both() -> list[Answer]:
        held: list[bytes | float] = [FILE[0], 0.3, FILE[1]]
        kind = ("content-type", UPLOAD)
        slow = [
            greedy.exchange("POST", UPLOADED, [*greedy.headers.items(), kind], list(held))
            for _ in range(MOST_UPLOADS)
        ]
        quick = other.exchange("POST", UPLOADED, [*other.headers.items(), kind], list(FILE))
        return await asyncio.gather(*slow, quick)

    *slow, quick = (each.status for each in asyncio.run(both()))
    assert sorted(slow) == [200] * MOST_OF_A_TOKEN + [503] * (MOST_UPLOADS - MOST_OF_A_TOKEN)
    assert quick == 200


def test_a_sender_that_was_fast_may_not_rest_on_it(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "BODY_S", 0.1)
    begun_s = time.monotonic()
    answer = sent(visitor, bytes(8 << 20), 60.0, b"a")
    assert (answer.status, answer.code) == (408, "too_slow")
    assert time.monotonic() - begun_s < 5  # not 128 s, as for what came at the slowest rate
    assert many(visitor, MOST_UPLOADS) == [408] * MOST_UPLOADS
    monkeypatch.undo()
    assert sent(visitor, b"a").status == 200


def test_a_stream_that_says_it_has_files_takes_no_room_of_uploads(visitor: Visitor) -> None:
    async def both() -> list[Answer]:
        headers = [*visitor.headers.items(), ("content-type", UPLOAD)]
        held = [visitor.exchange("GET", "/api/v1/events", headers, []) for _ in range(MOST_UPLOADS)]
        return await asyncio.gather(*held, visitor.exchange("POST", UPLOADED, headers, list(FILE)))

    assert [each.status for each in asyncio.run(both())] == [200] * (MOST_UPLOADS + 1)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"text": 1}', b'{"text": "a", "b": 1}', b"\xff", b"[" * 16_000,
     b'{"text": NaN}', b'{"text": "\\ud800"}', b'{"text": 1e999}', b'{"te\\u0000xt": "a"}'],
)  # fmt: skip
def test_json_that_is_none_is_a_problem_of_its_sender(visitor: Visitor, content: bytes) -> None:
    answer = visitor.ask("POST", "/api/v1/text", body=[content], content_type="application/json")
    assert answer.status in (200, 422)


@pytest.mark.parametrize("nested", [b"[" * 1_000_000, b'{"a":' * 200_000, b"[" * 400 + b"]" * 400])
def test_no_nesting_is_too_deep_to_be_refused(visitor: Visitor, nested: bytes) -> None:
    body = [b'{"ecg_mv": ', nested, b"}"]
    answer = visitor.ask("POST", "/api/v1/detect", body=body, content_type="application/json")
    assert (answer.status, answer.code) == (422, "bad_request")


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=x", b"--x"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\na"),
        (UPLOAD, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 2000 + b"--x--"),
    ],
)
def test_forms_that_are_none_tell_nothing_of_the_inside(
    visitor: Visitor, content_type: str, content: bytes
) -> None:
    answer = visitor.ask("POST", UPLOADED, body=[content], content_type=content_type)
    assert answer.status < 500 or answer.code == "internal"
    assert b"Traceback" not in answer.body
    assert b"site-packages" not in answer.body


def test_an_error_of_ours_tells_nothing_of_the_inside_nor_the_log_of_anybody(
    visitor: Visitor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = [visitor.ask("GET", "/api/v1/fail")]

        def broken(_: object) -> None:
            raise RuntimeError(SECRET)

        monkeypatch.setattr("daemon.web.access.Head.of", broken)  # outside of the table
        answers.append(visitor.ask("GET", "/api/v1/session"))
    for answer in answers:
        assert (answer.status, answer.code) == (500, "internal")
        assert SECRET.encode() not in answer.body
    assert "request_failed" in [getattr(record, "QRSD_EVENT", "") for record in caplog.records]
    assert SECRET not in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "target",
    [
        "/static/../server.py",
        "/static/../../../setup.cfg",
        "/static/..%2f..%2fserver.py",
        "/static//etc/passwd",
        "/static/....//server.py",
        "/static/%00",
        "/static/\x00",
        "/static/.",
        "/static",
        "/static/" + "a" * 5000,
        "/static/..\\..\\server.py",
        "//etc/passwd",
        "/etc/passwd",
        "/../../etc/passwd",
    ],
)
def test_no_way_of_writing_a_path_leads_out_of_the_pages_files(
    visitor: Visitor, target: str
) -> None:
    answer = visitor.ask("GET", target)
    assert answer.status in (307, 404)
    assert b"import" not in answer.body
    assert b"root:" not in answer.body
    if answer.status == 307:  # Starlette adds a slash: it leads nowhere else
        assert answer.headers["location"].startswith("http://127.0.0.1:5280/static/")


def test_a_name_in_an_address_writes_no_header(visitor: Visitor) -> None:
    for name in ("a%0d%0aSet-Cookie:%20x=1", "a\r\nSet-Cookie: x=1"):
        for target in (f"/{name}", f"/static/{name}", f"/api/v1/people/{name}/export"):
            answer = visitor.ask("GET", target)
            assert "set-cookie" not in answer.headers
            assert not [v for v in answer.headers.values() if "\r" in v or "\n" in v]


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fsecret.bdf",
        "..%2Fsecret.bdf",
        "%2e%2e%2fsecret.bdf",
        "..",
        ".",
        "%00secret.bdf",
        "secret.bdf%00.csv",
        "link.bdf",
        "..%5csecret.bdf",
        "%2fetc%2fpasswd",
        "a" * 5000,
    ],
)
def test_no_recording_s_name_leads_out_of_their_folder(
    visitor: Visitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    (tmp_path / "recordings").mkdir()
    (tmp_path / "secret.bdf").write_text(SECRET)
    (tmp_path / "recordings" / "link.bdf").symlink_to(tmp_path / "secret.bdf")
    for rest in (
        "",
        "/samples?from_s=0&to_s=1&width=10",
        "/file?format=bdf",
        "/report?format=json",
    ):
        answer = visitor.ask("GET", f"/api/v1/recordings/{name}{rest}")
        assert answer.status in (404, 422)
        assert SECRET.encode() not in answer.body
    confirm = {"confirm": unquote(name)}
    answer = visitor.ask(
        "DELETE",
        f"/api/v1/recordings/{name}",
        body=[json.dumps(confirm).encode()],
        content_type="application/json",
    )
    assert answer.status in (404, 422)
    assert (tmp_path / "secret.bdf").exists()
