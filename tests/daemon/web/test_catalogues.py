"""The page's texts: each language has all of them, and each text and code is used and known."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from daemon.apps import record, timeline
from daemon.doctor.checks import ASKING
from daemon.doctor.walk import Verdict
from daemon.errors import DaemonError
from daemon.recordings.recorded import LOST_SAMPLES
from daemon.web.children import MEANINGS
from daemon.web.tokens import SCOPES
from daemon.wire import messages
from daemon.wire.status import StatusCounters
from dsp.hrv import NEEDS
from dsp.options import EpisodeKind
from model.passport import Kind
from model.rhythm import CAUTION
from tests.daemon.wire.test_protocol import below, codes

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "daemon" / "web" / "static"
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
    *re.findall(r"\btexts\[`([\w.]+)\$\{", CODE),
    *(f"{family}." for family in re.findall(r"\bword\(\s*\"([\w.]+)\"", CODE)),
}


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text()))


def calls(path: Path, *names: str) -> Iterator[ast.Call]:
    """Yield the calls of functions or methods of these names."""
    for node in nodes(path):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", None))
            if called in names:
                yield node


def texts(given: Iterable[ast.AST]) -> set[str]:
    """Return the texts among some nodes."""
    values = (node.value for node in given if isinstance(node, ast.Constant))
    return {value for value in values if isinstance(value, str)}


def problems() -> set[str]:
    """Return the codes that the web server itself answers with."""
    sources = (ROOT / "daemon" / "web").glob("*.py")
    given = texts(call.args[1] for path in sources for call in calls(path, "Problem"))
    return given | {code for _, code in MEANINGS.values()}


def flaws() -> set[str]:
    """Return the words of the module that judges beats."""
    return {text for text in texts(nodes(ROOT / "dsp" / "quality.py")) if text.isidentifier()}


def annotations() -> set[str]:
    """Return what the recorder writes beside the signal, if no figure nor name is in it."""
    written = calls(ROOT / "daemon" / "apps" / "timeline.py", "Annotation", "note")
    own = texts(argument for call in written for argument in call.args)
    return own | {LOST_SAMPLES, *timeline.ENDS, *timeline.ENDS.values()}


#: Families that stand for what service and server can say, by code or by phrase.
SAID: dict[str, Any] = {
    "who": get_args(messages.IdentityState),
    "identity": get_args(messages.IdentityState),
    "contact": get_args(messages.ContactState),
    "hint": get_args(messages.Hint),
    "hint_do": get_args(messages.Hint),
    "hrv_reason": get_args(messages.HrvReason),
    "kind": get_args(messages.Kind),
    "rhythm": get_args(messages.RhythmName),
    "episode": get_args(EpisodeKind),
    "service": set(get_args(messages.ServiceState)) - {"running"},
    "service_state": get_args(messages.ServiceState),
    "source": get_args(messages.Source),
    "clock": get_args(messages.ClockState),
    "flaw": flaws(),
    "flaw_do": flaws(),
    "counter": {each.name for each in fields(StatusCounters) if each.type in ("int", int)},
    "scope": SCOPES,
    "hrv": NEEDS,
    "model_kind": [*get_args(Kind), "beats"],
    "check": {each.name for each in ASKING},
    "verdict": get_args(Verdict),
    "phrase": {text.lower().replace(" ", "_") for text in annotations()},
    "code": {
        *codes(),
        *problems(),
        *(each.code for each in (DaemonError, *below(DaemonError))),
        *(record.NothingRecorded.code, record.MarkerRefused.code),
    },
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


@pytest.mark.parametrize("language", sorted(CATALOGUES))
@pytest.mark.parametrize("family", SAID)
def test_all_that_service_and_server_can_say_has_a_text(family: str, language: str) -> None:
    assert len(SAID[family]) > 1
    assert {f"{family}.{code}" for code in SAID[family]} - set(CATALOGUES[language]) == set()


def test_no_text_is_of_a_code_that_nobody_says() -> None:
    codes = {key.removeprefix("code.") for key in CATALOGUES["en"] if key.startswith("code.")}
    assert codes - SAID["code"] == {"no_answer", "other"}  # which the page says itself


def test_the_words_of_caution_are_the_service_s_own() -> None:
    words = CATALOGUES["en"]["caution.words"]

    assert words.casefold().rstrip(".") == CAUTION
