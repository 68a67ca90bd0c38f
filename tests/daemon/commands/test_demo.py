"""The demonstration shows what happens, whether it is right or wrong."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from rich.console import Console

from daemon.apps.demo import Director, Outcome
from daemon.apps.demo_plan import Act
from daemon.commands.demo import summary
from daemon.wire.client import Silent
from daemon.wire.errors import CommandRefused
from daemon.wire.messages import (
    AlarmMessage,
    IdentityMessage,
    Message,
    Received,
    Stamp,
    StatusMessage,
)
from daemon.wire.status import EnrolmentStatus, StatusCounters
from model.rhythm import CAUTION
from tests.daemon.background import wait_for

STAMP = Stamp("demo", "boot", 0, datetime(2026, 3, 1, tzinfo=UTC), "simulated")

ENROL = Act("Ada is enrolled", {"heart": 1}, 10, "enrolled", "Ada", 15)
OFF = Act("a pause", {"pause": 2}, 2)
ADA = Act("Ada comes again", {"heart": 1}, 10, "accepted", "Ada")
STRANGER = Act("Bob is a stranger", {"heart": 2}, 10, "unknown")
FALLEN_OFF = Act("an electrode falls off", {"pause": 4}, 4, "no_contact")
BIGEMINY = Act("each second beat", {"heart": 1, "ventricular": 2}, 13, "bigeminy")


def identity(second: float, state: Any, person: str | None = None, beats: int = 5) -> Message:
    return IdentityMessage(round(second * 250), state, person, None, beats)


def status(second: float, beats: int | None = None, lost: int = 0) -> Message:
    enrolment = None if beats is None else EnrolmentStatus("Ada", beats, 15)
    return StatusMessage(
        index=round(second * 250),
        state="running",
        contact="on",
        heart_rate_bpm=None,
        quality=None,
        playing=None,
        counters=StatusCounters(lost=lost),
        chip=None,
        model=None,
        scheduling=None,
        enrolment=enrolment,
        clock_offset_s=None,
        clock="set",
    )


def alarm(second: float, kind: str, end: int | None = None) -> Message:
    index = round(second * 250)
    return AlarmMessage(index, kind, index - 500, end, (0, index), CAUTION)


def yes(command: str, **fields: object) -> dict[str, Any]:
    return {"ok": True, "state": "done"}


def outcomes(acts: list[Act], *messages: Message) -> list[Outcome]:
    """Return what a director notes of a play."""
    director = Director(acts, yes)
    for message in messages:
        director.take(Received(STAMP, message))
    return director.outcomes


def test_the_right_word_after_a_moment_is_right() -> None:
    [outcome] = outcomes([ADA], identity(1, "undecided"), identity(6, "accepted", "Ada", 5))
    assert outcome.right
    assert (outcome.after_s, outcome.beats) == (6.0, 5)


def test_time_counts_from_the_start_of_the_act() -> None:
    acts = [ENROL, OFF, ADA]
    assert outcomes(acts, identity(18, "accepted", "Ada"))[1].after_s == 6.0


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (ADA, []),
        (ADA, [("unknown", None)]),
        (ADA, [("accepted", "Bob")]),
        (ADA, [("accepted", "Bob"), ("accepted", "Ada")]),
        (ADA, [("accepted", "Ada"), ("unknown", None)]),
        (STRANGER, [("accepted", "Ada")]),
        (STRANGER, [("accepted", "Ada"), ("unknown", None)]),
        (FALLEN_OFF, [("accepted", "Ada")]),
    ],
)
def test_a_wrong_or_missing_word_is_wrong(act: Act, said: list[tuple[str, str | None]]) -> None:
    [outcome] = outcomes([act], *(identity(1 + at, *word) for at, word in enumerate(said)))
    assert not outcome.right
    assert outcome.said == said


def test_nobody_at_the_moment_the_electrodes_change_hands_is_no_mistake() -> None:
    [outcome] = outcomes([ADA], identity(0, "no_contact"), identity(6, "accepted", "Ada"))
    assert outcome.said == [("accepted", "Ada")]


def test_nobody_is_right_once_an_electrode_fell_off() -> None:
    [outcome] = outcomes([FALLEN_OFF], identity(0.1, "no_contact", beats=0))
    assert outcome.right


def test_an_alarm_is_right_where_it_is_expected_whoever_is_thought_to_be_there() -> None:
    [outcome] = outcomes([BIGEMINY], identity(1, "unknown"), alarm(6, "bigeminy"), alarm(9, "x", 9))
    assert outcome.right
    assert (outcome.said, outcome.after_s) == ([("bigeminy", None)], 6.0)


@pytest.mark.parametrize(
    ("act", "heard"),
    [
        (BIGEMINY, []),
        (BIGEMINY, [identity(6, "accepted", "Ada")]),
        (BIGEMINY, [alarm(2, "pause"), alarm(6, "bigeminy")]),
        (ADA, [alarm(2, "tachycardia"), identity(6, "accepted", "Ada")]),
    ],
)
def test_an_alarm_that_is_missing_or_false_is_wrong(act: Act, heard: list[Message]) -> None:
    [outcome] = outcomes([act], *heard)
    assert not outcome.right


def test_an_enrolment_is_asked_for_when_its_act_begins_and_not_before() -> None:
    asked = []

    def ask(command: str, **fields: object) -> dict[str, Any]:
        asked.append((command, fields))
        return {"ok": True}

    director = Director([OFF, ENROL], ask)
    director.take(Received(STAMP, status(1)))
    assert not asked
    for second in (2, 3):
        director.take(Received(STAMP, status(second)))
    assert asked == [("enroll", {"person": "Ada", "beats": 15})]


def test_an_enrolment_is_right_when_it_comes_to_its_end() -> None:
    [outcome] = outcomes([ENROL], status(0), status(1, beats=1), status(9, beats=14), status(9.5))
    assert outcome.right
    assert outcome.after_s == 9.5


def test_an_enrolment_that_its_act_was_too_short_for_is_cancelled_and_wrong() -> None:
    asked = []

    def ask(command: str, **fields: object) -> dict[str, Any]:
        asked.append(command)
        return {"ok": True}

    director = Director([ENROL, OFF], ask)
    for message in (status(0), status(1, beats=1), status(9, beats=9), status(10.1, beats=9)):
        director.take(Received(STAMP, message))
    assert asked == ["enroll", "cancel"]
    assert director.outcomes[0].said == [("not finished", None)]


def test_an_enrolment_that_fails_shows_the_reason() -> None:
    def ask(command: str, **fields: object) -> dict[str, Any]:
        return {"ok": True, "state": "failed", "error": "These are two people."}

    director = Director([ENROL], ask)
    for message in (status(0), status(1, beats=1), status(9)):
        director.take(Received(STAMP, message))
    assert director.outcomes[0].said == [("These are two people.", "Ada")]
    assert not director.outcomes[0].right


def test_a_refused_enrolment_shows_the_reason() -> None:
    def refuse(command: str, **fields: object) -> NoReturn:
        raise CommandRefused("It is taken.")

    director = Director([ENROL], refuse)
    director.take(Received(STAMP, status(0)))
    assert director.outcomes[0].said == [("It is taken.", None)]


def test_lost_samples_are_counted_in_the_act_that_lost_them() -> None:
    first, _ = outcomes([ADA, STRANGER], status(1, lost=2), status(9, lost=5), status(12, lost=5))
    assert first.lost == 5


def test_silence_and_what_comes_after_the_play_change_nothing() -> None:
    director = Director([ADA], yes)
    director.take(Silent(3.0))
    director.take(Received(STAMP, identity(11, "accepted", "Bob")))
    assert director.outcomes[0].said == []


def test_the_spectator_is_told_what_is_shown() -> None:
    director = Director([ENROL, OFF, ADA], yes)
    assert director.note() == "The service is starting."
    director.take(Received(STAMP, status(13)))
    assert director.note() == "Act 2 of 2: Ada comes again."


def test_the_summary_tells_right_from_wrong() -> None:
    console = Console(width=120, file=io.StringIO())
    right = Outcome(ADA, [("unknown", None), ("accepted", "Ada")], 6.2, 5, 0)
    wrong = Outcome(STRANGER, [("accepted", "Ada")], 5.0, 5, 3)
    alarmed = Outcome(BIGEMINY, [("bigeminy", None)], 6.0, caution=CAUTION)
    with console.capture() as capture:
        console.print(summary([right, wrong, alarmed]))
    lines = capture.get().splitlines()
    assert any(
        "unknown, then Ada" in line and "6.2 s" in line and "right" in line for line in lines
    )
    assert any("Bob is a stranger" in line and "wrong" in line for line in lines)
    assert any(CAUTION in line for line in lines)


def asked(url: str, answers: list[str]) -> bool:
    """Ask the page's server, which has heard nothing at first."""
    with suppress(HTTPError), urlopen(url, timeout=5) as answer:
        answers.append(answer.read().decode())
    return bool(answers)


@pytest.mark.realtime
def test_the_demonstration_ends_with_everything_right_and_a_report(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "daemon", "demo", "--report", tmp_path]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:\d+/", demo.stdout.readline())
        assert address is not None
        said = next(line for line in demo.stdout if "playing heart" in line)
        answers: list[str] = []
        wait_for(lambda: asked(f"{address[0]}api/v1/status", answers))
        said += demo.stdout.read()
        assert demo.wait(180) == 0, said
    assert '"source":"simulated"' in answers[0]
    assert "7 of 7 as it should be." in said
    assert f"bigeminy begins ({CAUTION})" in said
    assert f"{tmp_path}/report.html" in said
    page = (tmp_path / "report.html").read_text()
    assert 'class="badge">simulated<' in page
    for heart in (64, 82):  # who is enrolled; the third is a stranger
        assert re.search(rf"Who it is over time: .*heart {heart} for 0:00:", page)
    assert "An electrode was off: " in page
    assert "bigeminy" in page
