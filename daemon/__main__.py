"""The ``qrsd`` command: one parser for all subcommands, and the one place that catches errors.

exit code   0 done   1 a check failed   2 wrong usage   65 unreadable data   66 no such input
69 hardware or service not there   70 a bug   73 cannot write   74 the chip failed
75 busy, try again   77 not permitted   78 settings that cannot work   130 Ctrl-C
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from importlib import import_module
from importlib.metadata import version
from traceback import format_tb, print_exc

from daemon.journal import PRIORITIES, is_the_journal

COMMANDS = (
    "service",
    "doctor",
    "watch",
    "enroll",
    "people",
    "keys",
    "records",
    "explain",
    "training",
    "evaluate",
    "benchmark",
    "settings",
    "data",
    "demo",
)

BUG = 70

QRSD = """\
Whose heart is it? qrsd reads an ADS1292R, finds each heartbeat and says whose it is over ZeroMQ.

Without any hardware: qrsd demo"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every subcommand."""
    parser = argparse.ArgumentParser(
        prog="qrsd", description=QRSD, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"qrsd {version('qrsd')}")
    parser.add_argument("--traceback", action="store_true", help="show where an error arose")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        import_module(f"daemon.commands.{name}").add_parsers(subparsers)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand and return its exit code; a user's mistake is one line, not a traceback."""
    args = build_parser().parse_args(arguments)
    try:
        done = int(args.run(args))
        sys.stdout.flush()
        return done
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has had enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        exit_code = getattr(error, "exit_code", None)
        logged = is_the_journal(sys.stderr)
        if args.traceback or (exit_code is None and not logged):
            print_exc()
        elif exit_code is None:
            print(_without_its_message(error), file=sys.stderr)
        else:
            mark = f"<{PRIORITIES[logging.ERROR]}>" if logged else ""
            print(f"{mark}qrsd: {' '.join(str(error).splitlines())}", file=sys.stderr)
        return BUG if exit_code is None else int(exit_code)


def _without_its_message(error: BaseException) -> str:
    """Return the traceback of a bug for the journal, where the message might name somebody."""
    where = "".join(format_tb(error.__traceback__))
    return f"{where}{type(error).__name__}; qrsd --traceback run says more, names perhaps too"


if __name__ == "__main__":
    sys.exit(main())
