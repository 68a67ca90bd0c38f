"""``qrsd demo``: the whole service against a simulated chip, in two minutes."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from daemon.apps.demo import Director, Outcome
from daemon.apps.demo_plan import ENROL_HEARTS, ENROL_PEOPLE, Act, people_of, plan, synthetic_hearts
from daemon.apps.errors import ServiceStopped
from daemon.apps.watch import show_lines, show_live
from daemon.commands.parts import describe
from daemon.offline.results import make_folder, require_report_extras
from daemon.tables import filled
from daemon.terminal import plain
from daemon.wire.client import Control, Item, Silent, Subscriber
from daemon.wire.messages import (
    AlarmMessage,
    EcgMessage,
    IdentityMessage,
    Received,
    RhythmMessage,
    StatusMessage,
)

SHOWN = (StatusMessage, IdentityMessage, EcgMessage, RhythmMessage, AlarmMessage)
TOPICS = tuple(message.TOPIC for message in SHOWN)
SILENT_AFTER_S = 2.0
MANY_LOST = 100  # samples: chance loses a few
GIVE_UP_S = 20.0
STOP_S = 5.0
PAGE, PAGE_S = "The page is at", 15.0
SETTINGS, REPORT = "qrsd.yaml", "report.html"

DEMO = """\
The whole service runs against a simulated chip: two people are enrolled and recognised, a stranger
is not, and nobody is anybody once an electrode falls off. At the end each second beat of a heart is
one of the ventricles, which alarms. qrsd is not a medical device.

Meanwhile it can be watched in a browser, at the address that is printed first.

It leaves nothing behind but what --report asks for. The exit code is 1 if somebody was taken for
somebody else or was not recognised, if an alarm did not come, or came for nothing.

