"""Brings what a service says to an MQTT broker, and what the broker is asked for to the service.

The service waits for none of this: a dead or slow broker costs what is older than the newest
``MOST_WAITING`` events, which is counted, and the newest state takes the place of the one before.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

import aiomqtt

from config.mqtt import MqttOptions
from daemon.apps.home_assistant import (
    CANCEL,
    ENROL,
    LONGEST_NAME,
    NAME,
    OFFLINE,
    ONLINE,
    RECORD,
    HomeAssistant,
    Publication,
)
from daemon.background import end
from daemon.errors import DaemonError, words_of
from daemon.journal import event
from daemon.wire.client import Item

MOST_WAITING = 100
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0  # between attempts to connect
KEEPALIVE_S = 30
STEP_S = 10.0  # for each answer of the broker
FAREWELL_S = 2.0
RECORDER_S = 5.0  # how often the recorder is asked
SAID_S = 60.0  # until the same refusal is logged again
LONGEST_COMMAND = 4 * LONGEST_NAME  # bytes

_LOG = logging.getLogger(__name__)
#: What the library logs comes as an exception too, or is of what a broker sends without an end.
_LIBRARY = logging.getLogger(f"{__name__}.library")
_LIBRARY.setLevel(logging.CRITICAL)

Act: TypeAlias = Callable[[str, str], None]


class Waiting:
    """What is to be told, oldest first; of the states only the newest."""

    def __init__(self) -> None:
        self._events: deque[Publication] = deque()
        self._state: Publication | None = None
        self._changed = asyncio.Event()
        self.dropped = 0  # events that nobody was told

    def put(self, publication: Publication) -> None:
        """Add one; the oldest event gives way if there are too many."""
        if publication.is_state:
            self._state = publication
        else:
            if len(self._events) >= MOST_WAITING:
                self._events.popleft()
                self.dropped += 1
            self._events.append(publication)
        self._changed.set()

    async def get(self) -> Publication:
        """Wait for the next."""
        while not (self._events or self._state):
            self._changed.clear()
            await self._changed.wait()
        if self._events:
            return self._events.popleft()
        state, self._state = self._state, None
        assert state is not None
        return state


class _Client(aiomqtt.Client):
    """Passes over messages of topics that are none, which no broker may pass on.

    The library raises an exception where it reads them, and so reads the same one over and over.
    """

    def _on_message(self, *message: Any) -> None:
        with suppress(ValueError):
            super()._on_message(*message)


class MqttBridge:
    """Talks to a broker, over and over, until it is cancelled.

    Args:
        options: the ``mqtt`` section of the settings.
        home: puts it into Home Assistant's words.
        act: carries out a command with its payload, and raises a ``DaemonError`` if it cannot.
        is_recording: asks the recorder; None if there is none.

    Raises:
        KeysError: the password cannot be had.
        SettingInvalid: the authority's certificate cannot be read.
    """

    def __init__(
        self,
        options: MqttOptions,
        home: HomeAssistant,
        act: Act,
        is_recording: Callable[[], bool | None],
    ) -> None:
        self._options = options
        self._home = home
        self._act = act
        self._is_recording = is_recording
        self._waiting = Waiting()
        self._password = options.read_password()
        self._tls = options.tls_context()
        self._name = f"{options.host}:{options.port}"
        self._fails = False
        self._said_until_s: dict[tuple[str, str], float] = {}  # by refused command and code

    def put(self, item: Item) -> None:
        """Take in what was heard next."""
        for publication in self._home.take(item):
            self._waiting.put(publication)

    async def run(self) -> None:
        """Connect and talk, and again after a pause."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                async with self._client() as client:
                    pause_s = FIRST_PAUSE_S
                    await self._talk(client)
            except* (aiomqtt.MqttError, OSError) as group:
                self._failed(group.exceptions[0])
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # not all devices at once
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _client(self) -> aiomqtt.Client:
        return _Client(
            self._options.host,
            self._options.port,
            username=self._options.user or None,
            password=self._password,
            identifier=f"qrsd_{self._home.identifier}",
            will=aiomqtt.Will(self._home.availability, OFFLINE, qos=1, retain=True),
            tls_context=self._tls,
            keepalive=KEEPALIVE_S,
            timeout=STEP_S,
            logger=_LIBRARY,
            max_queued_incoming_messages=MOST_WAITING,
        )

    def _failed(self, error: Exception) -> None:
        if not self._fails:
            self._fails = True
            words = words_of(error)
            what = event("mqtt_fails")
            _LOG.warning("%s: %s; it is tried again", self._name, words, extra=what)

    async def _talk(self, client: aiomqtt.Client) -> None:
        await client.subscribe(f"{self._options.discovery}/status")
        if self._options.control:
            await client.subscribe(self._home.commands, qos=1)
        await self._introduce(client)
        self._fails = False
        lost, self._waiting.dropped = self._waiting.dropped, 0
        what = event("mqtt_connected", dropped=lost or None)
        _LOG.info("%s: connected; %d events were lost before", self._name, lost, extra=what)
        work = [self._listen(client), self._tell(client)]
        work += [self._watch_recorder()] if self._options.control else []
        tasks = [asyncio.create_task(each) for each in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await end(*tasks)
            with suppress(aiomqtt.MqttError, TimeoutError):
                await client.publish(self._home.availability, OFFLINE, 1, True, timeout=FAREWELL_S)
            raise
        await end(*tasks)
        for task in done:
            task.result()

    async def _introduce(self, client: aiomqtt.Client) -> None:
        for each in (self._home.discovery(), self._home.presence(), self._home.state()):
            await client.publish(each.topic, each.payload, qos=1, retain=each.retain)

    async def _tell(self, client: aiomqtt.Client) -> None:
        while True:
            each = await self._waiting.get()
            qos = 0 if each.is_state else 1
            await client.publish(each.topic, each.payload, qos=qos, retain=each.retain)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            words = message.payload if isinstance(message.payload, bytes) else b""
            if message.topic.value == f"{self._options.discovery}/status":
                if words == ONLINE.encode():  # Home Assistant has come (again)
                    await self._introduce(client)
            elif not message.retain:  # a command is for now, not for whoever connects later
                await self._obey(message.topic.value.rpartition("/")[2], words)

    async def _obey(self, command: str, words: bytes) -> None:
        """Carry out a command; what is none is passed over."""
        if command not in (NAME, RECORD, ENROL, CANCEL):
            return
        try:
            text = words[: LONGEST_COMMAND + 1].decode()
            if command == NAME:
                self._home.set_name(text)
            else:
                await asyncio.to_thread(self._act, command, text)
        except (UnicodeDecodeError, DaemonError) as error:
            code = error.code if isinstance(error, DaemonError) else "not_text"
            self._say_refused(command, code)
        self._waiting.put(self._home.state())

    def _say_refused(self, command: str, code: str) -> None:
        """Say the same once a minute at most, however often somebody asks."""
        now_s = time.monotonic()
        if now_s >= self._said_until_s.get((command, code), now_s):
            self._said_until_s[command, code] = now_s + SAID_S
            what = event("mqtt_command_refused", command=command, code=code)
            _LOG.warning("%s: %s is refused: %s", self._name, command, code, extra=what)

    async def _watch_recorder(self) -> None:
        while True:
            self._home.set_recording(await asyncio.to_thread(self._is_recording))
            await asyncio.sleep(RECORDER_S)
