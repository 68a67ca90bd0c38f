"""What the demonstration plays: people are enrolled, a stranger comes, a heart is out of step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from daemon.apps.errors import NothingToShow
from daemon.recordings.reading_order import reading_order

PAUSE_S = 2.0  # the electrodes move from one person to the next
FALLEN_OFF_S = 4.0
SHOW_S = 13.0
BIGEMINY_S = 9.0

Expected: TypeAlias = Literal["enrolled", "accepted", "unknown", "no_contact", "bigeminy"]


@dataclass(frozen=True, slots=True)
class EnrolOptions:
    """How somebody is enrolled."""

    beats: int  # good beats to gather
    seconds: float  # how long to play for them; a shorter record is played again


ENROL_HEARTS = EnrolOptions(beats=15, seconds=18.0)
ENROL_PEOPLE = EnrolOptions(beats=20, seconds=28.0)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is shown."""

    title: str  # what the spectator is told
    play: dict[str, Any]  # the entry of the settings' ``source.simulated.play``
    seconds: float  # how long it takes
    #: what the service ought to say; None for a pause, in which it does not matter
    expected: Expected | None = None
    person: str | None = None  # whom it ought to say it of
    beats: int = 0  # good beats to enrol with; 0 if nobody is enrolled


PAUSE = Act("the electrodes change hands", {"pause": PAUSE_S}, PAUSE_S)
FALLEN_OFF = Act("an electrode falls off", {"pause": FALLEN_OFF_S}, FALLEN_OFF_S, "no_contact")
BIGEMINY = Act(
    "each second beat is of the ventricles",
    {"heart": 82, "ventricular": 2, "seconds": BIGEMINY_S},
    BIGEMINY_S,
    "bigeminy",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be shown."""

    name: str  # what to call them
    first: dict[str, Any]  # what is played of them first
    again: dict[str, Any]  # what is played when they come again


def synthetic_hearts() -> list[Person]:
    """Return three synthetic hearts; when one comes again, later beats of it are played.

    The shipped model has learned from people, to whom most synthetic hearts are one and the same:
    these three are those of the first ninety that it finds least alike.
    """
    return [
        Person(f"heart {seed}", {"heart": seed}, {"heart": seed, "from_s": 300.0})
        for seed in (64, 82, 89)
    ]


def people_of(folder: Path) -> list[Person]:
    """Return the first three people of a folder that has a folder of WFDB records for each."""
    records: dict[Path, list[Path]] = {}
    for header in sorted(folder.rglob("*.hea"), key=reading_order):
        records.setdefault(header.parent, []).append(header.with_suffix(""))
    people = [
        Person(home.name, {"record": str(first.resolve())}, {"record": str(second.resolve())})
        for home, (first, second, *_) in (
            (home, paths) for home, paths in records.items() if len(paths) >= 2
        )
    ]
    if len(people) < 3:
        raise NothingToShow(
            f"{folder} has {len(people)} people to show, and the demonstration needs 3: a folder"
            " for each person with two WFDB records (.hea and .dat) or more, as in PhysioNet's"
            " ECG-ID database."
        )
    return people[:3]


def plan(people: list[Person], enrol: EnrolOptions) -> list[Act]:
    """Return the acts for two people, who are enrolled, and a stranger; then an arrhythmia."""
    one, other, stranger = people
    return [
        _enrol(one, enrol),
        PAUSE,
        _enrol(other, enrol),
        PAUSE,
        _show(one, one.again, "comes again", "accepted"),
        PAUSE,
        replace(_show(stranger, stranger.first, "is a stranger", "unknown"), person=None),
        FALLEN_OFF,
        _show(other, other.again, "comes again", "accepted"),
        PAUSE,
        BIGEMINY,
    ]


def _enrol(person: Person, enrol: EnrolOptions) -> Act:
    play = {**person.first, "seconds": enrol.seconds}
    title = f"{person.name} is enrolled"
    return Act(title, play, enrol.seconds, "enrolled", person.name, enrol.beats)


def _show(person: Person, play: dict[str, Any], title: str, expected: Expected) -> Act:
    play = {**play, "seconds": SHOW_S}
    return Act(f"{person.name} {title}", play, SHOW_S, expected, person.name)
