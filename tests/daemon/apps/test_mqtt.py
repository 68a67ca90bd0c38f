"""What waits for a broker that is slow or away; and a broker that says what none should."""

from __future__ import annotations

import asyncio
import logging
import struct
from contextlib import suppress

import pytest

from config.mqtt import MqttOptions
from daemon.apps.home_assistant import HomeAssistant, Publication
from daemon.apps.mqtt import MOST_WAITING, MqttBridge, Waiting
from daemon.errors import DaemonError


def all_of(waiting: Waiting, count: int) -> list[str]:
    async def get() -> list[str]:
        return [(await waiting.get()).payload for _ in range(count)]

    return asyncio.run(asyncio.wait_for(get(), 5))


def test_of_states_only_the_newest_is_told_and_events_come_first() -> None:
    waiting = Waiting()
    for number in range(3):
        waiting.put(Publication("state", f"state {number}", is_state=True))
        waiting.put(Publication("event", f"event {number}"))

    assert all_of(waiting, 4) == ["event 0", "event 1", "event 2", "state 2"]
    assert waiting.dropped == 0


def test_the_oldest_events_give_way_and_are_counted() -> None:
    waiting = Waiting()
    for number in range(MOST_WAITING + 3):
        waiting.put(Publication("event", str(number)))

    assert all_of(waiting, MOST_WAITING) == [str(number) for number in range(3, MOST_WAITING + 3)]
    assert waiting.dropped == 3


def packet(kind: int, content: bytes) -> bytes:
    assert len(content) < 16384
    return bytes([kind, len(content) % 128 | 128, len(content) // 128]) + content


def published(topic: bytes, payload: bytes) -> bytes:
    return packet(0x30, struct.pack(">H", len(topic)) + topic + payload)


async def read_packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    [kind] = await reader.readexactly(1)
    length, shift = 0, 0
    while True:
        [part] = await reader.readexactly(1)
        length |= (part & 127) << shift
        shift += 7
        if not part & 128:
            return kind >> 4, await reader.readexactly(length)


async def hear(said: list[bytes], asked: list[str], end: str) -> None:
    """Have the bridge come to a broker that says all this, until it has obeyed the last of it."""

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun = False
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, content = await read_packet(reader)
                if kind == 1:
                    writer.write(packet(0x20, b"\0\0"))
                elif kind == 8:
                    writer.write(packet(0x90, content[:2] + b"\0"))
                elif kind == 3:  # all that it introduces itself with is acknowledged
                    [length] = struct.unpack(">H", content[:2])
                    writer.write(packet(0x40, content[2 + length : 4 + length]))
                    if not begun:
                        begun = True
                        writer.write(b"".join(said))
        writer.close()

    def act(command: str, words: str) -> None:
        asked.append(words)
        raise DaemonError("no")

    server = await asyncio.start_server(broker, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    options = MqttOptions(host="127.0.0.1", port=port, tls="none", control=True)
    bridge = MqttBridge(options, HomeAssistant(options, "door", "1"), act, lambda: None)
    task = asyncio.create_task(bridge.run())
    while end not in asked:
        await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait({task}, timeout=10)
    server.close()


def test_what_no_broker_may_say_is_passed_over_once(caplog: pytest.LogCaptureFixture) -> None:
    home = HomeAssistant(MqttOptions(host="x"), "door", "1")
    commands = home.commands.removesuffix("+").encode()
    topics = (
        b"homeassistant/#",
        b"+",
        b"\xff\xfe",
        b"a\0b",
        b"\xed\xa0\x80",
        commands + b"\x1b[2J",
    )
    said = [published(topic, b"\xff") for topic in topics]
    asked: list[str] = []

    asyncio.run(
        asyncio.wait_for(hear([*said, published(commands + b"record", b"ON")], asked, "ON"), 20)
    )

    assert asked == ["ON"]
    assert [record.levelname for record in caplog.records if record.name != "asyncio"] == [
        "WARNING"
    ]
    assert "record is refused" in caplog.text
    assert "\x1b" not in caplog.text


def test_a_flood_of_a_broker_is_neither_kept_nor_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    commands = HomeAssistant(MqttOptions(host="x"), "door", "1").commands.removesuffix("+").encode()
    flood = [published(commands + b"record", b"OFF") for _ in range(20_000)]
    asked: list[str] = []

    asyncio.run(asyncio.wait_for(hear(flood, asked, "OFF"), 20))

    assert len(asked) < 20_000
    assert caplog.text.count("record is refused") == 1
    assert len(caplog.records) < 5
