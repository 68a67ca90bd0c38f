"""``qrsd notify`` as a process of its own, between a service and a server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from daemon.wire.messages import AlarmMessage
from model.opening import DEFAULT_MODEL
from model.rhythm import CAUTION
from tests.daemon.apps.made_up_service import Service
from tests.daemon.apps.speaking import speaking
from tests.daemon.background import wait_for
from tests.daemon.chat_server import chat_server, saying
from tests.daemon.running import PATIENCE_S, environment, qrsd, running
from tests.dsp.heartbeats import ecg

MAIL = {
    "QRSD_NOTIFY_EMAIL_SERVER": "127.0.0.1",
    "QRSD_NOTIFY_EMAIL_PORT": "1",  # where nobody listens
    "QRSD_NOTIFY_EMAIL_TLS": "none",
    "QRSD_NOTIFY_EMAIL_SENDER": "qrsd@example.org",
    "QRSD_NOTIFY_EMAIL_TO": "[ada@example.org]",
}


def alarming(folder: Path) -> AbstractContextManager[None]:
    """Say ten times a second who it is, and that there was a pause."""
    made_up = Service()
    alarm = made_up.alarm("pause", 0, 500)
    return speaking(folder, [made_up.status(), made_up.accepts("Zacharias"), alarm], {})


@contextmanager
def notifying(folder: Path, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run ``qrsd notify`` until SIGTERM, which is how it should end."""
    address = f"['ipc://{folder}/messages.ipc']"
    process = subprocess.Popen(
        [sys.executable, "-m", "daemon", "notify", *arguments],
        env=environment(folder) | {"QRSD_PUBLISH_ADDRESSES": address} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def test_an_alarm_reaches_the_webhook_and_names_nobody(tmp_path: Path) -> None:
    with chat_server(saying(b"")) as server, alarming(tmp_path):
        with notifying(tmp_path, QRSD_NOTIFY_WEBHOOK_URL=server.url) as process:
            wait_for(lambda: bool(server.bodies))
        assert process.returncode == 0
    [body] = server.bodies
    sent = json.loads(body)
    assert (sent["kind"], sent["phase"], sent["device"]) == ("pause", "happened", "bench")
    assert (sent["source"], sent["end_utc"]) == ("simulated", "2026-11-28T10:00:02.000Z")
    assert b"Zacharias" not in body


@pytest.mark.realtime
def test_a_pause_of_a_heart_comes_through_the_service_to_the_webhook(tmp_path: Path) -> None:
    beats_s = [*(1 + 0.8 * np.arange(15)), *(15.2 + 0.8 * np.arange(10))]
    pause_s = beats_s[15] - beats_s[14]
    places = [round(250 * at_s) for at_s in beats_s]
    ecg_mv = ecg(places, 24 * 250) + np.random.default_rng(1).normal(0, 0.01, 24 * 250)
    rows = [f"{4 * at}, {mv:.4f}" for at, mv in enumerate(ecg_mv.tolist())]
    heart = tmp_path / "heart.csv"
    heart.write_text("\n".join(["timestamp, ECG mV", *rows]))
    alarming_run = ("--play", str(heart), "--set=rhythm.alarms=true")
    with (
        chat_server(saying(b"")) as server,
        notifying(tmp_path, QRSD_NOTIFY_WEBHOOK_URL=server.url),
        running(tmp_path, DEFAULT_MODEL, *alarming_run) as service,
    ):
        service.hear(lambda message: isinstance(message, AlarmMessage) and message.end is not None)
        wait_for(lambda: len(server.bodies) > 1)
    begins, ends = map(json.loads, server.bodies[:2])
    assert [(each["kind"], each["phase"]) for each in (begins, ends)] == [
        ("pause", "begins"),
        ("pause", "ends"),
    ]
    onset, end = (datetime.fromisoformat(ends[name]) for name in ("onset_utc", "end_utc"))
    assert (end - onset).total_seconds() == pytest.approx(pause_s, abs=0.2)
    assert ends["caution"] == CAUTION


def test_a_name_is_sent_where_that_is_set_and_never_logged(tmp_path: Path) -> None:
    settings = {"QRSD_NOTIFY_NAMES": "true", "QRSD_NOTIFY_EVERY_S": "0"}
    with chat_server(saying(b"")) as server, alarming(tmp_path):
        settings["QRSD_NOTIFY_WEBHOOK_URL"] = server.url
        with notifying(tmp_path, **settings) as process:
            wait_for(lambda: any(b"Zacharias" in body for body in server.bodies))
            process.send_signal(signal.SIGTERM)
            stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert "pause happened is sent" in stderr
    assert "Zacharias" not in stdout + stderr


def test_a_dead_mail_server_does_not_keep_the_webhook_waiting(tmp_path: Path) -> None:
    with chat_server(saying(b"")) as server, alarming(tmp_path):
        settings = MAIL | {"QRSD_NOTIFY_WEBHOOK_URL": server.url}
        with notifying(tmp_path, **settings) as process:
            wait_for(lambda: bool(server.bodies))
            process.send_signal(signal.SIGTERM)
            _, stderr = process.communicate(timeout=PATIENCE_S)
    assert "email 127.0.0.1:1 cannot be reached: Connection refused; it is tried again" in stderr
    assert "email 127.0.0.1:1: pause is not sent: qrsd notify is ending" in stderr
    assert process.returncode == 0


def test_a_dry_run_prints_and_needs_no_way(tmp_path: Path) -> None:
    with alarming(tmp_path), notifying(tmp_path, "--dry-run") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while lines[-1] != "}\n":
            lines.append(process.stdout.readline())
    assert json.loads("".join(lines))["kind"] == "pause"
    assert process.returncode == 0


def test_without_a_way_it_says_so_and_is_not_started_again(tmp_path: Path) -> None:
    said = qrsd(tmp_path, "notify")
    assert said.returncode == 78  # see RestartPreventExitStatus
    assert said.stderr.startswith("qrsd: notify: no way is set, so nothing would be sent: set ")
    assert len(said.stderr.splitlines()) == 1


def test_a_test_message_goes_once_by_each_way_and_says_how_it_went(tmp_path: Path) -> None:
    with chat_server(saying(b"")) as server:
        webhook = {"QRSD_NOTIFY_WEBHOOK_URL": server.url}
        fine = qrsd(tmp_path, "notify", "--test", **webhook)
        one_fails = qrsd(tmp_path, "notify", "--test", **webhook, **MAIL)
    host = server.url.removeprefix("http://").removesuffix("/v1")
    assert (fine.returncode, fine.stdout, fine.stderr) == (0, f"webhook {host}: sent\n", "")
    assert one_fails.returncode == 69
    assert one_fails.stdout.splitlines() == [
        f"webhook {host}: sent",
        "email 127.0.0.1:1 cannot be reached: Connection refused",
    ]
    assert [json.loads(body)["kind"] for body in server.bodies] == ["test", "test"]


@pytest.mark.parametrize(("alarms", "hinted"), [("false", True), ("true", False)])
def test_settings_without_alarms_are_spoken_of(tmp_path: Path, alarms: str, hinted: bool) -> None:
    with (
        alarming(tmp_path),
        notifying(tmp_path, "--dry-run", QRSD_RHYTHM_ALARMS=alarms) as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=PATIENCE_S)
    assert ("so the service tells of no alarms" in stderr) is hinted
