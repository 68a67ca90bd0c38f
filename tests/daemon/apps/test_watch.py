"""What was heard is what is seen: in a picture, in lines, in JSON, and never more than that."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from math import nan

import pytest
from rich.console import Console

from daemon.apps.scene import Scene
from daemon.apps.watch import picture, show_json, show_lines, show_live, who
from daemon.wire.client import Item, Lost, Restarted, Silent
from daemon.wire.messages import (
    AlarmMessage,
    Breathing,
    EcgMessage,
    HrvMessage,
    IdentityMessage,
    Message,
    Received,
    RhythmMessage,
    Stamp,
    StatusMessage,
    WaveFlags,
    WaveMessage,
)
from daemon.wire.status import EnrolmentStatus, StatusCounters

STAMP = Stamp("bench", "boot", 3, datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC), "simulated")
RUNNING = StatusMessage(
    500,
    "running",
    "on",
    61.4,
    0.98,
    "heart 1",
    StatusCounters(lost=7),
    None,
    None,
    None,
    None,
    None,
    "set",
)
ADA = IdentityMessage(500, "accepted", "Ada", 0.97, 9)
STRANGER = IdentityMessage(700, "unknown", None, 0.04, 9)
LISTENING = IdentityMessage(100, "undecided", None, None, 2)
NOBODY = IdentityMessage(900, "no_contact", None, None, 0)


def heard(*messages: Message) -> list[Item]:
    return [Received(STAMP, message) for message in messages]


def text_of(items: list[Item], note: str = "", width: int = 100) -> str:
    """Return the picture after some items as plain text."""
    scene = Scene()
    for item in items:
        scene.take(item)
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(picture(scene, width, note))
    return console.export_text()


def lines_of(items: list[Item]) -> list[str]:
    stream = io.StringIO()
    show_lines(items, stream)
    return stream.getvalue().splitlines()


def test_the_picture_shows_who_how_sure_and_how_the_heart_beats() -> None:
    text = text_of(heard(RUNNING, ADA))
    for part in ("Ada", "97 %, 9 beats", "61 /min", "98 %", "contact on", "lost samples 7"):
        assert part in text


def test_the_picture_shows_variability_and_breathing_once_they_are_measured() -> None:
    unknown = Breathing(None, None)
    early = HrvMessage(2500, 9.1, 10, 0.0, "too_short", *[None] * 13, *[unknown] * 4)
    breathing = Breathing(14.2, 0.9)
    later = replace(early, rmssd_ms=35.2, respiration=breathing)
    assert "RMSSD" not in text_of(heard(RUNNING, early))
    assert "breathing" not in text_of(heard(RUNNING, early))
    text = text_of(heard(RUNNING, later))
    assert "RMSSD 35 ms" in text
    assert "breathing 14 /min" in text


def test_the_rhythm_is_shown_and_an_alarm_says_what_it_is_worth() -> None:
    caution = "not a medical device"
    begins = AlarmMessage(900, "ventricular_run", 700, None, (0, 901), caution)
    rhythm = RhythmMessage(900, "atrial_fibrillation", 92.0, 0.97, ())
    text = text_of(heard(RUNNING, rhythm, begins))
    assert "rhythm atrial fibrillation" in text
    assert "ventricular run begins (not a medical device)" in text
    assert lines_of(heard(rhythm, rhythm, begins, replace(begins, end=1200))) == [
        "12:30:15 rhythm atrial fibrillation",
        "12:30:15 ventricular run begins (not a medical device)",
        "12:30:15 ventricular run is over (not a medical device)",
    ]
    assert "ventricular" not in text_of([*heard(begins), Silent(5.0)])


def test_simulated_data_says_so_and_real_data_does_not() -> None:
    real = Received(replace(STAMP, source="ads1292r"), RUNNING)
    assert "SIMULATED" in text_of(heard(RUNNING))
    assert "SIMULATED" not in text_of([real])


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        (STRANGER, "a stranger (unknown)"),
        (replace(STRANGER, hint="electrodes_swapped"), "unknown: the electrodes may be swapped"),
        (LISTENING, "listening … (undecided)"),
        (NOBODY, "nobody: an electrode is off"),
        (
            replace(STRANGER, state="suspect", confidence=None, hint="repeated"),
            "nobody: played, not alive (its beats repeat)",
        ),
        (replace(STRANGER, state="suspect", confidence=None), "nobody: played, not alive"),
    ],
)
def test_one_who_is_not_accepted_has_no_name(identity: IdentityMessage, words: str) -> None:
    text = text_of(heard(ADA, identity))
    assert words in text
    assert "Ada" not in text


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        (ADA, "Ada, or something played (too clean for a heart)"),
        (STRANGER, "a stranger (unknown), or something played (too clean for a heart)"),
    ],
)
def test_a_warning_is_said_beside_the_decision(identity: IdentityMessage, words: str) -> None:
    assert who(replace(identity, hint="too_clean")) == words


def test_what_was_not_measured_is_not_shown() -> None:
    nothing = replace(RUNNING, heart_rate_bpm=None, quality=None, contact="unknown")
    text = text_of(heard(nothing, LISTENING))
    for part in ("heart rate —", "signal —", "contact not known"):
        assert part in text
    assert "/min" not in text


def test_a_clock_that_does_not_tell_the_time_is_said() -> None:
    unset, stepped = (replace(RUNNING, clock=clock) for clock in ("unset", "stepped"))
    assert "the clock was never set" in text_of(heard(unset))
    assert "the clock" not in text_of(heard(RUNNING))
    stream = io.StringIO()
    show_lines(heard(RUNNING, stepped, RUNNING), stream)
    told = [
        "the clock was set; times are from before" in line
        for line in stream.getvalue().splitlines()
    ]
    assert told == [False, True, False]


def test_an_enrolment_shows_how_far_it_is() -> None:
    text = text_of(heard(replace(RUNNING, enrolment=EnrolmentStatus("Bob", 12, 20))))
    assert "enrolling Bob" in text
    assert "12 of 20 beats" in text


def test_what_came_by_the_wire_commands_no_terminal() -> None:
    evil = "\x1b]0;x\x07[blink]Eve"
    status = replace(RUNNING, playing=evil, enrolment=EnrolmentStatus(evil, 12, 20))
    items = [
        Received(replace(STAMP, device=evil), message)
        for message in (status, replace(ADA, person=evil))
    ]
    for shown in (text_of(items, note=evil), "".join(lines_of(items))):
        assert "\ufffd]0;x\ufffd[blink]Eve" in shown
        assert not {"\x1b", "\x07"} & set(shown)


def test_silence_is_told_until_the_next_message() -> None:
    assert "silent for 4 s" in text_of([*heard(RUNNING), Silent(4.0)])
    assert "silent" not in text_of([Silent(4.0), *heard(RUNNING)])


def test_nobody_is_named_while_the_service_is_silent() -> None:
    text = text_of([*heard(RUNNING, ADA), Silent(3.0)])
    assert "Ada" not in text
    assert "nothing heard (undecided)" in text
    said = "12:30:15 Ada, 97 %, 9 beats"
    silence = "the service is silent, for 3 s so far"
    assert lines_of([*heard(ADA), Silent(3.0), *heard(ADA)]) == [said, silence, said]


def test_lost_messages_are_told() -> None:
    assert "5 messages did not arrive" in text_of([*heard(RUNNING), Lost("ecg", 5)])


def test_a_restart_forgets_who_it_was() -> None:
    assert "Ada" not in text_of([*heard(ADA), Restarted("boot 2")])


def test_before_the_first_message_it_waits() -> None:
    assert "waiting for the service" in text_of([Silent(4.0)])
    assert "silent" not in text_of([Silent(4.0)])


def test_a_note_stands_below_the_picture() -> None:
    assert "Ctrl-C" in text_of(heard(RUNNING), note="Ctrl-C ends this")


@pytest.mark.parametrize("width", [60, 80, 110])
def test_the_picture_keeps_to_its_width(width: int) -> None:
    lines = text_of(heard(RUNNING, ADA), width=width).splitlines()
    assert {len(line) for line in lines} == {width}


def test_the_live_view_ends_with_its_items() -> None:
    console = Console(width=100, file=io.StringIO(), force_terminal=True)
    show_live(heard(RUNNING, ADA), console)
    assert "SIMULATED" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_line_is_printed_for_each_change_and_for_nothing_else() -> None:
    ada_again = replace(ADA, index=700, confidence=0.99)
    items = heard(RUNNING, LISTENING, ADA, ada_again, replace(RUNNING, index=750), STRANGER)
    assert lines_of(items) == [
        "12:30:15 running, contact on, playing heart 1 (simulated)",
        "12:30:15 listening … (undecided)",
        "12:30:15 Ada, 97 %, 9 beats",
        "12:30:15 a stranger (unknown), 4 %, 9 beats",
    ]


def test_a_mishap_is_a_line() -> None:
    assert lines_of([Silent(2.0), Silent(4.0), Lost("beat", 3), Restarted("x")]) == [
        "the service is silent, for 2 s so far",
        "3 beat messages did not arrive",
        "the service was restarted",
    ]


def test_json_has_an_object_a_line_with_the_topic_and_the_samples() -> None:
    wave = WaveMessage(
        0, 250.0, (0.1, 0.1), ("respiration", "ecg"), WaveFlags((), ((), ()), ()), ((1, 2),)
    )
    stream = io.StringIO()
    show_json([*heard(ADA, wave, EcgMessage(0, 250.0, (0.5, nan))), Lost("beat", 3)], stream)
    ada, raw, ecg, lost = map(json.loads, stream.getvalue().splitlines())
    assert (ada["topic"], ada["person"], ada["utc"]) == (
        "identity",
        "Ada",
        "2026-03-01T12:30:15.000000Z",
    )
    assert raw["counts"] == [[1, 2]]
    assert ecg["ecg_mv"] == [0.5, None]
    assert lost == {"event": "lost", "topic": "beat", "count": 3}
