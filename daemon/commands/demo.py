"""``qrsd demo``: the whole service against a simulated chip, in about a minute."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from daemon.apps.demo import Director, Outcome
from daemon.apps.demo_plan import ENROL_HEARTS, ENROL_PEOPLE, Act, people_of, plan, synthetic_hearts
from daemon.apps.errors import ServiceStopped
from daemon.apps.watch import show_lines, show_live
from daemon.commands.parts import describe
from daemon.tables import filled
from daemon.wire.client import Control, Item, Silent, Subscriber
from daemon.wire.messages import EcgMessage, IdentityMessage, Received, StatusMessage

TOPICS = (StatusMessage.TOPIC, IdentityMessage.TOPIC, EcgMessage.TOPIC)
SILENT_AFTER_S = 2.0
MANY_LOST = 100  # samples: chance loses a few
GIVE_UP_S = 20.0
STOP_S = 5.0

DEMO = """\
The whole service runs against a simulated chip: two people are enrolled and recognised, a stranger
is not, and nobody is anybody once an electrode falls off.

It leaves nothing behind. The exit code is 1 if somebody was taken for somebody else or was not
recognised.

examples:
  qrsd demo
  qrsd demo --data ecg-id      (a folder for each person with two WFDB records or more)"""


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd demo``."""
    describe(parser, DEMO)
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="play these recordings, not synthetic hearts"
    )
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
    with tempfile.TemporaryDirectory(prefix="qrsd-demo-") as folder:
        outcomes = _play(acts, Path(folder), console)
    console.print(summary(outcomes))
    wrong = sum(not outcome.right for outcome in outcomes)
    console.print(f"{len(outcomes) - wrong} of {len(outcomes)} as it should be.")
    lost = sum(outcome.lost for outcome in outcomes)
    if lost > MANY_LOST:
        console.print(
            f"This machine lost {lost} samples: it was too busy to read each within 4 ms. Wrong or "
            "late answers come of that; end other programs and try again."
        )
    return 1 if wrong else 0


def _play(acts: list[Act], folder: Path, console: Console) -> list[Outcome]:
    with (
        _service(acts, folder) as service,
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
                    f"The service stopped early: {_last_words(folder)}", service.poll()
                )


@contextmanager
def _service(acts: list[Act], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service with settings, state and sockets of its own."""
    settings = folder / "qrsd.yaml"
    settings.write_text(json.dumps(settings_for(acts, folder)))
    others = {name: text for name, text in os.environ.items() if not name.startswith("QRSD_")}
    environment = others | {"STATE_DIRECTORY": str(folder), "RUNTIME_DIRECTORY": str(folder)}
    command = [sys.executable, "-P", "-m", "daemon", "run", "--settings", str(settings)]
    with (folder / "log").open("wb") as log:
        service = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        yield service
    finally:
        service.terminate()
        try:
            service.wait(STOP_S)
        except subprocess.TimeoutExpired:
            service.kill()
            service.wait()


def settings_for(acts: list[Act], folder: Path) -> dict[str, object]:
    """Return the settings of a service that plays the acts."""
    play = [act.play for act in acts]
    return {
        "device": "demo",
        "publish": {"addresses": [f"ipc://{folder}/messages.ipc"]},
        "source": "simulated",
        "simulated": {"play": play, "repeat": False},
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
    return filled("What the service said", headings, rows, words=2)


def words(state: str, person: str | None) -> str:
    """Put a decision into words."""
    match state:
        case "accepted":
            return str(person)
        case "no_contact":
            return "nobody"
        case _:
            return state


def _last_words(folder: Path) -> str:
    lines = (folder / "log").read_text(errors="replace").splitlines()
    return lines[-1].removeprefix("qrsd: ") if lines else "it said nothing"
