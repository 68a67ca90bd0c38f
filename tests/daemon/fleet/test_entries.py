"""A device takes in as much as it bears, and first of all what there is of its own people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from daemon.fleet import entries
from daemon.fleet.entries import Entries
from model.template import Person
from tests.daemon.fleet.made_up_site import Site, as_entry
from tests.model.galleries import MODEL, template


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize("most_bytes", [10_000, 1_000_000])
@pytest.mark.parametrize("has_a_record", [True, False])
def test_of_what_a_hostile_device_has_no_end_of_a_little_is_taken_in_and_said(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    most_bytes: int,
    has_a_record: bool,
) -> None:
    monkeypatch.setattr(entries, "MOST_KNOWN", 50)
    monkeypatch.setattr(entries, "MOST_BYTES", most_bytes)
    site.enrol("Ada")
    site.settle()
    key = site.keys.key_of("Ada")
    sequence, raw = site.server.records[key]
    taken = Entries(site.keys, lambda each: each == key)
    if has_a_record:
        taken.take(as_entry(key, sequence, raw))
    for number in range(1000):
        stranger = site.keys.key_of(f"Nobody {number}")
        taken.take(as_entry(stranger, number + 1, site.others.forgotten(stranger, 1).raw))
        taken.take(as_entry(f"{number}", number + 1, b"\x1b[2J"))
    held = list(taken)
    assert 10 < len(held) <= 50
    assert sum(taken[each].size for each in held) <= most_bytes
    assert taken[stranger].sequence == 0  # so that nothing is written over what was not taken in
    taken.take(as_entry(key, 3000, site.others.forgotten(key, 2).raw))

    assert taken[key].is_tombstone  # Ada is forgotten here too
    assert sum(record.name == entries.__name__ for record in caplog.records) == entries.MOST_SAID


def test_of_whoever_is_known_there_is_room_for_twice_as_much_and_no_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Devices know whoever a hostile one has made up, so that these have an end too."""
    utc = site.now().isoformat()
    ada = Person("Ada", utc, (template("Ada", at=utc),), utc)
    raw = site.others.enrolled(ada, {MODEL: 2}, 1, 1).raw
    monkeypatch.setattr(entries, "MOST_BYTES", len(raw) - 1)
    monkeypatch.setattr(entries, "MOST_BYTES_OF_OURS", len(raw))
    key = site.keys.key_of("Ada")
    for is_ours in (False, True):
        taken = Entries(site.keys, lambda _, is_ours=is_ours: is_ours)  # type: ignore[misc]
        taken.take(as_entry(key, 1, raw))
        assert (taken[key].record is not None) == is_ours
    more = replace(ada, templates=(*ada.templates, template("Ada", 1, 2, 4)))
    taken.take(as_entry(key, 2, site.others.enrolled(more, {MODEL: 2}, 2, 1).raw))
    assert taken[key].revision == 1
    taken.take(as_entry(key, 3, site.others.forgotten(key, 3).raw))
    assert taken[key].is_tombstone


def test_who_was_erased_at_the_site_takes_nobody_s_room(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "MOST_KNOWN", 2)
    ours = {f"{number:064x}" for number in range(9)}
    taken = Entries(site.keys, ours.__contains__)
    for number, key in enumerate([*ours, *(site.keys.key_of(f"{n}") for n in range(9))]):
        taken.take(as_entry(key, 1 + number, site.others.forgotten(key, 1).raw))
        taken.take(as_entry(key, 100 + number, b""))
    assert {*taken} == ours  # of whom it is to be known that they are erased
    key = site.keys.key_of("Bob")
    taken.take(as_entry(key, 300, site.others.forgotten(key, 1).raw))
    assert taken[key].is_tombstone
