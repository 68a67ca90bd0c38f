"""What people may be called, and which names nobody can tell apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from model.errors import NameInvalid, PersonExists, PersonUnknown

LONGEST_NAME = 64
LONGEST_TYPED = 4 * LONGEST_NAME  # composing makes one letter of four at most
#: Letters and marks that show nothing, though Unicode has them printed.
INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
LOOK_ALIKE_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")
#: Small Cyrillic and Greek letters, and the Latin ones that they look like.
LATIN_LIKE = str.maketrans(
    "авеіјкмнорсԁѕтухүһԛԝαβεηικνορτυχγω",
    "abeijkmhopcdstyxyhqwabenikvoptuxyw",
)


def composed(name: str) -> str:
    """Return a name in Unicode's composed form (NFC), in which all are kept and compared.

    Composing takes the square of the length. A text that is too long for a name stays as it is.
    """
    return name if len(name) > LONGEST_TYPED else unicodedata.normalize("NFC", name)


def check_name(name: str) -> str:
    """Return a name as it is kept: in Unicode's composed form (NFC).

    Raises:
        NameInvalid: it cannot be shown on one line, or not be told from another: it is empty,
            padded, too long, has control characters or invisible ones, is dots alone, or mixes
            scripts.
    """
    name = composed(name)
    if not (name and name.isprintable() and name == name.strip() and len(name) <= LONGEST_NAME):
        raise NameInvalid(
            f"{name[:LONGEST_NAME]!r} is not a name: 1 to {LONGEST_NAME} printable characters, "
            "without spaces at the ends"
        )
    if name in (".", ".."):  # /people/.. in a browser is another address: it could not be forgotten
        raise NameInvalid(f"{name!r} is not a name: it has dots alone")
    if INVISIBLE.intersection(name) or unicodedata.combining(name[0]):
        raise NameInvalid(f"{name!a} is not a name: it has characters that show nothing")
    scripts = {
        unicodedata.name(letter, "").partition(" ")[0] for letter in name if letter.isalpha()
    }
    if len(mixed := scripts.intersection(LOOK_ALIKE_SCRIPTS)) > 1:
        raise NameInvalid(
            f"{name!a} is not a name: it mixes {' and '.join(sorted(mixed)).title()} letters, "
            "which look alike; write it in one script"
        )
    return name


def looks(name: str) -> str:
    """Return what is the same for names that look alike, in any script and case."""
    if len(name) > LONGEST_TYPED:
        return name
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(folded.translate(LATIN_LIKE).split())


class NameIndex:
    """The names of the enrolled people, to be looked up; persons go by their numbers."""

    def __init__(self, names: Mapping[int, str]) -> None:
        self._alike: dict[str, dict[int, str]] = {}
        for person, name in names.items():
            self.add(person, name)

    def add(self, person: int, name: str) -> None:
        """Take note of another person."""
        self._alike.setdefault(looks(name), {})[person] = name

    def find(self, name: str) -> list[int]:
        """Return who is called that: nobody, one, or several whom an earlier qrsd let be so."""
        name = composed(name)
        alike = self._alike.get(looks(name), {})
        return [person for person, theirs in alike.items() if theirs == name]

    def known(self, name: str) -> list[int]:
        """Return who is called that.

        Raises:
            PersonUnknown: nobody is.
        """
        if found := self.find(name):
            return found
        raise PersonUnknown(f"nobody called {name!r:.80} is enrolled; see: qrsd people list")

    def check_free(self, name: str, but: int | None = None) -> None:
        """Refuse a name that somebody ``but`` that person has, or one that looks like it.

        Raises:
            PersonExists: somebody has.
        """
        for person, theirs in self._alike.get(looks(name), {}).items():
            if person != but:
                alike = "" if theirs == name else f", which {name!r} looks like,"
                raise PersonExists(
                    f"somebody called {theirs!r}{alike} is enrolled already; take another name"
                )
