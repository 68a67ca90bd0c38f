"""``qrsd bridge mqtt`` between a service that is made up and Debian's mosquitto."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from daemon.wire.answers import Done, EnrolmentAnswer
from daemon.wire.control import Command
from tests.daemon.apps.made_up_service import Service
from tests.daemon.apps.speaking import speaking
from tests.daemon.background import wait_for
from tests.daemon.certificates import certificate
from tests.daemon.running import PATIENCE_S, environment, qrsd, terminated

USER, PASSWORD = "qrsd", "open sesame"
CONFIG, AVAILABILITY = "homeassistant/device/qrsd_bench/config", "qrsd/bench/availability"
STATE = "qrsd/bench/state"

servers = pytest.mark.servers


class Broker:
    """A mosquitto that asks for a password, over TLS."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if program is None:
            pytest.skip("needs mosquitto: sudo make test-servers")
        self._program = program
        self.certificate, _ = certificate(folder)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        passwords, self._config = folder / "passwords", folder / "mosquitto.conf"
        subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, USER, PASSWORD], check=True)
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\ncertfile {self.certificate}\n"
            f"keyfile {self.certificate}\npassword_file {passwords}\nuser root\n"
            f"persistence true\npersistence_location {folder}/\nautosave_interval 1\n"
        )
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([self._program, "-c", self._config])
        wait_for(self._answers)

    def _answers(self) -> bool:
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE_S)

    @contextmanager
    def listener(self) -> Iterator[Listener]:
        """Connect as another client."""
        listener = Listener()
        listener.client.username_pw_set(USER, PASSWORD)
        listener.client.tls_set(str(self.certificate))
        listener.client.connect("127.0.0.1", self.port)
        listener.client.loop_start()
        try:
            yield listener
        finally:
            listener.client.disconnect()
            listener.client.loop_stop()


