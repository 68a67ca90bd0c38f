"""``qrsd bridge``: what the service says, brought to programs of others."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from threading import Event
from typing import Any

from config.errors import SettingInvalid
from config.folders import control_address, recorder_address
from config.settings import load
from daemon.apps import figures
from daemon.apps.home_assistant import ENROL, RECORD, HomeAssistant
from daemon.apps.influx import Lines, write
from daemon.background import end, started
from daemon.commands.connection import Connection, add_connection, to_messages
from daemon.commands.parts import add_part, describe
from daemon.commands.service import start_logging
from daemon.errors import DaemonError, import_extra
from daemon.journal import event
from daemon.wire.client import Control, Item, Subscriber

END_S = 5.0  # for a bridge to say good-bye
LISTEN_S = 1.0  # how often it is looked whether to end while the service is silent

BRIDGE = """\
A process of its own for each: the service waits for none of them. See docs/home-assistant.md and
docs/lsl.md.

examples:
  qrsd bridge mqtt
  qrsd bridge lsl
  qrsd bridge influx
  sudo systemctl enable --now qrsd-mqtt"""

MQTT = """\
Bring heart rate, breathing, identity and rhythm to an MQTT broker, for Home Assistant.

The broker and what it may be told stand under mqtt in /etc/qrsd/qrsd.yaml; no broker is told
anything unless mqtt.host is set. Home Assistant shows the device by itself. No waveform is told,
and no name unless mqtt.names is set. Ctrl-C ends it. See docs/home-assistant.md.

Not a medical device, not for diagnosis.

examples:
  qrsd bridge mqtt
  qrsd bridge mqtt --print                    (print what would be told, and connect to no broker)
  sudo systemctl enable --now qrsd-mqtt"""

INFLUX = """\
Write heart rate, breathing, identity and rhythm to InfluxDB, or what takes its line protocol.

The server and what it may be told stand under influx in /etc/qrsd/qrsd.yaml; nothing is written
unless influx.url is set. No waveform is told, and no name unless influx.names is set. Ctrl-C ends
it. See docs/monitoring.md.

examples:
  QRSD_INFLUX_URL=http://127.0.0.1:8086 qrsd bridge influx"""

LSL = """\
Stream both channels and markers by Lab Streaming Layer, for LabRecorder and the like.

Stamps are those of the samples, by LSL's clock. Settings: lsl in /etc/qrsd/qrsd.yaml. Lab Streaming
Layer has no keys: whoever reaches this machine's ports can read the ECG. Ctrl-C ends it. See
docs/lsl.md.

examples:
  qrsd bridge lsl
  QRSD_LSL_SCOPE=link qrsd bridge lsl         (offered to the network, not to this machine only)"""

_LOG = logging.getLogger(__name__)


def add_bridge(parser: argparse.ArgumentParser) -> None:
    """Add the bridges."""
    describe(parser, BRIDGE)
    parts = parser.add_subparsers(required=True, metavar="TO")
    mqtt = add_part(parts, "mqtt", MQTT)
    mqtt.add_argument("--print", action="store_true", help="print instead of telling a broker")
    add_connection(mqtt)
    mqtt.set_defaults(run=run_mqtt)
    influx = add_part(parts, "influx", INFLUX)
    add_connection(influx)
    influx.set_defaults(run=run_influx)
    lsl = add_part(parts, "lsl", LSL)
    add_connection(lsl)
    lsl.set_defaults(run=run_lsl)


