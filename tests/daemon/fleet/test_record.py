"""Records of people: readable by the site alone, and by nobody altered without being noticed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from daemon.fleet.credentials import Credentials
from daemon.fleet.errors import RecordRefused
from daemon.fleet.record import SiteKeys
from daemon.fleet.site_folder import add_device, credentials_path, make_site
from model.template import Person
from tests.model.galleries import MODEL, NOW, template

KEY = b"k" * 32
ADA = Person("Zacharias", NOW, (template("Zacharias"), template("Zacharias", 3, 1, 2)), NOW)


@pytest.fixture
def doors(tmp_path: Path) -> list[Credentials]:
    for site in ("house", "barn"):
        make_site(tmp_path, site)
        add_device(tmp_path, site, "door-1")
    add_device(tmp_path, "house", "door-2")
    places = (("house", "door-1"), ("house", "door-2"), ("barn", "door-1"))
    texts = (credentials_path(tmp_path, *place).read_text() for place in places)
    return [Credentials.from_text(text) for text in texts]


def test_another_device_of_the_site_reads_the_same_person(doors: list[Credentials]) -> None:
    one, two = SiteKeys(doors[0], KEY), SiteKeys(doors[1], KEY)
    raw = one.enrolled(ADA, {MODEL: 2, "b" * 64: 2}, 7, 3).raw

    record = two.read(one.key_of("Zacharias"), raw)
    read = two.open(one.key_of("Zacharias"), record)

    header = record.header
    assert (header.state, header.revision, header.begun) == ("enrolled", 7, 3)
    assert (header.by.device, header.models) == ("door-1", {MODEL: 2})
    assert (read.name, read.created_utc, read.consent_utc) == (ADA.name, NOW, NOW)
    for mine, theirs in zip(ADA.templates, read.templates, strict=True):
        np.testing.assert_allclose(mine.embedding, theirs.embedding, atol=1e-6)
        assert mine.is_again(theirs)


def test_neither_name_nor_template_is_to_be_seen(doors: list[Credentials]) -> None:
    keys = SiteKeys(doors[0], KEY)
    raw = keys.enrolled(ADA, {MODEL: 2}, 1, 1).raw
    assert b"Zacharias" not in raw
    for each in ADA.templates:
        assert each.embedding.tobytes() not in raw
        assert json.dumps(each.embedding.tolist()).encode() not in raw
    assert keys.key_of("Zacharias") != SiteKeys(doors[0], b"x" * 32).key_of("Zacharias")
    assert keys.key_of("Zo\u00eb") == keys.key_of("Zoe\u0308")


def test_what_is_altered_moved_or_of_another_site_is_refused(doors: list[Credentials]) -> None:
    one, two, elsewhere = (SiteKeys(door, KEY) for door in doors)
    key, record = one.key_of("Zacharias"), one.enrolled(ADA, {MODEL: 2}, 7, 3)
    forged = replace(record.header, by=doors[1].name)
    said, rest = record.raw.split(b"\n", 1)
    altered = (
        record.raw[:-1] + bytes([record.raw[-1] ^ 1]),
        record.raw.replace(b'"revision": 7', b'"revision": 8'),
        record.raw.replace(b"door-1", b"door-2"),
        json.dumps({**json.loads(said), "by": vars_of(forged.by)}).encode() + b"\n" + rest,
        elsewhere.enrolled(ADA, {MODEL: 2}, 7, 3).raw,
        b"",
        b"[]\n\n",
        b"x" * (1 << 20),
        one.enrolled(ADA, {MODEL: 2}, 3, 7).raw,  # begun after itself
        one.enrolled(ADA, {MODEL: 2}, 10**16, 7).raw,
        record.raw.replace(b'"door-1"', b'"\\ud800"'),  # half a surrogate pair is no text
        one._signed(key, replace(record.header, signed_utc="some day"), b"").raw,
        # Each device would keep it for good:
        one._signed(key, replace(record.header, state="forgotten"), bytes(1_024)).raw,
    )
    for raw in altered:
        with pytest.raises(RecordRefused):
            two.read(key, raw)
    with pytest.raises(RecordRefused):
        two.read(one.key_of("Ada"), record.raw)
    for nobody in ("ada", "a.b", "\ud800", key.upper()):
        with pytest.raises(RecordRefused):
            two.read(nobody, one.forgotten(key, 1).raw)
    with pytest.raises(RecordRefused):
        SiteKeys(doors[1], b"x" * 32).open(key, record)


def vars_of(name: object) -> dict[str, str]:
    return {each: getattr(name, each) for each in ("device", "public", "certificate")}
