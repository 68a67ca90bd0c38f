"""The connection to a site's server, which lets each device do what it may and no more."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from nats.errors import TimeoutError as NoAnswer

from config.errors import KeysError, SettingInvalid
from config.fleet import FleetOptions
from daemon.background import end
from daemon.fleet.buckets import Buckets
from daemon.fleet.credentials import Credentials
from daemon.fleet.errors import FleetUnavailable, ServerTooOld
from daemon.fleet.link import linked
from daemon.fleet.server_config import STREAMS
from daemon.fleet.site import make_streams
from daemon.fleet.site_folder import add_device, credentials_path, make_site, shut_out
from tests.daemon.fleet.nats_server import SITE, NatsServer, serving

servers = pytest.mark.servers


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with serving(tmp_path / "server", "door-1", "door-2") as running:
        yield running


@servers
def test_devices_hear_each_other_and_tell_only_for_themselves(server: NatsServer) -> None:
    async def run() -> list[tuple[str, bytes]]:
        heard = []
        async with linked(server.options("door-1")) as one, linked(server.options("door-2")) as two:
            others = await two.nats.subscribe(f"qrsd.{SITE}.*.digest")
            await two.nats.flush()
            await two.nats.publish(f"qrsd.{SITE}.door-1.digest", b"forged")
            await one.nats.publish(f"qrsd.{SITE}.door-1.digest", b"true")
            heard.append(await others.next_msg(20))
            await one.nats.flush()
            await two.nats.flush()
            assert not others.pending_msgs
        return [(message.subject, message.data) for message in heard]

    assert asyncio.run(run()) == [(f"qrsd.{SITE}.door-1.digest", b"true")]


@servers
def test_a_device_reads_no_answers_of_others_and_no_waves(server: NatsServer) -> None:
    async def run() -> list[bytes]:
        async with (
            linked(server.options("operator")) as operator,
            linked(server.options("door-1")) as door,
        ):
            spied = [
                await door.nats.subscribe(subject)
                for subject in (">", "_INBOX_operator.>", f"qrsd.{SITE}.door-2.wave")
            ]
            own = await door.nats.subscribe(f"qrsd.{SITE}.door-1.lease")
            await door.nats.flush()
            for subject in ("_INBOX_operator.x", f"qrsd.{SITE}.door-2.wave"):
                await operator.nats.publish(subject, b"secret")
            await operator.nats.publish(f"qrsd.{SITE}.door-1.lease", b"for you")
            await operator.nats.flush()
            heard = [(await own.next_msg(20)).data]
            return heard + [(await each.next_msg(0)).data for each in spied if each.pending_msgs]

    assert asyncio.run(run()) == [b"for you"]


@servers
def test_what_a_device_may_keep_is_the_sites_people_and_its_own_answers(server: NatsServer) -> None:
    async def put(bucket: str, key: str) -> bool:
        async with linked(server.options("door-1")) as link:
            await link.bucket(bucket)
            try:
                await link.nats.request(f"$KV.{bucket}.{key}", b"x", timeout=0.5)
            except NoAnswer:
                return False
            return True

    async def run() -> list[bool]:
        return [
            await put(f"people_{SITE}", "abc"),
            await put(f"acks_{SITE}", "abc.door-1"),
            await put(f"acks_{SITE}", "abc.door-2"),
            await put(f"devices_{SITE}", "door-2"),
        ]

    assert asyncio.run(run()) == [True, True, False, False]


@servers
def test_no_stream_is_left_that_a_device_could_make_to_overhear_others(server: NatsServer) -> None:
    async def run() -> list[str]:
        async with linked(server.options("door-1")) as one, linked(server.options("door-2")) as two:
            await Buckets.open(one, simulated=False)
            await make_streams(one)
            said = []
            for stream in STREAMS:
                config = {"name": stream.format(SITE), "subjects": [f"qrsd.{SITE}.*.wave"]}
                subject = f"$JS.API.STREAM.CREATE.{config['name']}"
                answer = await two.nats.request(subject, json.dumps(config).encode(), timeout=20)
                said.append(json.loads(answer.data)["error"]["description"])
            return said

    assert set(asyncio.run(run())) == {"stream name already in use with a different configuration"}


@servers
def test_a_device_says_nothing_elsewhere_by_answering_itself(server: NatsServer) -> None:
    async def run() -> int:
        async with linked(server.options("door-1")) as one, linked(server.options("door-2")) as two:
            asked = await one.nats.subscribe(f"qrsd.{SITE}.door-1.model")
            own = await two.nats.subscribe(f"qrsd.{SITE}.door-2.x")
            await one.nats.flush()
            await two.nats.publish(own.subject, b"", reply=asked.subject)
            await (await own.next_msg(20)).respond(b"forged")
            await two.nats.flush()
            await one.nats.flush()
            return int(asked.pending_msgs)

    assert asyncio.run(run()) == 0


@servers
def test_a_device_that_is_shut_out_is_gone_at_once_and_does_not_come_back(
    server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        options = server.options("door-1")
        credentials = credentials_path(server.folder, SITE, "door-1").read_text()
        async with linked(options) as stolen, linked(server.options("door-2")) as other:
            shut_out(server.folder, SITE, "door-1")
            server.reload()
            while stolen.nats.is_connected:
                await asyncio.sleep(0.01)
            await other.nats.flush()
            assert other.connects == 1
        kept = server.folder / "stolen"
        kept.write_text(credentials)
        kept.chmod(0o600)
        with pytest.raises(FleetUnavailable, match="lets door-1 in"):
            async with linked(replace(options, credentials=str(kept)), 3):
                pass

    asyncio.run(asyncio.wait_for(run(), 20))
    assert caplog.text.count("door-1 is not let in: it may have been shut out") == 1


@servers
def test_it_comes_back_after_the_server_was_killed_and_what_was_acknowledged_is_there(
    server: NatsServer,
) -> None:
    async def run() -> bytes | None:
        async with linked(server.options("door-1")) as link:
            bucket = await link.bucket(f"people_{SITE}")
            await bucket.put("abc", b"acknowledged")
            server.stop(signal.SIGKILL)
            await asyncio.to_thread(server.start)
            while link.connects < 2:
                await asyncio.sleep(0.05)
            return (await bucket.get("abc")).value

    assert asyncio.run(asyncio.wait_for(run(), 30)) == b"acknowledged"


@servers
def test_a_server_that_nobody_vouches_for_is_told_nothing(server: NatsServer) -> None:
    async def run() -> None:
        options = replace(server.options("door-1"), ca="")
        with pytest.raises(FleetUnavailable):
            async with linked(options, 1):
                pass

    asyncio.run(run())


def test_a_network_that_says_the_server_has_no_tls_is_told_nothing(tmp_path: Path) -> None:
    make_site(tmp_path, SITE)
    credentials = str(credentials_path(tmp_path, SITE, "operator"))
    info = {"version": "2.10.27", "max_payload": 1000, "nonce": "x", "headers": True}

    async def connect(options: FleetOptions) -> None:
        async with linked(options):
            pass

    async def run() -> bytes:
        told = asyncio.get_running_loop().create_future()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(f"INFO {json.dumps(info)}\r\n".encode())
            if not told.done():
                told.set_result(await reader.read(1000))
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            options = FleetOptions((f"tls://127.0.0.1:{port}",), SITE, credentials)
            connecting = asyncio.create_task(connect(options))
            try:
                return bytes(await asyncio.wait_for(told, 30))
            finally:
                await end(connecting)

    assert asyncio.run(run()).startswith(b"\x16\x03")  # a handshake of TLS


def test_an_old_server_is_refused_with_what_to_do(tmp_path: Path) -> None:
    make_site(tmp_path, SITE)
    info = {"version": "2.9.10", "max_payload": 1000, "nonce": "x", "headers": True}

    def answer() -> None:
        client, _ = listener.accept()
        with client:
            client.sendall(f"INFO {json.dumps(info)}\r\n".encode())
            while said := client.recv(1000):
                client.sendall(b"PONG\r\n" * said.count(b"PING\r\n"))

    async def run() -> None:
        with pytest.raises(ServerTooOld, match=r"2\.9\.10 .*2\.10\.20 or newer"):
            async with linked(options, 5):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        options = FleetOptions(
            (f"nats://127.0.0.1:{port}",),
            SITE,
            str(credentials_path(tmp_path, SITE, "operator")),
        )
        thread = Thread(target=answer)
        thread.start()
        asyncio.run(run())
        thread.join()


def test_credentials_of_another_site_are_refused(tmp_path: Path) -> None:
    make_site(tmp_path, SITE)
    path = credentials_path(tmp_path, SITE, "operator")
    options = FleetOptions(("nats://127.0.0.1:1",), "barn", str(path))

    async def run() -> None:
        async with linked(options, 1):
            pass

    with pytest.raises(SettingInvalid, match="'barn', and the credentials are of 'house'"):
        asyncio.run(run())


def test_nobody_makes_a_name_of_another(tmp_path: Path) -> None:
    make_site(tmp_path, SITE)
    make_site(tmp_path, "barn")
    add_device(tmp_path, SITE, "door-1")
    own = Credentials.from_text(credentials_path(tmp_path, SITE, "door-1").read_text())

    assert own.name.is_of(SITE, own.authority)
    assert own.name.has_signed(b"x", own.sign(b"x"))
    assert not own.name.has_signed(b"y", own.sign(b"x"))
    assert not replace(own.name, device="door-2").is_of(SITE, own.authority)
    assert not own.name.is_of("barn", own.authority)
    with pytest.raises(KeysError, match="nobody vouches"):
        Credentials.from_text(replace(own, device="door-2").text)
    assert own.seed not in repr(own)
