"""``qrsd run`` and ``qrsd selftest``: the service itself, and a look at the board."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from config.errors import SettingInvalid
from config.folders import control_address, gallery_path
from config.settings import Loaded, Settings, load
from daemon.commands.parts import add_identity, describe, identity_of
from daemon.journal import JournalHandler, PrefixFormatter, is_the_journal

RUN = """\
Settings come from /etc/qrsd/qrsd.yaml (or --settings), QRSD_... in the environment and --set. With
--simulated no settings and no hardware are needed: two synthetic hearts take turns.

examples:
  qrsd run --simulated
  qrsd run --simulated --play ecg-id/Person_01/rec_1 ecg-id/Person_02/rec_1
  qrsd run --simulated --play bench.bdf --signal ECG      (bit for bit what qrsd record heard)
  qrsd run --set chip.gain=4"""

SELFTEST = """\
Stop the service first (systemctl stop qrsd): only one can have the chip. docs/hardware.md says what
each line means. The exit code is 0 if everything is fine, else 1.

examples:
  qrsd selftest
  qrsd selftest --simulated --json"""

PAUSE_S = 3.0


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd run``."""
    describe(parser, RUN)
    add_settings(parser)
    parser.add_argument(
        "--play", nargs="+", metavar="RECORD", help="with --simulated: recordings, one by one"
    )
    parser.add_argument(
        "--signal", default="0", help="name or number of the recordings' signal (%(default)s)"
    )
    add_identity(parser)
    parser.add_argument("--once", action="store_true", help="end after the last recording")
    parser.set_defaults(run=run)


def add_selftest(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd selftest``."""
    describe(parser, SELFTEST)
    add_settings(parser)
    parser.add_argument("--json", action="store_true", help="print the lines as JSON")
    parser.set_defaults(run=run_selftest)


def run(args: argparse.Namespace) -> int:
    """Run the service until it is stopped."""
    from daemon.service.assembly import assembled

    settings = settings_of(args)
    start_logging(settings)
    with assembled(settings) as service:
        if sys.stderr.isatty():
            _tell_what_next(settings)
        service.run()
    return 0


def _tell_what_next(settings: Settings) -> None:
    simulated = settings.source == "simulated"
    chip = "the simulated chip" if simulated else "the chip"
    print(
        f"qrsd is ready to read {chip}. Messages: {' '.join(settings.publish.addresses)}; "
        f"commands: {control_address()}; people: {gallery_path(simulated=simulated)}\n"
        "Try in another terminal: qrsd watch, qrsd enroll NAME, qrsd people list. Ctrl-C ends it.",
        file=sys.stderr,
    )


def run_selftest(args: argparse.Namespace) -> int:
    """Run the self tests and print a line for each."""
    from rich.console import Console
    from rich.text import Text

    from daemon.acquisition.sources import open_source
    from daemon.tables import filled
    from drivers.ads1292r import Ads1292r

    settings = settings_of(args)
    with closing(open_source(settings, paced=False).board) as board:
        chip = Ads1292r(board, settings.chip)
        setup = chip.power_up()
        lines = chip.self_test()
    if args.json:
        print(json.dumps({"chip": asdict(setup), "tests": [asdict(line) for line in lines]}))
    else:
        title = f"{setup.part}{' SIMULATED' if setup.simulated else ''}"
        rows = (
            (
                line.name,
                f"{line.measured:.6g} {line.unit}",
                line.expected,
                Text("fine", "green") if line.passed else Text(line.advice, "bold red"),
            )
            for line in lines
        )
        Console().print(filled(title, ("test", "measured", "expected", ""), rows, words=4))
    return 0 if all(line.passed for line in lines) else 1


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings that the command line asks for."""
    settings = loaded_by(args).settings
    for flag in ("play", "once"):
        if getattr(args, flag, False) and settings.source != "simulated":
            raise SettingInvalid(f"--{flag} is for the simulated chip: add --simulated")
    return settings


def loaded_by(args: argparse.Namespace) -> Loaded:
    """Load the settings with what the command line has to say."""
    return load(args.settings, assignments=[*_assignments(args), *args.set])


def _assignments(args: argparse.Namespace) -> Iterator[str]:
    """Turn the short flags into the settings that they stand for."""
    if args.simulated:
        yield "source=simulated"
    if getattr(args, "once", False):
        yield "simulated.repeat=false"
    if played := getattr(args, "play", None):
        identity = identity_of(args, played)
        reading = {"signal": args.signal, "identity": str(identity.resolve()) if identity else None}
        entries = [{"record": os.path.abspath(path), **reading} for path in played]
        pauses = [{"pause": PAUSE_S}] * len(entries)
        both = [part for pair in zip(entries, pauses, strict=True) for part in pair]
        play = json.dumps(both if len(entries) > 1 else entries, ensure_ascii=False)
        yield f"simulated.play={play}"
        if all(_is_of_qrsd(path, identity) for path in played):
            yield "simulated.chip.noise=0"  # a chip's own codes have it already


def _is_of_qrsd(record: str, identity: Path | None) -> bool:
    from daemon.recordings.errors import RecordingError
    from daemon.recordings.origin import origin  # takes long to import, and a chip needs none

    try:
        return origin(record, identity).source is not None
    except (RecordingError, OSError):  # which is said once it is to be played
        return False


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the flags that :func:`loaded_by` reads."""
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="one setting: chip.gain=4"
    )
    parser.add_argument("--simulated", action="store_true", help="use the simulated chip")


def start_logging(settings: Settings) -> None:
    """Log to stderr with the time, or to journald with fields where stderr goes there."""
    logging.basicConfig(level=logging.INFO, handlers=[_log_handler(settings)])


def _log_handler(settings: Settings) -> logging.Handler:
    to_stderr = logging.StreamHandler(sys.stderr)
    if not is_the_journal(sys.stderr):
        to_stderr.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        return to_stderr
    try:
        return JournalHandler({"QRSD_SOURCE": settings.source})
    except OSError:  # stderr reaches journald, its socket does not
        to_stderr.setFormatter(PrefixFormatter())
        return to_stderr