def run_mqtt(args: argparse.Namespace) -> int:
    """Tell a broker until Ctrl-C or systemctl stop."""
    service = to_messages(args)
    settings = load().settings
    options = settings.mqtt
    home = HomeAssistant(options, settings.device or socket.gethostname(), version("qrsd"))
    if args.print:
        _print(service, home)
        return 0
    if not options.host:
        raise SettingInvalid(
            "mqtt.host: no broker is set, so nobody would be told anything: set it, or look with "
            "--print; docs/home-assistant.md tells it from the beginning"
        )
    start_logging(settings)
    if options.tls == "none":
        _LOG.warning(
            "mqtt.tls is none: figures and password can be read on the way to %s",
            options.host,
            extra=event("mqtt_in_clear"),
        )
    import_extra("aiomqtt", "mqtt", "qrsd bridge mqtt")
    from daemon.apps.mqtt import MqttBridge

    bridge = MqttBridge(options, home, lambda *asked: _act(home, *asked), _is_recording)
    asyncio.run(until_ended(service, figures.TOPICS, bridge.put, bridge.run))
    return 0


def run_influx(args: argparse.Namespace) -> int:
    """Write until Ctrl-C or systemctl stop."""
    service = to_messages(args)
    settings = load().settings
    if not settings.influx.url:
        raise SettingInvalid(
            "influx.url: no server is set, so nothing would be written: docs/monitoring.md"
        )
    start_logging(settings)
    token = settings.influx.read_token()
    lines = Lines(settings.influx, settings.device or socket.gethostname())
    ended = Event()

    async def run() -> None:
        writing = started(lambda: write(settings.influx, lines, token, ended.wait))
        try:
            await asyncio.wrap_future(writing)
        finally:
            ended.set()

    asyncio.run(until_ended(service, figures.TOPICS, lines.put, run))
    return 0


def run_lsl(args: argparse.Namespace) -> int:
    """Stream until Ctrl-C or systemctl stop."""
    service = to_messages(args)
    settings = load().settings
    start_logging(settings)
    import_extra("pylsl", "lsl", "qrsd bridge lsl")
    from daemon.apps.lsl import TOPICS, LslBridge, set_up

    set_up(settings.lsl)
    bridge = LslBridge(settings.lsl, settings.device or socket.gethostname())
    asyncio.run(until_ended(service, TOPICS, bridge.take, _for_ever))
    return 0


def _print(service: Connection, home: HomeAssistant) -> None:
    print(home.discovery().topic, home.discovery().payload, flush=True)
    with Subscriber(service.address, figures.TOPICS, LISTEN_S, service.keys) as subscriber:
        for item in subscriber:
            for publication in home.take(item):
                print(publication.topic, publication.payload, flush=True)


async def until_ended(
    service: Connection,
    topics: tuple[str, ...],
    put: Callable[[Item], None],
    run: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    """Listen in a thread and run a bridge, until a signal or an error ends one of them."""
    loop = asyncio.get_running_loop()
    ended = Event()

    def listen() -> None:
        with Subscriber(service.address, topics, LISTEN_S, service.keys) as subscriber:
            for item in subscriber:
                if ended.is_set():
                    return
                loop.call_soon_threadsafe(put, item)

    bridge = loop.create_task(run())
    told = loop.create_task(_told_to_end())
    listening = asyncio.wrap_future(started(listen))
    try:
        done, _ = await asyncio.wait({bridge, listening, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended.set()
        await end(bridge, patience_s=END_S)
    for task in done:
        if not task.cancelled():
            task.result()


async def _told_to_end() -> None:
    """Wait for SIGTERM or SIGINT."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


def _act(home: HomeAssistant, command: str, text: str) -> None:
    """Carry out a command that came from a broker.

    Raises:
        DaemonError: the service or the recorder refuses it, or is not there.
    """
    if command == RECORD:
        with Control(recorder_address()) as control:
            control.request("start" if text == "ON" else "stop")
        return
    with Control(control_address()) as control:
        if command == ENROL:
            control.request("enroll", person=home.name, consent=True)
            home.set_name("")
        else:
            control.request("cancel")


def _is_recording() -> bool | None:
    try:
        with Control(recorder_address(), timeout_s=LISTEN_S) as control:
            return bool(control.request("state")["state"] == "recording")
    except (DaemonError, KeyError):
        return None
