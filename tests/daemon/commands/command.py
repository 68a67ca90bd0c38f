"""The command line as tests use it: without the net that turns errors into lines.

A service for it to ask is here too.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import zmq

from daemon.__main__ import build_parser
from daemon.wire.control import Command, ControlServer
from tests.daemon.background import repeating


def parse(*arguments: object) -> Namespace:
    """Read a command line."""
    texts = [str(argument) for argument in arguments]
    return build_parser(texts).parse_args(texts)


def qrsd(*arguments: object) -> int:
    """Run a command, and let its errors through."""
    args = parse(*arguments)
    return int(args.run(args))


@contextmanager
def serving(folder: Path, commands: Mapping[str, Command]) -> Iterator[None]:
    """Answer on the control socket, as the service would."""
    with (
        zmq.Context() as context,
        ControlServer(context, f"ipc://{folder}/control.ipc", commands) as server,
        repeating(lambda: server.socket.poll(10) and server.answer()),
    ):
        yield
