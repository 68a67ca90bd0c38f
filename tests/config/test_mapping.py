"""Plain values become options, and whatever does not fit is told by its path."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from config.errors import SettingInvalid
from config.mapping import build, leaves
from config.yaml_values import Doubtful


@dataclass(frozen=True, slots=True)
class Wheel:
    inches: int = 28
    tubeless: bool = False

    def __post_init__(self) -> None:
        if self.inches not in (26, 28):
            raise ValueError(f"inches: {self.inches} is not one of 26, 28")


@dataclass(frozen=True, slots=True)
class Bicycle:
    name: str = "roadster"
    bell_db: float | None = None
    front: Wheel = field(default_factory=Wheel)
    rear: Wheel = Wheel(tubeless=True)
    spares: tuple[Wheel, ...] = ()
    gears: tuple[int, ...] = (3,)


def test_what_is_not_given_keeps_its_default() -> None:
    assert build(Bicycle, {}) == Bicycle()


def test_tables_lists_and_tables_in_lists_become_options() -> None:
    given = {"front": {"tubeless": True}, "spares": [{"inches": 26}, {}], "gears": [1, 2]}
    assert build(Bicycle, given) == Bicycle(
        front=Wheel(tubeless=True), spares=(Wheel(26), Wheel()), gears=(1, 2)
    )


def test_a_table_changes_what_the_section_is_by_default() -> None:
    assert build(Bicycle, {"rear": {"inches": 26}}).rear == Wheel(26, tubeless=True)


def test_a_whole_number_will_do_for_a_float_and_null_for_an_option() -> None:
    loud = build(Bicycle, {"bell_db": 80})
    assert isinstance(loud.bell_db, float)
    assert build(Bicycle, {"bell_db": None}).bell_db is None


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"nmae": "x"}, "nmae: no such setting; did you mean name?"),
        (
            {"saddle": "x"},
            "saddle: no such setting; there are name, bell_db, front, rear, spares, gears",
        ),
        ({"front": {"inch": 28}}, "front.inch: no such setting; did you mean inches?"),
        ({"front": {"inches": 27}}, "front.inches: 27 is not one of 26, 28"),
        ({"front": {"inches": "28"}}, "front.inches: '28' is not int"),
        ({"front": {"inches": True}}, "front.inches: True is not int"),
        ({"front": {"tubeless": 1}}, "front.tubeless: 1 is not bool"),
        ({"front": 28}, "front: 28 is not a table of settings"),
        ({"front": None}, "front: None is not a table of settings"),
        ({"spares": {"inches": 26}}, "spares: {'inches': 26} is not a list"),
        ({"spares": [{}, 26]}, "spares[1]: 26 is not a table of settings"),
        ({"spares": [{}, {"inches": 27}]}, "spares[1].inches: 27 is not one of 26, 28"),
        ({"gears": [1, "two"]}, "gears[1]: 'two' is not int"),
        ({"bell_db": "loud"}, "bell_db: 'loud' is not a number"),
        ({"name": "a\0b"}, r"name: 'a\x00b' has a control character in it"),
        ({"gears": [3, Doubtful("025 is octal")]}, "gears[1]: 025 is octal"),
        ({"gears": ["\33[31m"]}, r"gears[0]: '\x1b[31m' has a control character in it"),
        ({5: "x"}, "5: no such setting; there are name, bell_db, front, rear, spares, gears"),
    ],
)
def test_what_does_not_fit_is_told_by_its_path(given: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingInvalid) as told:
        build(Bicycle, given)
    assert str(told.value) == complaint


def test_the_path_so_far_comes_first() -> None:
    with pytest.raises(SettingInvalid, match=r"^shed\.front\.inches: 27 is not"):
        build(Bicycle, {"front": {"inches": 27}}, "shed.")


def test_leaves_are_the_settings_that_are_not_tables() -> None:
    assert [path for path, _ in leaves(Bicycle)] == [
        "name",
        "bell_db",
        "front.inches",
        "front.tubeless",
        "rear.inches",
        "rear.tubeless",
        "spares",
        "gears",
    ]
