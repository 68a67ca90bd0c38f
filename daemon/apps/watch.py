"""What a subscriber hears: a live picture, a line for each change, or JSON for scripts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from math import ceil, floor, isnan
from typing import Any, TextIO

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from daemon.apps.braille import DOTS_WIDE, draw, joined
from daemon.apps.scene import RATE_HZ, Scene
from daemon.tables import counted
from daemon.terminal import plain
from daemon.wire.client import Item, Lost, Restarted, Silent
from daemon.wire.codec import encode
from daemon.wire.messages import (
    AlarmMessage,
    EcgMessage,
    IdentityMessage,
    Message,
    Received,
    RhythmMessage,
    Stamp,
    StatusMessage,
    WaveMessage,
)
from daemon.wire.status import EnrolmentStatus
from dsp.options import IN_WORDS

FRAME_S = 0.1
MAX_WIDTH = 110
FRAME_CHARACTERS = 4  # the border and a blank on either side
LINE_ROWS = 9
LINE_SAMPLES = 1500
SCALE_MV = 0.5  # the scale moves in steps, so that the line does not breathe
BAR_WIDTH = 30

COLOURS = {
    "accepted": "green",
    "unknown": "yellow",
    "undecided": "cyan",
    "no_contact": "red",
    "suspect": "red",
}
NOBODY = {
    "accepted": "somebody enrolled",  # of a fleet, which tells no names
    "unknown": "a stranger (unknown)",
    "undecided": "listening … (undecided)",
    "no_contact": "nobody: an electrode is off",
    "suspect": "nobody: played, not alive",
}
CONTACTS = {"on": ("on", "green"), "off": ("OFF", "bold red"), "unknown": ("not known", "dim")}
CLOCKS = {
    "unset": "the clock was never set",
    "stepped": "the clock was set; times are from before until the electrodes are off",
}
NOT_MEASURED = "—"


def show_live(items: Iterable[Item], console: Console, note: Callable[[], str] = str) -> None:
    """Draw what is known ten times a second, with what ``note`` says below, until the items end."""
    scene = Scene()
    drawn_s = 0.0
    with Live(console=console, auto_refresh=False) as live:
        for item in items:
            scene.take(item)
            if time.monotonic() - drawn_s >= FRAME_S:
                drawn_s = time.monotonic()
                live.update(picture(scene, min(console.width, MAX_WIDTH), note()), refresh=True)


def show_lines(items: Iterable[Item], stream: TextIO) -> None:
    """Print one line for each change."""
    before = Scene()
    for item in items:
        news = change(before, item)
        before.take(item)
        if news:
            print(plain(news), file=stream, flush=True)


def show_json(items: Iterable[Item], stream: TextIO) -> None:
    """Print one JSON object for each item, a message's fields as on the wire."""
    for item in items:
        print(json.dumps(as_json(item)), file=stream, flush=True)


def as_json(item: Item) -> dict[str, Any]:
    """Return an item as a JSON object with its kind: a message's topic, or what happened."""
    if not isinstance(item, Received):
        return {"event": type(item).__name__.lower(), **asdict(item)}
    message = item.message
    header = {"topic": message.TOPIC, **json.loads(encode(item.stamp, message)[1])}
    match message:
        case EcgMessage():
            header["ecg_mv"] = [None if isnan(mv) else mv for mv in message.ecg_mv]
        case WaveMessage():
            header["counts"] = message.counts
    return header


def change(before: Scene, item: Item) -> str | None:
    """Say in a line what an item changes, or None if it changes nothing that people look at."""
    match item:
        case Received(stamp, message):
            news = _news(before, stamp, message)
            return news and f"{stamp.utc:%H:%M:%S} {news}"
        case Silent(seconds) if not before.silent_s:
            return f"the service is silent, for {seconds:.0f} s so far"
        case Lost(topic, count):
            return f"{counted(count, f'{topic} message')} did not arrive"
        case Restarted():
            return "the service was restarted"
    return None


def _news(before: Scene, stamp: Stamp, message: Message) -> str | None:
    """Say what a message changes."""
    match message:
        case IdentityMessage() as identity:
            old = before.identity
            if old is None or who(old) != who(identity):
                return f"{who(identity)}{_certainty(identity)}"
        case StatusMessage() as status:
            text = _condition(status)
            if before.status is None or _condition(before.status) != text:
                return f"{text} ({stamp.source})"
        case RhythmMessage(rhythm=name):
            if before.rhythm is None or before.rhythm.rhythm != name:
                return f"rhythm {_words(name)}"
        case AlarmMessage() as alarm:
            return _alarm(alarm)
    return None


def who(identity: IdentityMessage | None) -> str:
    """Say who wears the electrodes."""
    match identity:
        case None:
            return "nothing heard (undecided)"
        case IdentityMessage(hint="too_clean" | "repeated" | "too_regular" as hint):
            wearer = identity.person or NOBODY[identity.state]
            perhaps = "" if identity.state == "suspect" else ", or something played"
            return f"{wearer}{perhaps} ({IN_WORDS[hint]})"
        case IdentityMessage(person=str(person)):
            return person
        case IdentityMessage(hint="electrodes_swapped"):
            return "unknown: the electrodes may be swapped"
        case IdentityMessage(hint="lead_off_contradicted"):
            return "said to be off, but there is an ECG: set chip.lead_off: false"
        case _:
            return NOBODY[identity.state]


