"""A made-up service on real sockets, for programs that listen to it as processes of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import zmq

from daemon.wire.client import Item
from daemon.wire.control import Command, ControlServer
from daemon.wire.messages import Received
from daemon.wire.publisher import Publisher
from tests.daemon.apps.made_up_service import BEGIN
from tests.daemon.background import repeating


@contextmanager
def speaking(
    folder: Path, items: Sequence[Item], commands: Mapping[str, Command]
) -> Iterator[None]:
    """Say the same ten times a second, and answer commands, at sockets in a folder."""
    with (
        zmq.Context() as context,
        Publisher(context, [f"ipc://{folder}/messages.ipc"], "bench", "simulated") as publisher,
        ControlServer(context, f"ipc://{folder}/control.ipc", commands) as control,
    ):

        def step() -> None:
            if publisher.socket.poll(100):
                publisher.welcome()
            control.answer()
            for item in items:
                assert isinstance(item, Received)
                publisher.publish(item.message, BEGIN)

        with repeating(step):
            yield