examples:
  qrsd demo
  qrsd demo --report shown     (shown/report.html, and the recording that it is on)
  qrsd demo --data ecg-id      (a folder for each person with two WFDB records or more)"""


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd demo``."""
    describe(parser, DEMO)
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="play these recordings, not synthetic hearts"
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FOLDER",
        help="record all of it, and leave the recording and a report on it in this folder",
    )
    parser.add_argument("--no-web", action="store_true", help="without the page for the browser")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play the plan and tell how it went: 0 if all was right, else 1."""
    if args.data is None:
        acts = plan(synthetic_hearts(), ENROL_HEARTS)
    else:
        acts = plan(people_of(args.data), ENROL_PEOPLE)
    for number in (signal.SIGTERM, signal.SIGHUP):  # tidy up as after Ctrl-C
        signal.signal(number, signal.default_int_handler)
    console = Console()
    if args.report is not None:
        require_report_extras(pdf=False)
        make_folder(args.report, "another folder")
    with tempfile.TemporaryDirectory(prefix="qrsd-demo-") as folder:
        with nullcontext() if args.no_web else _page(Path(folder), args.report):
            outcomes = _play(acts, Path(folder), console, args.report)
        if args.report is not None:
            _report(Path(folder), args.report)
    console.print(summary(outcomes))
    wrong = sum(not outcome.right for outcome in outcomes)
    console.print(f"{len(outcomes) - wrong} of {len(outcomes)} as it should be.")
    lost = sum(outcome.lost for outcome in outcomes)
    if lost > MANY_LOST:
        console.print(
            f"This machine lost {lost} samples: it was too busy to read each within 4 ms. Wrong or "
            "late answers come of that; end other programs and try again."
        )
    if args.report is not None:
        print(plain(f"The report on it, with the recording beside it: {args.report / REPORT}"))
    return 1 if wrong else 0


def _play(
    acts: list[Act], folder: Path, console: Console, recordings: Path | None
) -> list[Outcome]:
    """Play, and record if there is a folder for recordings."""
    settings = folder / SETTINGS
    settings.write_text(json.dumps(settings_for(acts, folder)))
    with (
        _running(folder, "run", "--settings", settings) as service,
        nullcontext() if recordings is None else _recorder(folder, recordings),
        Control(f"ipc://{folder}/control.ipc") as control,
        Subscriber(f"ipc://{folder}/messages.ipc", TOPICS, SILENT_AFTER_S) as subscriber,
    ):
        director = Director(acts, control.request)
        items = _until_the_end(subscriber, director, service, folder)
        if console.is_terminal:
            show_live(items, console, director.note)
        else:
            show_lines(items, sys.stdout)
    return director.outcomes


def _until_the_end(
    subscriber: Subscriber, director: Director, service: subprocess.Popen[bytes], folder: Path
) -> Iterator[Item]:
    """Pass on what is heard, through the director, until the play is over."""
    for item in subscriber:
        director.take(item)
        yield item
        match item:
            case Received(message=StatusMessage(state="ended")):
                return
            case Silent(seconds) if service.poll() is not None or seconds > GIVE_UP_S:
                raise ServiceStopped(
                    f"The service stopped early: {_last_words(folder, 'run')}", service.poll()
                )


@contextmanager
def _page(folder: Path, recordings: Path | None) -> Iterator[None]:
    """Serve the page, and say where it is; where its packages are missing, say so."""
    shown = {"QRSD_RECORD_FOLDER": str(recordings)} if recordings else {}
    shown |= {"QRSD_CONNECT_MESSAGES": f"ipc://{folder}/messages.ipc"}
    with _running(folder, "web", "--port", "0", **shown) as server:
        end_s = time.monotonic() + PAGE_S
        while not (said := _last_words(folder, "web")).startswith(PAGE):
            if server.poll() is not None or time.monotonic() > end_s:
                said = f"There is no page: {said}"
                break
            time.sleep(0.05)
        print(plain(said), flush=True)
        yield


def _recorder(folder: Path, recordings: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    address = f"--address=ipc://{folder}/messages.ipc"
    return _running(folder, "record", "--folder", recordings, "--format", "bdf", address)


def _report(folder: Path, recordings: Path) -> None:
    """Write the report on the newest recording."""
    newest = max(recordings.glob("*.bdf"), key=lambda path: path.stat().st_mtime, default=None)
    if newest is None:
        raise ServiceStopped(f"Nothing was recorded: {_last_words(folder, 'record')}", None)
    gallery = folder / "simulated.sqlite"
    asked = ("--who", "--gallery", gallery, "--out", recordings / REPORT)
    with _running(folder, "report", newest, *asked) as reporter:
        if code := reporter.wait():
            raise ServiceStopped(f"No report: {_last_words(folder, 'report')}", code)


@contextmanager
def _running(
    folder: Path, *command: str | Path, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of qrsd's with state and sockets of its own, and what it says in a file."""
    others = {name: text for name, text in os.environ.items() if not name.startswith("QRSD_")}
    own = {"STATE_DIRECTORY": str(folder), "RUNTIME_DIRECTORY": str(folder)}
    environment = {**others, **own, **settings}
    with (folder / f"{command[0]}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "daemon", *command],
            stdout=log,
            stderr=log,
            env=environment,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def settings_for(acts: list[Act], folder: Path) -> dict[str, object]:
    """Return the settings of a service that plays the acts."""
    play = [act.play for act in acts]
    return {
        "device": "demo",
        "publish": {"addresses": [f"ipc://{folder}/messages.ipc"]},
        "source": "simulated",
        "simulated": {"play": play, "repeat": False},
        "rhythm": {"alarms": True},
    }


def summary(outcomes: list[Outcome]) -> Table:
    """Draw what was shown, what was said, when, and whether it was right."""
    rows = (
        (
            outcome.act.title,
            ", then ".join(words(*decision) for decision in outcome.said) or "nothing",
            "" if outcome.after_s is None else f"{outcome.after_s:.1f} s",
            str(outcome.beats or ""),
            str(outcome.lost),
            Text("right", "green") if outcome.right else Text("wrong", "bold red"),
        )
        for outcome in outcomes
    )
    headings = ("shown", "said", "after", "beats", "lost samples", "")
    caution = next((outcome.caution for outcome in outcomes if outcome.caution), None)
    return filled("What the service said", headings, rows, caution, words=2)


def words(state: str, person: str | None) -> str:
    """Put a decision into words."""
    match state:
        case "accepted":
            return str(person)
        case "no_contact":
            return "nobody"
        case _:
            return state


def _last_words(folder: Path, command: str) -> str:
    lines = (folder / f"{command}.log").read_text(errors="replace").splitlines()
    return lines[-1].removeprefix("qrsd: ") if lines else "it said nothing"