def picture(scene: Scene, width: int, note: str = "") -> RenderableType:
    """Draw all that is known, so many characters wide, and a note below if there is one."""
    parts: list[RenderableType] = [_wearer(scene), _facts(scene)]
    if scene.status and scene.status.enrolment:
        parts.append(_enrolment(scene.status.enrolment))
    parts.append(_line(scene, width - FRAME_CHARACTERS))
    if scene.status and scene.status.clock in CLOCKS:
        parts.append(Text(CLOCKS[scene.status.clock], "yellow"))
    if scene.alarm:
        parts.append(Text(plain(_alarm(scene.alarm)), "bold red"))
    if scene.silent_s and scene.stamp:
        parts.append(Text(f"The service has been silent for {scene.silent_s:.0f} s.", "bold red"))
    if scene.lost_messages:
        lost = counted(scene.lost_messages, "message")
        parts.append(Text(f"{lost} did not arrive here.", "yellow"))
    if note:
        parts.append(Text(plain(note), "italic"))
    border = "red" if scene.silent_s else "blue"
    return Panel(Group(*parts), title=_title(scene), title_align="left", width=width, style=border)


def _title(scene: Scene) -> Text:
    if scene.stamp is None:
        return Text("qrsd: waiting for the service")
    title = Text.assemble("qrsd on ", (plain(scene.stamp.device), "bold"))
    if scene.stamp.source == "simulated":
        title.append("  ").append(" SIMULATED ", "bold black on yellow")
    return title


def _wearer(scene: Scene) -> RenderableType:
    """Draw who it is, with a bar for the confidence."""
    identity = scene.identity
    colour = COLOURS[identity.state] if identity else "dim"
    row = Table.grid(padding=(0, 2))
    name = Text(f"● {plain(who(identity))}", f"bold {colour}")
    if identity is None or identity.confidence is None:
        row.add_row(name)
    else:
        row.add_row(name, _bar(identity.confidence, colour), Text(_certainty(identity)[2:]))
    return row


def _facts(scene: Scene) -> RenderableType:
    status = scene.status
    if status is None:
        return Text("no status yet", "dim")
    facts = [
        ("service ", (status.state, "")),
        ("heart rate ", (_rate(status.heart_rate_bpm), "bold")),
        ("signal ", (_percent(status.quality), "bold")),
        ("contact ", CONTACTS[status.contact]),
        ("lost samples ", (str(status.counters.lost), "bold")),
    ]
    if scene.hrv and scene.hrv.rmssd_ms is not None:
        facts.append(("RMSSD ", (f"{scene.hrv.rmssd_ms:.0f} ms", "bold")))
    if scene.hrv and scene.hrv.respiration.rate_per_min is not None:
        facts.append(("breathing ", (f"{scene.hrv.respiration.rate_per_min:.0f} /min", "bold")))
    if scene.rhythm:
        facts.append(("rhythm ", (_words(scene.rhythm.rhythm), "bold")))
    if status.playing:
        facts.append(("playing ", (status.playing, "yellow")))
    texts = (
        Text.assemble((label, "dim"), (plain(text), style), no_wrap=True)
        for label, (text, style) in facts
    )
    return Columns(texts, padding=(0, 3))


def _enrolment(enrolment: EnrolmentStatus) -> RenderableType:
    row = Table.grid(padding=(0, 2))
    row.add_row(
        Text(f"enrolling {plain(enrolment.person)}", "magenta"),
        _bar(enrolment.beats / enrolment.needed, "magenta"),
        Text(f"{enrolment.beats} of {enrolment.needed} beats"),
    )
    return row


def _line(scene: Scene, width: int) -> RenderableType:
    """Draw the newest seconds of ECG, with their scale."""
    dots = width * DOTS_WIDE
    samples_each = ceil(LINE_SAMPLES / dots)
    columns = scene.columns(dots, samples_each)
    values = [value for column in columns for value in column]
    low = floor(min(values, default=0.0) / SCALE_MV) * SCALE_MV
    high = max(ceil(max(values, default=0.0) / SCALE_MV) * SCALE_MV, low + 2 * SCALE_MV)
    rows = draw(joined(columns), width, LINE_ROWS, low, high)
    seconds = dots * samples_each / RATE_HZ
    rule = Rule(f"ECG {low:+.1f} to {high:+.1f} mV, {seconds:.0f} s", style="dim", align="right")
    return Group(rule, Text("\n".join(rows), "green", no_wrap=True))


def _bar(part: float, colour: str) -> ProgressBar:
    return ProgressBar(
        total=1.0, completed=part, width=BAR_WIDTH, complete_style=colour, finished_style=colour
    )


def _alarm(alarm: AlarmMessage) -> str:
    """Say what began or ended, and what is to be said with it."""
    happened = "begins" if alarm.end is None else "is over"
    return f"{_words(alarm.kind)} {happened} ({alarm.caution})"


def _words(code: str) -> str:
    return code.replace("_", " ")


def _certainty(identity: IdentityMessage) -> str:
    if identity.confidence is None:
        return ""
    return f", {_percent(identity.confidence)}, {identity.beats} beats"


def _condition(status: StatusMessage) -> str:
    parts = [status.state, f"contact {status.contact}"]
    if status.playing:
        parts.append(f"playing {status.playing}")
    if status.enrolment:
        parts.append(f"enrolling {status.enrolment.person}")
    if status.clock in CLOCKS:
        parts.append(CLOCKS[status.clock])
    return ", ".join(parts)


def _percent(part: float | None) -> str:
    return NOT_MEASURED if part is None else f"{100 * part:.0f} %"


def _rate(beats_per_minute: float | None) -> str:
    return NOT_MEASURED if beats_per_minute is None else f"{beats_per_minute:.0f} /min"
