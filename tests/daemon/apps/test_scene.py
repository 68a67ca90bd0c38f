"""The last word on each matter, and nothing from before a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from daemon.apps.scene import Scene
from daemon.wire.client import Item, Lost, Restarted, Silent
from daemon.wire.messages import EcgMessage, IdentityMessage, Message, Received, RPeakMessage, Stamp

STAMP = Stamp("bench", "boot", 3, datetime(2026, 3, 1, tzinfo=UTC), "simulated")
ADA = IdentityMessage(500, "accepted", "Ada", 0.97, 9)


def heard(*messages: Message) -> list[Item]:
    return [Received(STAMP, message) for message in messages]


def scene_of(*items: Item) -> Scene:
    scene = Scene()
    for item in items:
        scene.take(item)
    return scene


def test_the_last_word_counts() -> None:
    bob = replace(ADA, person="Bob")
    assert scene_of(*heard(ADA, bob)).identity == bob


def test_any_message_ends_a_silence() -> None:
    assert scene_of(Silent(3.0)).silent_s == 3.0
    assert scene_of(Silent(3.0), *heard(RPeakMessage(1, 1.0, None, False))).silent_s == 0.0


def test_lost_messages_add_up() -> None:
    assert scene_of(Lost("beat", 3), Lost("ecg", 4)).lost_messages == 7


def test_a_restart_begins_anew() -> None:
    before = heard(ADA, EcgMessage(0, 250.0, (1.0,)))
    scene = scene_of(*before, Lost("ecg", 4), Restarted("boot 2"))
    assert (scene.identity, scene.lost_messages, len(scene.ecg)) == (None, 0, 0)


def test_ecg_moves_left_in_whole_columns_and_lost_samples_leave_a_hole() -> None:
    scene = scene_of(*heard(EcgMessage(0, 250.0, (1.0,) * 10), EcgMessage(18, 250.0, (2.0,) * 4)))
    assert scene.columns(7, 4) == [[], [1.0] * 4, [1.0] * 4, [1.0] * 2, [], [2.0] * 2, [2.0] * 2]
