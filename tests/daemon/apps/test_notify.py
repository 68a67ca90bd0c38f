"""Which alarms are told, when, in which words, and what of them never is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from config.notify import NotifyOptions
from daemon.apps.notify import Notification, Notifier
from daemon.wire.client import Item, Restarted, Silent
from daemon.wire.messages import ContactState
from daemon.wire.status import ChipCondition, ChipStatus
from model.rhythm import CAUTION
from tests.daemon.apps.made_up_service import BEGIN, RATE_HZ, Service


class Listener:
    """A notifier, the service that it hears, and the time, which only passes when told to."""

    def __init__(self, options: NotifyOptions, begin: datetime = BEGIN) -> None:
        self.service = Service(begin=begin)
        self._begin = begin
        self._now_s = 0.0
        self._notifier = Notifier(options, "unheard", lambda: self._now_s, self._local)

    def _local(self) -> datetime:
        return self._begin + timedelta(seconds=self._now_s)

    def hears(self, *items: Item) -> list[Notification]:
        return [told for item in items for told in self._notifier.take(item)]

    def wait(self, seconds: float, contact: ContactState = "on") -> list[Notification]:
        """Hear a status each second."""
        told = []
        for _ in range(round(seconds)):
            self._pass(1)
            told += self.hears(self.service.status(contact))
        return told

    def silence(self, seconds: float) -> list[Notification]:
        told = []
        for second in range(round(seconds)):
            self._pass(1)
            told += self.hears(Silent(second + 1.0))
        return told

    def alarm(self, kind: str, ends: bool = False, ago_s: float = 2) -> list[Notification]:
        """Hear of an alarm that began so long ago, and was over a second after if at all."""
        onset = self.service.index - round(ago_s * RATE_HZ)
        return self.hears(self.service.alarm(kind, onset, onset + RATE_HZ if ends else None))

    def _pass(self, seconds: float) -> None:
        self._now_s += seconds
        self.service.index += round(seconds * RATE_HZ)


def told(notifications: Iterable[Notification]) -> list[tuple[str, str]]:
    return [(each.kind, each.phase) for each in notifications]


def listener(**options: object) -> Listener:
    """Return one that has listened for ten seconds."""
    one = Listener(NotifyOptions(**options))  # type: ignore[arg-type]
    one.wait(10)
    return one


def test_begin_and_end_are_told_with_their_times() -> None:
    one = listener()
    [begin] = one.alarm("tachycardia")
    one.wait(30)
    [end] = one.alarm("tachycardia", ends=True, ago_s=32)
    assert told([begin, end]) == [("tachycardia", "begins"), ("tachycardia", "ends")]
    assert (begin.onset_utc, begin.end_utc) == (BEGIN + timedelta(seconds=8), None)
    assert end.onset_utc == begin.onset_utc
    assert end.end_utc == BEGIN + timedelta(seconds=9)


def test_what_was_over_at_once_has_happened() -> None:
    one = listener()
    [couplet] = one.alarm("couplet", ends=True)
    assert told([couplet]) == [("couplet", "happened")]


def test_one_of_a_kind_in_ten_minutes_and_the_rest_is_counted_in_the_next() -> None:
    one = listener()
    assert [len(one.alarm("couplet", ends=True)) for _ in range(4)] == [1, 0, 0, 0]
    [pause] = one.alarm("pause", ends=True)
    assert pause.held_back == {"couplet": 3}
    one.wait(599)
    assert one.alarm("couplet", ends=True) == []
    one.wait(1)
    [couplet] = one.alarm("couplet", ends=True)
    assert couplet.held_back == {"couplet": 1}
    assert "Held back since the notification before: 1 of couplet." in couplet.text


def test_the_end_is_told_of_what_was_told_to_begin_and_of_nothing_else() -> None:
    one = listener()
    assert told(one.alarm("bigeminy")) == [("bigeminy", "begins")]
    assert told(one.alarm("bigeminy", ends=True)) == [("bigeminy", "ends")]
    assert one.alarm("bigeminy") == []
    assert one.alarm("bigeminy", ends=True) == []
    [pause] = one.alarm("pause", ends=True)
    assert pause.held_back == {"bigeminy": 1}


def test_so_many_an_hour_at_most_but_for_what_is_always_told() -> None:
    one = listener(every_s=0.0, hourly=3, always=("asystole",))
    count = [len(one.alarm(kind)) for kind in ("pause", "couplet", "pause", "couplet", "asystole")]
    assert count == [1, 1, 1, 0, 1]
    assert one.wait(3599) == []
    assert told(one.wait(1)) == [("couplet", "begins")]


def test_quiet_hours_are_quiet_but_for_what_is_always_told() -> None:
    one = Listener(
        NotifyOptions(quiet="22:00-07:00", always=("asystole",)),
        datetime(2026, 11, 28, 21, 59, 40, tzinfo=UTC),
    )
    one.wait(10)
    assert told(one.alarm("tachycardia")) == [("tachycardia", "begins")]
    one.wait(20)
    assert one.alarm("tachycardia", ends=True) == []
    assert one.alarm("pause", ends=True) == []
    [asystole] = one.alarm("asystole")
    assert asystole.held_back == {"tachycardia": 1, "pause": 1}
    assert one.alarm("couplet", ends=True) == []
    one.wait(9 * 3600)
    [pause] = one.alarm("pause", ends=True)
    assert pause.held_back == {"couplet": 1}


def test_what_lasts_is_told_as_soon_as_it_may_be() -> None:
    one = listener()
    one.alarm("tachycardia")
    one.alarm("tachycardia", ends=True)
    assert one.alarm("tachycardia") == []
    assert one.wait(599) == []
    [late] = one.wait(1)
    assert (late.phase, late.onset_utc) == ("begins", BEGIN + timedelta(seconds=8))
    assert told(one.alarm("tachycardia", ends=True)) == [("tachycardia", "ends")]


def test_a_service_that_died_in_the_night_is_told_of_in_the_morning() -> None:
    one = Listener(NotifyOptions(quiet="22:00-10:05"))
    one.wait(10)
    assert one.silence(289) == []
    assert told(one.silence(1)) == [("nothing_measured", "begins")]


def test_only_kinds_that_are_named_are_told_and_others_do_not_count() -> None:
    one = listener(kinds=("pause",))
    assert one.alarm("couplet", ends=True) == []
    [pause] = one.alarm("pause", ends=True)
    assert pause.held_back == {}
    assert one.wait(400, "off") + one.silence(400) == []


def test_who_comes_is_told_once_and_only_where_it_is_asked_for() -> None:
    one = listener(kinds=("recognised", "stranger"), every_s=0)
    ada, stranger = one.service.accepts("Ada"), one.service.identity("unknown")
    undecided, nobody = one.service.identity("undecided"), one.service.identity("no_contact")

    came = [
        told(one.hears(each)) for each in (ada, ada, undecided, ada, stranger, nobody, stranger)
    ]

    recognised, unknown = [("recognised", "happened")], [("stranger", "happened")]
    assert came == [recognised, [], [], [], unknown, [], unknown]
    assert listener().hears(ada, stranger) == []


def test_who_comes_is_not_named_unless_that_is_set() -> None:
    one, other = (listener(kinds=("recognised",), names=names) for names in (False, True))
    assert [each.person for each in one.hears(one.service.accepts("Ada"))] == [None]
    assert [each.person for each in other.hears(other.service.accepts("Ada"))] == ["Ada"]


def test_trouble_of_the_chip_is_told_until_it_is_over() -> None:
    one = listener()
    hum, none = (
        ChipStatus(conditions=(ChipCondition("hum", "It hums."),)),
        ChipStatus(conditions=()),
    )
    words = [
        told(one.hears(one.service.status(chip=chip))) for chip in (none, hum, hum, None, none)
    ]
    begins, ends = [("device_trouble", "begins")], [("device_trouble", "ends")]
    assert words == [[], begins, [], [], ends]


def test_electrodes_are_missed_after_they_were_on() -> None:
    one = Listener(NotifyOptions(electrodes_off_s=60))
    assert one.wait(200, "off") == []
    assert one.wait(5) == []
    assert one.wait(61, "off") == []
    [begin] = one.wait(2, "off")
    assert told([begin]) == [("electrodes_off", "begins")]
    assert begin.onset_utc == BEGIN + timedelta(seconds=206)
    assert one.wait(1000, "off") == []
    assert told(one.wait(2)) == [("electrodes_off", "ends")]


def test_electrodes_that_are_soon_on_again_are_no_news() -> None:
    one = listener(electrodes_off_s=60)
    assert one.wait(59, "off") + one.wait(3) + one.wait(59, "off") + one.wait(3) == []


def test_a_service_that_falls_silent_is_told_of_and_that_it_is_back() -> None:
    one = listener()
    assert one.silence(60) == []
    [begin] = one.silence(2)
    assert told([begin]) == [("nothing_measured", "begins")]
    assert begin.onset_utc == BEGIN + timedelta(seconds=10)
    assert one.silence(100) == []
    assert told(one.wait(1)) == [("nothing_measured", "ends")]


def test_a_service_that_never_was_there_is_told_of_under_the_name_given() -> None:
    [begin] = Listener(NotifyOptions()).silence(62)
    assert (begin.device, begin.source) == ("unheard", None)


def test_what_lasted_when_the_service_was_restarted_has_no_end() -> None:
    one = listener(every_s=0.0)
    one.alarm("tachycardia")
    one.hears(Restarted("b"))
    assert told(one.alarm("tachycardia", ends=True)) == [("tachycardia", "happened")]


def test_never_is_means_never() -> None:
    one = listener(electrodes_off_s=None, nothing_measured_s=None)
    assert one.wait(9000, "off") + one.silence(9000) == []


@pytest.mark.parametrize("names", [False, True])
def test_nobody_is_named_unless_that_is_set(names: bool) -> None:
    one = listener(names=names, every_s=0.0)
    one.hears(one.service.accepts("Zacharias"))
    [notification] = one.alarm("pause")
    said = json.dumps(notification.as_json()) + notification.text + notification.title
    assert ("Zacharias" in said) is names
    one.silence(5)
    [later] = one.alarm("pause")
    assert later.person is None  # who knows who it is by now?


def test_what_is_sent_is_this_and_no_more() -> None:
    one = listener()
    [begin] = one.alarm("ventricular_run")
    sent = begin.as_json()
    assert sent.pop("id") == begin.id
    text = sent.pop("text")
    assert sent == {
        "schema": 1,
        "kind": "ventricular_run",
        "phase": "begins",
        "device": "bench",
        "source": "simulated",
        "onset_utc": "2026-11-28T10:00:08.000Z",
        "end_utc": None,
        "held_back": {},
        "lost": 0,
        "caution": CAUTION,
    }
    assert text.splitlines()[0] == "qrsd: ventricular run: begins (bench, SIMULATED)."
    assert text.lower().endswith(f"{CAUTION}.")


def test_a_device_s_name_breaks_no_line() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    notification = Notification("pause", "begins", "pi\nBcc: eve@example.org", None, at)
    assert len(notification.title.splitlines()) == 1
