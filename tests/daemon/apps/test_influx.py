"""What is written to a database for figures over time."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from config.influx import InfluxOptions
from daemon.apps.figures import Figures
from daemon.apps.influx import AT_ONCE, MOST_WAITING, Lines, line_of, write
from daemon.wire.client import Item, Silent
from tests.daemon.apps.made_up_service import Service
from tests.daemon.background import wait_for
from tests.daemon.chat_server import chat_server, saying

NOW_S = 1795890000.0
AWKWARD = 'hall, "door" =1\\'  # a name with all that the protocol takes for something else


class Clock:
    now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


def filled(count: int, **more: str) -> tuple[Lines, InfluxOptions]:
    """Return that many lines that wait."""
    options, clock = InfluxOptions(**more), Clock()
    lines, made_up = Lines(options, "hall", clock), Service()
    for _ in range(count):
        lines.put(made_up.accepts("Ada"))
        clock.now_s += options.every_s + 0.001
    return lines, options


def test_a_line_has_tags_figures_and_milliseconds() -> None:
    figures = Figures(names=False)
    figures.take(Service().accepts("Ada"))

    line = line_of(figures.state, AWKWARD, NOW_S)

    assert line == (
        'qrsd,device=hall\\,\\ "door"\\ \\=1\\\\,source=simulated '
        'confidence=0.99,identity="accepted" 1795890000000'
    )


def test_of_what_is_not_known_there_is_no_line() -> None:
    lines, _ = filled(1)
    lines.take()

    lines.put(Silent(60.0))

    assert lines.take() == []
    assert line_of(Figures(names=True).state, "hall", NOW_S) == ""


def test_there_is_a_line_each_ten_seconds_also_after_the_clock_is_set_back() -> None:
    clock = Clock()
    lines, item = Lines(InfluxOptions(), "hall", clock), Service().accepts("Ada")
    for second in range(60):
        clock.now_s = NOW_S + second
        lines.put(item)
    clock.now_s = NOW_S - 3600
    lines.put(item)

    assert len(lines.take()) == 6 + 1


def test_the_oldest_lines_give_way_and_order_is_kept() -> None:
    lines, _ = filled(MOST_WAITING + 5)
    first = lines.take()
    lines.put_back(first)

    assert lines.take() == first
    assert len(first) == AT_ONCE
    assert f"{NOW_S * 1000:.0f}" not in first[0]


@pytest.mark.parametrize(("names", "told"), [(False, False), (True, True)])
def test_names_are_written_only_where_they_are_asked_for(names: bool, told: bool) -> None:
    lines = Lines(InfluxOptions(names=names), "hall", Clock())
    lines.put(Service().accepts("Ada"))

    assert ("Ada" in lines.take()[0]) is told


def test_what_could_not_be_written_is_written_later(caplog: pytest.LogCaptureFixture) -> None:
    lines, options = filled(3)
    waited: list[float] = []

    def pause(seconds: float) -> bool:
        waited.append(seconds)
        return len(waited) > 3

    with chat_server(saying(b"", 503)) as server:
        write(InfluxOptions(server.url), lines, "s3cret", pause)
    waited.clear()
    with chat_server(saying(b"", 204)) as server:
        write(InfluxOptions(server.url), lines, "s3cret", pause)

    assert len(server.bodies) == 1
    assert server.bodies[0].count(b"\n") == 2
    assert server.headers[0]["Authorization"] == "Token s3cret"
    assert "does not take it (HTTP 503); it is tried again" in caplog.text
    assert "s3cret" not in caplog.text
    assert options.every_s == waited[0]


@contextmanager
def victoria_metrics(folder: Path) -> Iterator[str]:
    """Run Debian's VictoriaMetrics, which takes the line protocol."""
    program = shutil.which("victoria-metrics")
    if program is None:
        pytest.skip("needs victoria-metrics: sudo make test-servers")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [program, f"-storageDataPath={folder}", f"-httpListenAddr={address}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: answers(f"http://{address}/health"))
            yield f"http://{address}"
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1):
            return True
    except (URLError, OSError):
        return False


@pytest.mark.servers
def test_a_real_server_gives_back_what_was_written(tmp_path: Path) -> None:
    made_up = Service()
    items: list[Item] = [made_up.status(), made_up.accepts("Ada")]
    with victoria_metrics(tmp_path) as url:
        lines = Lines(InfluxOptions(url), AWKWARD)
        now_s = time.time()
        for item in items:
            lines.put(item)
        for item in items:  # the first line knew no confidence yet
            lines._due_s = 0.0
            lines.put(item)
        ended = iter([False, True])
        write(InfluxOptions(url), lines, None, lambda _: next(ended))

        found: list[dict[str, Any]] = []

        def export() -> bool:
            asked = quote('{__name__="qrsd_confidence"}')
            with urlopen(f"{url}/api/v1/export?match[]={asked}", timeout=5) as answer:
                found[:] = [json.loads(line) for line in answer]
            return bool(found)

        wait_for(export)

    assert found[0]["metric"]["device"] == AWKWARD
    assert found[0]["metric"]["source"] == "simulated"
    assert {*found[0]["values"]} == {0.99}
    assert found[0]["timestamps"][0] == pytest.approx(1000 * now_s, abs=60_000)
