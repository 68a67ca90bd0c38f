"""``qrsd report --commentary``: in each kind of report, without an answer, and as a dry run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config import settings as settings_module
from drivers.waveforms.hearts import Heart
from tests.daemon.chat_server import ChatServer, answer_of, chat_server, saying
from tests.daemon.commands.command import qrsd

KEY = "sk-0123456789abcdef"
RATE_HZ = 250


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds of somebody's heart, in a file of their name."""
    ecg_mv = Heart(4).ecg_mv[: 40 * RATE_HZ].tolist()
    rows = [f"{4 * n}, {mv:.4f}" for n, mv in enumerate(ecg_mv)]
    table = tmp_path_factory.mktemp("of-zoe") / "Zoe.csv"
    table.write_text("\n".join(["timestamp, ECG mV", *rows]))
    return table


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[ChatServer], None]:
    """Let the settings name a server."""

    def ask(server: ChatServer) -> None:
        monkeypatch.setattr(settings_module, "DEFAULT_PATH", tmp_path / "none.yaml")
        monkeypatch.setenv("QRSD_REPORT_COMMENTARY_URL", server.url)
        monkeypatch.setenv("QRSD_REPORT_COMMENTARY_MODEL", "<i>tiny")
        monkeypatch.setenv("QRSD_REPORT_COMMENTARY_KEY", "$API_KEY")
        monkeypatch.setenv("API_KEY", KEY)

    return ask


def test_each_kind_of_report_says_who_wrote_it(
    record: Path, tmp_path: Path, asking: Callable[[ChatServer], None]
) -> None:
    said = "# Rate\nIt is <script>alert(1)</script> calm & even, < 100."
    with chat_server(saying(answer_of(said))) as server:
        asking(server)
        for kind in ("html", "json"):
            out = tmp_path / f"r.{kind}"
            assert qrsd("report", record, "--out", out, "--commentary") == 0
    host = server.url.split("/")[2]
    page = (tmp_path / "r.html").read_text()
    assert f"Model: &lt;i&gt;tiny at {host}." in page
    assert "Written by a machine" in page
    assert "It is not medical" in page
    assert "<p>Rate</p>\n<p>It is alert(1) calm &amp; even, &lt; 100.</p>" in page
    figures = json.loads((tmp_path / "r.json").read_text())["commentary"]
    assert (figures["model"], figures["host"]) == ("<i>tiny", host)
    assert figures["text"] == "Rate\nIt is alert(1) calm & even, < 100."
    assert figures["none_because"] is None
    assert "Written by a machine" in figures["notice"]
    assert "not medical" in figures["notice"]
    assert KEY not in page + json.dumps(figures)


def test_a_report_stands_without_an_answer(
    record: Path,
    tmp_path: Path,
    asking: Callable[[ChatServer], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with chat_server(saying(b"", 500)) as server:
        asking(server)
        for kind in ("html", "json"):
            out = tmp_path / f"r.{kind}"
            assert qrsd("report", record, "--out", out, "--commentary") == 0
            reason = f"{server.url.split('/')[2]} is out of order, or has too much to do (HTTP 500)"
            [line] = [each for each in capsys.readouterr().err.splitlines() if "no comm" in each]
            assert line == f"note: no commentary: {reason}"
    page = (tmp_path / "r.html").read_text()
    assert f"<p>No commentary: {reason}.</p>" in page
    assert "Signal quality" in page
    figures = json.loads((tmp_path / "r.json").read_text())
    assert figures["commentary"]["none_because"] == reason
    assert figures["commentary"]["text"] is None


def test_a_dry_run_shows_to_the_byte_what_would_be_sent_and_sends_nothing(
    record: Path,
    tmp_path: Path,
    asking: Callable[[ChatServer], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "r.json"
    with chat_server(saying(answer_of("Fine."))) as server:
        asking(server)
        assert qrsd("report", record, "--out", out, "--commentary", "--dry-run") == 0
        assert server.paths == []
        assert not out.exists()
        shown = capsys.readouterr()
        assert qrsd("report", record, "--out", out, "--commentary") == 0
    os.utime(out, (1, 1))
    assert qrsd("report", record, "--out", out, "--commentary", "--dry-run") == 0
    assert out.stat().st_mtime == 1
    assert shown.out.encode() == server.bodies[0] + b"\n"
    assert f"POST {server.url}/chat/completions\n" in shown.err
    for name, value in server.headers[0].items():
        told = f"{name}: {value}".replace(KEY, "(the key in $API_KEY)")
        assert name in ("Host", "Connection", "Content-Length") or told in shown.err.splitlines()
    assert KEY not in shown.out + shown.err
    assert "oe.csv" not in f"{server.headers} {server.bodies}"


def test_nobody_is_asked_unasked(
    record: Path,
    tmp_path: Path,
    asking: Callable[[ChatServer], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with chat_server(saying(answer_of("Fine."))) as server:
        asking(server)
        assert qrsd("report", record, "--out", tmp_path / "r.json") == 0
        assert server.paths == []
    assert "commentary" not in json.loads((tmp_path / "r.json").read_text())


def test_nobody_is_asked_about_nothing(
    tmp_path: Path, asking: Callable[[ChatServer], None], capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "flat.csv"
    table.write_text("\n".join(["timestamp, Channel 1", *(f"{4 * i}, 5" for i in range(2500))]))
    with chat_server(saying(answer_of("Fine."))) as server:
        asking(server)
        for more in ((), ("--dry-run",)):
            out = tmp_path / "r.json"
            assert qrsd("report", table, "--out", out, "--commentary", *more) == 65
            told = capsys.readouterr()
            assert "no good beat" in told.err
            assert told.out == ""
        assert server.paths == []


def test_a_dry_run_of_nothing_is_refused(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        qrsd("report", record, "--out", tmp_path / "r.json", "--dry-run")
    assert refused.value.code == 2
    assert "--dry-run shows what --commentary would send: give both" in capsys.readouterr().err
