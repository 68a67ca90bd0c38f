"""The page's texts: each language has all of them, and each text and code is used and known."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from daemon.wire import messages
from dsp.options import EpisodeKind
from model.rhythm import CAUTION

STATIC = Path(__file__).parents[3] / "daemon" / "web" / "static"
CATALOGUES = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in STATIC.glob("??.json")
}
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for path in STATIC.rglob("*")
    if path.suffix in {".js", ".html"}
)
CHOSEN = r"\bt\(\s*[^\"`;]*?\?\s*\"([\w.]+)\"\s*:\s*\"([\w.]+)\""  # t(condition ? "one" : "other")
#: Keys that are written out, and the beginnings of those that end with a code: t(`family.${code}`).
KEYS = {
    *re.findall(r"(?:\bt\(\s*|data-t=)\"([\w.]+)\"", CODE),
    *(key for both in re.findall(CHOSEN, CODE) for key in both),
}
PREFIXES = {
    *re.findall(r"\bt\(\s*`([\w.]+)\$\{", CODE),
    *(f"{family}." for family in re.findall(r"\bword\(\s*\"([\w.]+)\"", CODE)),
}
#: Families that stand for what the protocol can say.
CODES: dict[str, Any] = {
    "who": messages.IdentityState,
    "contact": messages.ContactState,
    "hint": messages.Hint,
    "hint_do": messages.Hint,
    "hrv_reason": messages.HrvReason,
    "kind": messages.Kind,
    "rhythm": messages.RhythmName,
    "episode": EpisodeKind,
}


def test_english_and_german_are_there() -> None:
    assert {"en", "de"} <= set(CATALOGUES)


@pytest.mark.parametrize("language", sorted(set(CATALOGUES) - {"en"}))
def test_every_language_has_all_texts_with_the_same_gaps_to_fill(language: str) -> None:
    gaps = {
        name: {key: sorted(re.findall(r"\{\w+\}", text)) for key, text in catalogue.items()}
        for name, catalogue in CATALOGUES.items()
    }

    assert gaps[language] == gaps["en"]


def test_every_text_that_the_page_uses_is_there() -> None:
    assert KEYS
    assert KEYS - set(CATALOGUES["en"]) == set()


def test_every_family_of_codes_has_texts() -> None:
    without = {
        prefix for prefix in PREFIXES if not any(key.startswith(prefix) for key in CATALOGUES["en"])
    }

    assert without == set()


def test_no_text_is_left_over() -> None:
    left = {
        key
        for key in CATALOGUES["en"]
        if f'"{key}"' not in CODE and not key.startswith(tuple(PREFIXES))
    }

    assert left == set()


@pytest.mark.parametrize("family", CODES)
def test_every_code_of_the_protocol_has_a_text(family: str) -> None:
    codes = {f"{family}.{code}" for code in get_args(CODES[family])}

    assert codes - set(CATALOGUES["en"]) == set()


def test_the_words_of_caution_are_the_service_s_own() -> None:
    words = CATALOGUES["en"]["caution.words"]

    assert words.casefold().rstrip(".") == CAUTION
