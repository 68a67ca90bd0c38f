"""``qrsd web`` as a program: where it is, how it ends, and what it says when it cannot be there."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.daemon.running import environment

PORT = ("--port", "0")


@contextmanager
def web(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "daemon", "web", *arguments]
    with subprocess.Popen(
        command,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_when_told(tmp_path: Path, number: signal.Signals) -> None:
    with web(tmp_path, *PORT) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert url is not None, said
        answer = httpx.get(f"{url[0]}api/v1/health")
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)

    assert answer.json()["ok"] is False
    assert process.returncode == 0
    assert errors == ""


def test_a_port_that_is_taken_is_a_line_with_a_way_out(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with web(tmp_path, "--port", str(other.getsockname()[1])) as process:
            _, errors = process.communicate(timeout=20)

    assert process.returncode == 75
    assert "is in use, most likely by another qrsd web" in errors
    assert len(errors.splitlines()) == 1
