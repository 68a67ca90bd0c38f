"""The command line as tests use it: without the net that turns errors into lines."""

from __future__ import annotations

from argparse import Namespace

from daemon.__main__ import build_parser


def parse(*arguments: object) -> Namespace:
    """Read a command line."""
    texts = [str(argument) for argument in arguments]
    return build_parser(texts).parse_args(texts)


def qrsd(*arguments: object) -> int:
    """Run a command, and let its errors through."""
    args = parse(*arguments)
    return int(args.run(args))