class Listener:
    """Hears everything."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, bool]] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_connect = lambda client, *_: client.subscribe("#")
        self.client.on_message = lambda _client, _data, message: self.heard.append(
            (message.topic, message.payload.decode(), message.retain)
        )

    def of(self, topic: str) -> list[str]:
        return [payload for heard, payload, _ in self.heard if heard == topic]

    def states(self) -> list[dict[str, Any]]:
        return [json.loads(each) for each in self.of(STATE)]

    def retained(self) -> set[str]:
        return {topic for topic, _, retained in self.heard if retained}

    def wait(self, topic: str, payload: str = "") -> None:
        """Wait for one more message of a topic, with this in it."""
        before = len(self.of(topic))
        wait_for(lambda: any(payload in each for each in self.of(topic)[before:]))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = Broker(folder)
    try:
        yield broker
    finally:
        broker.stop()


class Asked:
    """The commands of service and recorder, which note what they were asked."""

    def __init__(self) -> None:
        self.noted: list[tuple[object, ...]] = []

    def enroll(self, person: str, beats: int = 16, consent: bool = False) -> EnrolmentAnswer:
        self.noted.append(("enroll", person, consent))
        return EnrolmentAnswer("gathering", person, 0, beats)

    def cancel(self) -> Done:
        self.noted.append(("cancel",))
        return Done()

    @property
    def commands(self) -> dict[str, Command]:
        return {"enroll": self.enroll, "cancel": self.cancel}


@contextmanager
def bridging(
    folder: Path, broker: Broker, asked: Asked | None = None, **settings: str
) -> Iterator[subprocess.Popen[str]]:
    """Run the bridge until SIGTERM, which is how it should end."""
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    given = {
        "QRSD_DEVICE": "bench",
        "QRSD_MQTT_HOST": "127.0.0.1",
        "QRSD_MQTT_PORT": str(broker.port),
        "QRSD_MQTT_AUTHORITY": str(broker.certificate),
        "QRSD_MQTT_USER": USER,
        "QRSD_MQTT_PASSWORD": str(password),
        "QRSD_MQTT_EVERY_S": "1",
    }
    made_up = Service()
    items = [made_up.status(), made_up.accepts("Zacharias")]
    command = [sys.executable, "-m", "daemon", "bridge", "mqtt"]
    command.append(f"--address=ipc://{folder}/messages.ipc")
    with (
        speaking(folder, items, (asked or Asked()).commands),
        (folder / "said").open("w") as said,
        subprocess.Popen(
            command, env=environment(folder) | given | settings, stderr=said, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            status = terminated(process)
    assert status in (0, -signal.SIGKILL), (folder / "said").read_text()


def said(folder: Path) -> str:
    return (folder / "said").read_text()


def test_without_a_broker_it_says_so(tmp_path: Path) -> None:
    done = qrsd(tmp_path, "bridge", "mqtt")

    assert done.returncode == 78
    assert "mqtt.host: no broker is set" in done.stderr


@servers
def test_the_device_comes_with_its_states_and_goes(tmp_path: Path, broker: Broker) -> None:
    with broker.listener() as listener:
        with bridging(tmp_path, broker):
            listener.wait(STATE, "accepted")
        wait_for(lambda: listener.of(AVAILABILITY)[-1] == "offline")

    assert json.loads(listener.of(CONFIG)[0])["dev"]["name"] == "qrsd bench"
    assert "online" in listener.of(AVAILABILITY)
    assert listener.of(AVAILABILITY)[-1] == "offline"
    assert listener.states()[-1]["source"] == "simulated"
    assert "Zacharias" not in str(listener.heard) + said(tmp_path)


@servers
def test_a_bridge_that_dies_is_not_taken_for_one_that_lives(tmp_path: Path, broker: Broker) -> None:
    with broker.listener() as listener, bridging(tmp_path, broker) as process:
        listener.wait(STATE)
        process.kill()
        wait_for(lambda: listener.of(AVAILABILITY)[-1] == "offline")


@servers
def test_three_restarts_of_the_broker_leave_two_retained_messages(
    tmp_path: Path, broker: Broker
) -> None:
    with bridging(tmp_path, broker):
        for _ in range(3):
            with broker.listener() as listener:
                listener.wait(STATE)
            broker.stop()
            broker.start()
        with broker.listener() as listener:
            listener.wait(STATE)

    assert listener.retained() == {CONFIG, AVAILABILITY}
    assert "it is tried again" in said(tmp_path)


@servers
def test_a_broker_that_stands_still_is_waited_for_and_the_newest_is_told(
    tmp_path: Path, broker: Broker
) -> None:
    with broker.listener() as listener, bridging(tmp_path, broker):
        listener.wait(STATE)
        broker.process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        broker.process.send_signal(signal.SIGCONT)
        listener.wait(STATE, "accepted")


@servers
def test_home_assistant_that_starts_anew_is_told_again(tmp_path: Path, broker: Broker) -> None:
    with broker.listener() as listener, bridging(tmp_path, broker):
        listener.wait(STATE)
        listener.client.publish("homeassistant/status", "online")
        listener.wait(CONFIG)


@servers
def test_commands_are_obeyed_where_they_are_allowed(tmp_path: Path, broker: Broker) -> None:
    asked = Asked()

    def press(name: str, payload: str = "PRESS", *, retain: bool = False) -> None:
        topic = f"qrsd/bench/command/{name}"
        listener.client.publish(topic, payload, retain=retain).wait_for_publish()

    with broker.listener() as listener:
        press("cancel", retain=True)  # of yesterday
        with bridging(tmp_path, broker, asked, QRSD_MQTT_CONTROL="true"):
            listener.wait(STATE)
            press("unheard-of")
            press("enrol")  # nobody is named yet
            press("enrol_name", "Ada")
            listener.wait(STATE, "Ada")
            press("enrol")
            wait_for(lambda: ("enroll", "Ada", True) in asked.noted)

    assert [each for each in asked.noted if each[1] != ""] == [("enroll", "Ada", True)]
    assert "Ada" not in said(tmp_path)


@servers
def test_commands_are_not_heard_where_they_are_not_allowed(tmp_path: Path, broker: Broker) -> None:
    asked = Asked()

    with broker.listener() as listener, bridging(tmp_path, broker, asked):
        listener.wait(STATE)
        listener.client.publish("qrsd/bench/command/cancel", "PRESS").wait_for_publish()
        listener.wait(STATE)
        listener.wait(STATE)

    assert asked.noted == []


@servers
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        pytest.param("QRSD_MQTT_AUTHORITY", "/etc/ssl/certs/ca-certificates.crt", id="certificate"),
        pytest.param("QRSD_MQTT_USER", "mallory", id="user"),
    ],
)
def test_a_broker_that_refuses_or_is_another_is_told_nothing(
    tmp_path: Path, broker: Broker, setting: str, value: str
) -> None:
    with broker.listener() as listener, bridging(tmp_path, broker, **{setting: value}):
        wait_for(lambda: "it is tried again" in said(tmp_path))

    assert listener.heard == []


def test_a_pylsl_without_its_library_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "pylsl.py").write_text("raise RuntimeError('no library found.\\n Get it.')")
    done = qrsd(tmp_path, "bridge", "lsl", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (69, "")
    said = "qrsd bridge lsl needs pylsl, which cannot be used here: no library found. Get it."
    assert done.stderr.splitlines()[-1].endswith(said)
