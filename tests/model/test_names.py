"""A name is one line that can be read, typed again, and told from every other."""

from __future__ import annotations

import unicodedata

import pytest

from model.errors import NameInvalid, PersonExists
from model.gallery import Gallery
from model.names import check_name, looks
from tests.model.galleries import names, template

NFC, NFD = (unicodedata.normalize(form, "José") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    "name", ["Ada", "José", "Владимир", "Ελένη", "田中さん", "O'Brien", "محمد", "김민수", "Zoë-7"]
)
def test_names_of_the_world_are_names(name: str) -> None:
    assert check_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "name",
    [
        "A\u200bda",  # zero width space
        "A\u202eda",  # from right to left
        "Ada\u00a0Lovelace",
        "A\u3164da",  # Hangul filler
        "A\ufe0fda",  # variation selector
        "A\u00adda",  # soft hyphen
        "\u0301Ada",  # an accent on nothing
        "\u0410da",  # a Cyrillic A
        "Ad\u03b1",  # a Greek alpha
        "..",  # a folder above
        "A[2J\x1b",
    ],
)
def test_letters_that_show_nothing_or_pass_for_others_are_refused(name: str) -> None:
    with pytest.raises(NameInvalid, match="is not a name") as caught:
        check_name(name)
    assert str(caught.value).isprintable()


def test_one_name_in_two_forms_of_unicode_is_one_person(gallery: Gallery) -> None:
    gallery.enrol(template(NFD))
    gallery.enrol(template(NFC))
    assert names(gallery) == [NFC]
    gallery.rename(NFD, "Pepe")
    gallery.rename("Pepe", NFD)
    gallery.forget(NFC)
    assert names(gallery) == []


def test_two_forms_that_an_earlier_qrsd_kept_are_forgotten_together(gallery: Gallery) -> None:
    gallery.enrol(template(NFC), template("Bob"))
    gallery._database.execute("UPDATE person SET name = ? WHERE id = 2", (NFD,))
    assert names(gallery) == [NFC, NFC]
    gallery.forget(NFD)
    assert names(gallery) == []


@pytest.mark.parametrize("alike", ["ada", "ADA", "\uff21da", "\u0430\u0501\u0430"])
def test_a_name_that_looks_like_anothers_is_taken(gallery: Gallery, alike: str) -> None:
    gallery.enrol(template("Ada"), template("Bob"))
    for take in (
        lambda: gallery.enrol(template(alike)),
        lambda: gallery.rename("Bob", alike),
        lambda: gallery.check_free(alike),
    ):
        with pytest.raises(PersonExists, match=r"somebody called 'Ada', which .* looks like"):
            take()
    gallery.rename("Ada", "ada")  # one's own
    assert names(gallery) == ["Bob", "ada"]


def test_names_that_differ_are_told_apart() -> None:
    assert len({looks(name) for name in ("Ada", "Ida", "Ada 1", "Ada 11", "Адам", "Adam")}) == 6
