"""What Home Assistant is told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from config.mqtt import MqttOptions
from daemon.apps.home_assistant import HomeAssistant, Publication
from daemon.wire.client import Item, Silent
from daemon.wire.messages import EpisodeOnWire, IdentityMessage, Received, StatusMessage
from daemon.wire.status import ChipCondition, ChipStatus
from tests.daemon.apps.made_up_service import Service

OPTIONS = MqttOptions(host="127.0.0.1")
#: What an entity of each platform must and may have, besides what all may. Source:
#: https://www.home-assistant.io/integrations, "Configuration variables" of MQTT Sensor and so on.
OF_ALL = {"p", "unique_id", "default_entity_id", "name", "icon", "entity_category"}
STATED = {"value_template", "device_class", "expire_after"}  # and state_topic, which all share
ENTITIES: dict[str, tuple[set[str], set[str]]] = {
    "sensor": (set(), STATED | {"unit_of_measurement", "state_class", "options"}),
    "binary_sensor": (set(), STATED),
    "event": ({"event_types", "state_topic"}, set()),
    "switch": ({"command_topic"}, {"value_template"}),
    "text": ({"command_topic"}, {"value_template", "max"}),
    "button": ({"command_topic"}, set()),
}
STATE, IDENTITY_EVENT, RHYTHM_EVENT = (
    f"qrsd/hall_door/{name}" for name in ("state", "event/identity", "event/rhythm")
)


class Clock:
    """A clock that a test turns."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def home(options: MqttOptions = OPTIONS, clock: Clock | None = None) -> HomeAssistant:
    return HomeAssistant(options, "hall door", "1.2", clock or Clock())


def told(device: HomeAssistant, items: Iterable[Item]) -> list[Publication]:
    return [each for item in items for each in device.take(item)]


def of(topic: str, publications: Iterable[Publication]) -> list[dict[str, Any]]:
    return [json.loads(each.payload) for each in publications if each.topic == topic]


def test_a_device_comes_and_goes_with_the_service() -> None:
    device, made_up = home(), Service()

    first = told(device, [made_up.status()])
    gone = told(device, [Silent(3.0), Silent(6.0), Silent(9.0)])
    back = told(device, [made_up.status()])

    there = Publication("qrsd/hall_door/availability", "online", retain=True)
    assert first[0] == there
    assert gone == [replace(there, payload="offline")]
    assert back[0] == there


def test_figures_are_told_now_and_then_and_changes_at_once() -> None:
    clock = Clock()
    device, made_up = home(clock=clock), Service()
    status = made_up.status()
    assert isinstance(status, Received)
    assert isinstance(status.message, StatusMessage)

    def beating(bpm: float) -> Item:
        message = status.message
        assert isinstance(message, StatusMessage)
        return replace(status, message=replace(message, heart_rate_bpm=bpm, quality=0.954))

    first = of(STATE, told(device, [beating(71.26)]))
    soon = of(STATE, told(device, [beating(72), beating(73)]))
    changed = of(STATE, told(device, [made_up.status("off")]))
    clock.now_s = 5.0
    later = of(STATE, told(device, [beating(74)]))

    assert first[0]["heart_rate_bpm"] == pytest.approx(71.3)
    assert (first[0]["quality_percent"], first[0]["contact"]) == (95, "ON")
    assert soon == []
    assert changed[0]["contact"] == "OFF"
    assert later[0]["heart_rate_bpm"] == 74


@pytest.mark.parametrize("names", [False, True])
def test_a_name_is_told_only_where_it_is_asked_for(names: bool) -> None:
    device, made_up = home(replace(OPTIONS, names=names)), Service()

    publications = [device.discovery(), *told(device, [made_up.status(), made_up.accepts("Ada")])]

    assert ("Ada" in str(publications)) is names
    assert ("person" in str(publications)) is names
    assert of(IDENTITY_EVENT, publications)[0]["event_type"] == "recognised"
    assert of(STATE, publications)[-1]["identity"] == "accepted"


