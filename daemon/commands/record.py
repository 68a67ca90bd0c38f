"""``qrsd record`` and ``qrsd mark``: files of what the service hears, and words in them."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event

import zmq

from config.errors import SettingInvalid
from config.folders import pseudonym_key_path, recorder_address, recordings_folder
from config.pseudonyms import pseudonym, pseudonym_key
from config.settings import RecordOptions, load
from daemon.apps.record import NothingRecorded, Recorder
from daemon.commands.connection import Connection, add_connection, to_messages
from daemon.commands.parts import describe, duration_s
from daemon.commands.service import start_logging
from daemon.journal import is_the_journal, nameless
from daemon.recordings.bdf_repair import repair_folder
from daemon.recordings.encryption import encrypt_left, recipients
from daemon.recordings.writers import SUFFIXES
from daemon.wire.client import Control, Subscriber
from daemon.wire.control import ControlServer
from daemon.wire.errors import ServiceUnavailable
from daemon.wire.messages import KINDS, EcgMessage

ANSWER_S = 1.0  # a command waits so long at most while the service is silent

RECORD = """\
Both channels as the chip's 24-bit codes, with R peaks, gaps, electrodes that are off, saturation,
identities and markers as annotations; a new file each hour. Ctrl-C ends it. A power cut costs the
last six seconds. Settings: record in /etc/qrsd/qrsd.yaml. See docs/recordings.md.

A recording shows whose heart it is to whoever has a model: keep it as you would the gallery.

examples:
  qrsd record --for 10min
  qrsd record --name bench --format wfdb
  qrsd mark coffee
  sudo systemctl enable --now qrsd-record     (by itself, while somebody wears the electrodes)"""

MARK = """\
examples:
  qrsd mark coffee
  qrsd mark "stood up" """


def add_record(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd record``."""
    describe(parser, RECORD)
    parser.add_argument(
        "--for", type=duration_s, dest="for_s", metavar="TIME", help="end after so long, as 10min"
    )
    parser.add_argument("--name", default="", help="how the files' names begin")
    parser.add_argument("--format", choices=tuple(SUFFIXES), help="of the files (default: bdf)")
    parser.add_argument("--folder", type=Path, help="where to (default: as in the settings)")
    parser.add_argument(
        "--worn", action="store_true", help="only while somebody wears the electrodes"
    )
    add_connection(parser)
    parser.set_defaults(run=run)


def add_mark(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd mark``."""
    describe(parser, MARK)
    parser.add_argument("text", metavar="TEXT", help="what to say of this moment")
    parser.set_defaults(run=run_mark)


def run(args: argparse.Namespace) -> int:
    """Record until Ctrl-C, systemctl stop or the end of the time."""
    service = to_messages(args)
    settings = load().settings
    start_logging(settings)
    options = settings.record
    try:
        options = replace(options, format=args.format) if args.format else options
    except ValueError as error:
        raise SettingInvalid(f"record.{error}") from error
    if args.name and Path(args.name).name != args.name:
        raise SettingInvalid(f"--name: {args.name!r} is no part of a file's name")
    folder = args.folder or Path(options.folder or recordings_folder())
    keys = recipients([options.recipient]) if options.recipient else []
    ended = Event()  # no exception, which would tear a record that is being written
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    if folder.is_dir():
        for done in (*repair_folder(folder), *(encrypt_left(folder, keys) if keys else ())):
            print(
                f"note: {nameless(done) if is_the_journal(sys.stderr) else done}", file=sys.stderr
            )
    recorder = Recorder(
        options,
        folder,
        _name_of(options),
        name=args.name,
        while_worn=args.worn,
        for_s=args.for_s,
        keys=keys,
    )
    try:
        with recorder:
            _record(service, recorder, ended)
    finally:
        for file in recorder.files:
            print(nameless(file) if is_the_journal(sys.stdout) else file)
    if not recorder.files and not args.worn:
        raise NothingRecorded("Nothing was recorded: no samples came from the service.")
    return 0


def _name_of(options: RecordOptions) -> Callable[[str], str]:
    if options.names:
        return str
    return partial(pseudonym, key=pseudonym_key(pseudonym_key_path()))


def _record(service: Connection, recorder: Recorder, ended: Event) -> None:
    topics = [topic for topic in KINDS if topic != EcgMessage.TOPIC]
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with (
        context,
        ControlServer(context, recorder_address(), recorder.commands) as control,
        Subscriber(service.address, topics, ANSWER_S, service.keys) as subscriber,
    ):
        for item in subscriber:
            recorder.take(item)
            control.answer()
            if recorder.is_done or ended.is_set():
                return


def run_mark(args: argparse.Namespace) -> int:
    """Put a marker into the recording."""
    try:
        with Control(recorder_address()) as control:
            marked = control.request("mark", text=args.text)
    except ServiceUnavailable as error:
        raise ServiceUnavailable(
            "Nothing is being recorded on this machine: qrsd record, or systemctl start qrsd-record"
        ) from error
    print(f"{marked['file']}, after {marked['seconds']:.0f} s: marked")
    return 0
