"""Metrics are read as Prometheus reads them, over HTTP and with its parser."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args
from urllib.request import urlopen

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from config.errors import SettingInvalid
from config.settings import MetricsOptions, PublishOptions, Settings, load
from daemon.commands.exit_codes import exit_code
from daemon.service.assembly import assembled, check
from daemon.service.metrics import MOST_SCRAPES, STATUS_COUNTERS, Metrics, served
from daemon.wire.errors import AddressInUse
from daemon.wire.messages import (
    AlarmMessage,
    BeatKindMessage,
    BeatMessage,
    ContactState,
    IdentityMessage,
    IdentityState,
    ServiceState,
    StatusMessage,
)
from daemon.wire.status import StatusCounters
from tests.daemon.service.test_assembly import status

DOCS = Path(__file__).parents[3] / "docs"

Sample = tuple[str, frozenset[tuple[str, str]]]


def scrape(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text: str = answer.read().decode()
    return text


def read(text: str) -> dict[Sample, float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Mapping[Sample, float], name: str, **labels: str) -> float:
    return samples[name, frozenset({"source": "simulated", **labels}.items())]


def running(**changes: Any) -> StatusMessage:
    counters = StatusCounters(**{name: 10 + n for n, name in enumerate(STATUS_COUNTERS)})
    return replace(status(), state="running", contact="off", counters=counters, **changes)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    addresses = (f"ipc://{tmp_path}/messages.ipc",)
    return Settings(source="simulated", publish=PublishOptions(addresses))


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        number: int = probe.getsockname()[1]
    return number


def test_what_happens_is_counted_and_says_that_it_is_simulated() -> None:
    metrics = Metrics("simulated")
    for jitter_s in (3e-6, -3e-6, 3e-3):
        metrics.edge(jitter_s)
    metrics.inference(0.0015)
    metrics.message(BeatMessage(100, 50, 0.8, 75.0, 0.95, ()))
    metrics.message(IdentityMessage(100, "accepted", "Ada", 0.99, 5))
    metrics.message(IdentityMessage(200, "accepted", "Bob", 0.99, 5))
    metrics.message(IdentityMessage(300, "no_contact", None, None, 0))
    for kind in ("N", "V", "V"):
        metrics.message(BeatKindMessage(100, 50, kind, 0.5))
    metrics.message(AlarmMessage(100, "pause", 50, None, (0, 101), ""))
    metrics.message(AlarmMessage(200, "pause", 50, 150, (0, 201), ""))
    metrics.message(running())
    with served(metrics, 0) as port:
        text = scrape(port)
    samples = read(text)
    assert value(samples, "qrsd_drdy_jitter_seconds_bucket", le="1e-05") == 2
    assert value(samples, "qrsd_drdy_jitter_seconds_bucket", le="0.004") == 3
    assert value(samples, "qrsd_drdy_jitter_seconds_sum") == pytest.approx(3.006e-3)
    assert value(samples, "qrsd_inference_seconds_sum") == pytest.approx(0.0015)
    assert value(samples, "qrsd_beat_quality_bucket", le="0.9") == 0
    assert value(samples, "qrsd_beat_quality_bucket", le="1.0") == 1
    outcomes = ("accepted", "unknown", "undecided", "no_contact")
    counted = [value(samples, "qrsd_decisions_total", outcome=outcome) for outcome in outcomes]
    assert counted == [2, 0, 0, 1]
    assert [value(samples, "qrsd_beats_total", kind=kind) for kind in "NSV"] == [1, 0, 2]
    assert value(samples, "qrsd_alarms_total", kind="pause") == 1
    assert "Ada" not in text
    assert "Bob" not in text


def test_the_status_is_passed_on_with_each_state_as_a_series() -> None:
    metrics = Metrics("simulated")
    with served(metrics, 0) as port:
        assert "qrsd_samples" not in scrape(port)  # nothing was measured yet
        metrics.message(running())
        samples = read(scrape(port))
    for n, (metric, _) in enumerate(STATUS_COUNTERS.values()):
        assert value(samples, f"{metric}_total") == 10 + n
    contact = [value(samples, "qrsd_contact", contact=name) for name in ("on", "off", "unknown")]
    assert contact == [0, 1, 0]
    assert value(samples, "qrsd_state", state="running") == 1
    assert value(samples, "qrsd_state", state="recovering") == 0


def test_a_port_that_is_taken_is_told_and_one_that_is_let_go_of_can_be_had_again() -> None:
    metrics = Metrics("ads1292r")
    with served(metrics, 0) as port, pytest.raises(AddressInUse, match=r"metrics\.port: 127"):
        served(metrics, port).__enter__()
    with served(metrics, port) as again:
        assert again == port


def test_idle_connections_keep_neither_threads_nor_those_who_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daemon.service.metrics._Handler.timeout", 0.5)
    with ExitStack() as stack:
        port = stack.enter_context(served(Metrics("ads1292r"), 0))
        before = threading.active_count()
        for _ in range(200):
            idle = stack.enter_context(socket.socket())
            idle.connect(("127.0.0.1", port))
        time.sleep(0.2)
        assert threading.active_count() - before <= MOST_SCRAPES
        time.sleep(0.6)
        assert "process_open_fds" in scrape(port)


def test_who_asks_a_letter_at_a_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.service.metrics.SCRAPE_S", 0.5)
    with served(Metrics("ads1292r"), 0) as port, socket.socket() as slow:
        slow.connect(("127.0.0.1", port))
        until_s = time.monotonic() + 10
        with suppress(ConnectionError):
            while time.monotonic() < until_s:
                slow.sendall(b"G")
                time.sleep(0.05)
        assert time.monotonic() < until_s


def test_nobody_outside_this_machine_can_ask() -> None:
    with served(Metrics("ads1292r"), 0) as port, socket.socket() as elsewhere:
        elsewhere.bind(("127.0.0.2", 0))
        assert elsewhere.connect_ex(("127.0.0.2", port)) != 0


def test_a_service_serves_them_where_its_settings_say_so(settings: Settings, port: int) -> None:
    with assembled(replace(settings, metrics=MetricsOptions(port))) as service:
        service._say_status()
        samples = read(scrape(port))
        assert value(samples, "qrsd_state", state="starting") == 1
        assert value(samples, "qrsd_samples_total") == 0
    with assembled(settings), pytest.raises(OSError, match="refused"):
        scrape(port)


def test_without_the_extra_it_is_said_what_to_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.service.assembly.find_spec", lambda _: None)
    check(settings)  # off: nothing is missed
    with pytest.raises(SettingInvalid, match="pip install prometheus-client") as missing:
        check(replace(settings, metrics=MetricsOptions(9592)))
    assert exit_code(missing.value) == 78


def test_every_metric_is_in_the_documentation_and_no_other() -> None:
    metrics = Metrics("simulated")
    metrics.message(running())
    page = (DOCS / "monitoring.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    told = set(re.findall(r"`(qrsd_\w+)[`{]", "".join(rows)))
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    ends = {"counter": "_total"}
    served = {f"{family.name}{ends.get(family.type, '')}" for family in families}
    assert told == {name for name in served if name.startswith("qrsd_") and "_created" not in name}
    for word in (*get_args(IdentityState), *get_args(ServiceState), *get_args(ContactState)):
        assert f"`{word}`" in page


def test_the_dashboard_asks_for_metrics_that_are_there() -> None:
    metrics = Metrics("simulated")
    metrics.message(running())
    there = set(re.findall(r"^# TYPE (\w+)", generate_latest(metrics.registry).decode(), re.M))
    panels = json.loads((DOCS / "grafana.json").read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]

    names = set(re.findall(r"qrsd_\w+", " ".join(asked)))

    assert {name.removesuffix("_bucket") for name in names} <= there
    assert len(names) > 10


def test_the_port_is_off_unless_set_and_checked_if_it_is() -> None:
    assert load(environment={}).settings.metrics.port is None
    assert load(environment={"QRSD_METRICS_PORT": "9592"}).settings.metrics.port == 9592
    with pytest.raises(SettingInvalid, match=r"metrics\.port: 70000 is not between 1 and 65535"):
        load(environment={}, assignments=["metrics.port=70000"])
