"""The ``qrsd`` command: one parser for all subcommands, and the one place that catches errors.

Only the subcommand that is asked for is imported, since numpy, ZeroMQ and the rest take a Raspberry
Pi seconds. What an exit code means: ``daemon.commands.exit_codes``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from errno import EBADF, EDQUOT, EFBIG, EIO, ENOSPC
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TextIO

CANNOT_WRITE = 73
NO_ROOM = (ENOSPC, EDQUOT, EFBIG, EIO, EBADF)  # errors of writing to standard output

QRSD = """\
Whose heart is it? qrsd reads an ADS1292R, finds each heartbeat and says whose it is over ZeroMQ.

Without any hardware: qrsd demo"""

#: Each subcommand's module in ``daemon.commands``, whose ``add_NAME`` describes it further, and the
#: first line of its help.
COMMANDS = {
    # the service and the chip
    "run": ("service", "Run the service: read the chip, find heartbeats, say whose heart it is"),
    "selftest": ("service", "Test board and chip: power-up, registers, supply, noise, test signal"),
    "doctor": ("doctor", "Check everything from the settings to the skin, and say what to do"),
    "config": ("settings", "Check and show the settings"),
    "keys": ("keys", "Let other machines listen and command, encrypted, by a list of keys"),
    # what listens to it
    "watch": ("watch", "See who wears the electrodes, heart rate, signal quality and the ECG"),
    "record": ("record", "Record what the service hears into files that survive a power cut"),
    "mark": ("record", "Put a marker into the recording that is being made"),
    "notify": ("notify", "Send alarms to a webhook, by e-mail or as apprise can"),
    "web": ("web", "Serve a page for the browser, and a REST API, of what the service says"),
    "bridge": (
        "bridge",
        "Bring what it says to Home Assistant, Lab Streaming Layer, InfluxDB",
    ),
    "fleet": ("fleet", "Share people with the other devices of a site, and see them all"),
    # people
    "enroll": ("enroll", "Enrol whoever wears the electrodes, or the person of recordings"),
    "people": ("people", "See and change who is enrolled"),
    "calibrate": ("calibrate", "Set thresholds by the people who are enrolled on this device"),
    # recordings
    "identify": ("records", "Say whose heart each recording is, among the enrolled people"),
    "verify": ("records", "Say whether two recordings are one person's; nobody is enrolled"),
    "explain": ("explain", "Show which part of the beat carried the decision"),
    "detect": ("records", "Find the heartbeats of recordings, as the service would"),
    "embed": ("records", "Keep what the network makes of each heartbeat of recordings"),
    "hrv": ("measures", "Measure the heart rate variability of recordings"),
    "intervals": ("measures", "Measure PR, QRS, QT and ST of recordings"),
    "features": ("measures", "Make a table of figures of each heartbeat of recordings"),
    "rhythm": ("rhythm", "Tell the kind of every heartbeat of recordings, and the rhythm"),
    "report": ("report", "Write what the heart of a recording did as a page, PDF or JSON"),
    "convert": ("convert", "Convert a recording to BDF, EDF, WFDB, a table or RR intervals"),
    "digitize": ("digitize", "Make a recording of an ECG on paper: a scan, a photograph, a PDF"),
    "data": ("data", "Get public recordings to train, to measure and to play with"),
    "demo": ("demo", "See it work without any hardware, in about a minute"),
    # models
    "evaluate": ("evaluate", "Measure how well people are known again"),
}
#: Those in ``benchmarks.commands``, which a checkout has and a wheel has not.
FROM_A_CHECKOUT = {
    "train": ("train", "Make a model from recordings, and judge it on people it never saw"),
    "benchmark": ("benchmark", "Measure qrsd against annotated recordings, and against time"),
}
#: Those of ``COMMANDS`` to which ``benchmarks.commands.NAME.add_parts`` adds what a checkout has.
WITH_PARTS_OF_A_CHECKOUT = {"evaluate"}


class Parser(argparse.ArgumentParser):
    """Passes over no output that is full, as argparse does."""

    def _print_message(self, message: str, file: Any = None) -> None:
        (file or sys.stderr).write(message)


class Version(argparse.Action):
    """Prints the version, for which the installed packages are read only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print and end."""
        from importlib.metadata import version

        print(f"qrsd {version('qrsd')}")
        parser.exit()


def build_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of all subcommands, with the options of the one that is asked for."""
    parser = Parser(
        prog="qrsd", description=QRSD, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action=Version, nargs=0, help="show the version")
    parser.add_argument("--traceback", action="store_true", help="show where an error arose")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    asked_for = next((each for each in arguments if not each.startswith("-")), None)
    is_checkout = find_spec("benchmarks") is not None
    commands = COMMANDS | FROM_A_CHECKOUT if is_checkout else COMMANDS
    for name, (module, first_line) in commands.items():
        command = subparsers.add_parser(
            name,
            help=first_line,
            description=f"{first_line}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == asked_for:
            room = "daemon" if name in COMMANDS else "benchmarks"
            parts = getattr(import_module(f"{room}.commands.{module}"), f"add_{name}")(command)
            if is_checkout and name in WITH_PARTS_OF_A_CHECKOUT:
                import_module(f"benchmarks.commands.{name}").add_parts(parts)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit code; a user's mistake is one line, not a traceback."""
    _open_closed_descriptors()
    arguments = sys.argv[1:] if arguments is None else arguments
    args = argparse.Namespace(traceback=False)
    try:
        try:
            args = build_parser(arguments).parse_args(arguments)
            return int(args.run(args))
        finally:  # argparse ends --help itself
            sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has had enough, as `head` has
        _drop(sys.stdout)
        return 0
    except OSError as error:
        if error.errno not in NO_ROOM or error.filename or type(error) is not OSError:
            return _told(error, args)
        _drop(sys.stdout)
        with _as_far_as_stderr_goes():
            print(f"qrsd: the output cannot be written: {error.strerror}", file=sys.stderr)
        return CANNOT_WRITE
    except Exception as error:
        return _told(error, args)


def _told(error: Exception, args: argparse.Namespace) -> int:
    from daemon.commands.exit_codes import exit_code, tell

    with _as_far_as_stderr_goes():
        tell(error, traceback=args.traceback)
    return exit_code(error)


@contextmanager
def _as_far_as_stderr_goes() -> Iterator[None]:
    """Keep the exit code where not even the error can be written."""
    try:
        yield
    except OSError:
        _drop(sys.stderr)


def _open_closed_descriptors() -> None:
    """Put something in the place of what is closed, or the gallery would be opened as stdout.

    What is closed for writing is opened for reading only, so that writing there is an error.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
        elif number and hasattr(stream := getattr(sys, name), "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a letter that its encoding has not


def _drop(stream: TextIO) -> None:
    """Write what is left of a stream nowhere, or Python complains of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