def test_who_is_there_is_an_event_once() -> None:
    device, made_up = home(), Service()
    stranger = made_up.say(IdentityMessage(0, "unknown", None, 0.9, 9))

    publications = told(device, [made_up.accepts("Ada"), made_up.accepts("Ada"), stranger])

    kinds = [each["event_type"] for each in of(IDENTITY_EVENT, publications)]
    assert kinds == ["recognised", "stranger"]


def test_episodes_are_events_with_the_caution() -> None:
    device, made_up = home(), Service()
    lasting = EpisodeOnWire("bigeminy", 100, None)
    over, couplet = replace(lasting, end=900), EpisodeOnWire("couplet", 300, 500)

    publications = told(
        device, map(made_up.rhythm, *zip((lasting,), (lasting,), (over,), (couplet,), strict=True))
    )

    events = of(RHYTHM_EVENT, publications)
    assert [(each["event_type"], each["phase"]) for each in events] == [
        ("bigeminy", "begins"),
        ("bigeminy", "ends"),
        ("couplet", "happened"),
    ]
    assert all("not a medical device" in each["caution"] for each in events)


def test_what_is_wrong_is_told() -> None:
    device, made_up = home(), Service()
    status = made_up.status()
    assert isinstance(status, Received)
    assert isinstance(status.message, StatusMessage)
    chip = ChipStatus(conditions=(ChipCondition("hum", "The grid hums."),))

    fine = of(STATE, told(device, [status]))
    bad = of(STATE, told(device, [replace(status, message=replace(status.message, chip=chip))]))

    assert (fine[-1]["problem"], fine[-1]["problem_text"]) == ("OFF", None)
    assert (bad[-1]["problem"], bad[-1]["problem_text"]) == ("ON", "The grid hums.")


def test_nothing_of_before_is_left_after_a_silence() -> None:
    device, made_up = home(replace(OPTIONS, names=True)), Service()
    told(device, [made_up.status(), made_up.accepts("Ada"), Silent(6.0)])

    states = of(STATE, told(device, [made_up.status()]))

    assert states[-1]["identity"] is None
    assert states[-1]["person"] is None


def test_commands_are_offered_only_where_they_are_obeyed() -> None:
    listening, obeying = (
        json.loads(home(replace(OPTIONS, control=control)).discovery().payload)["cmps"]
        for control in (False, True)
    )

    assert not [each for each in listening.values() if "command_topic" in each]
    assert {each["command_topic"] for each in obeying.values() if "command_topic" in each} == {
        f"qrsd/hall_door/command/{name}" for name in ("record", "enrol_name", "enrol", "cancel")
    }


def test_every_entity_has_its_own_id_and_every_state_is_one_that_is_told() -> None:
    device, made_up = home(replace(OPTIONS, names=True, control=True)), Service()
    cmps = json.loads(device.discovery().payload)["cmps"]
    state = of(STATE, told(device, [made_up.status()]))[-1]

    assert len({each["unique_id"] for each in cmps.values()}) == len(cmps)
    asked = [each["value_template"] for each in cmps.values() if "value_template" in each]
    assert {*asked} == {f"{{{{ value_json.{key} }}}}" for key in state.keys() - {"confidence"}}


def test_every_entity_is_as_home_assistant_takes_it() -> None:
    device = home(replace(OPTIONS, names=True, control=True))
    told = json.loads(device.discovery().payload)

    assert told["dev"]["ids"]
    assert told["o"]["name"]
    for name, entity in told["cmps"].items():
        needed, allowed = ENTITIES[entity["p"]]
        assert needed <= entity.keys(), name
        assert entity.keys() <= OF_ALL | needed | allowed, name
        is_figure = {"unit_of_measurement", "state_class"} & entity.keys()
        assert ("options" in entity) is (entity.get("device_class") == "enum"), name
        assert not ("options" in entity and is_figure), name
