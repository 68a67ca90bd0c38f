"""Runs one check after another; after a failure it skips only those that need what failed.

fine      as it should be
note      works, but somebody may want to know, or could do better
wrong     says what to do
skipped   could not be looked at, or need not be, and says why
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from config.errors import KeysError, SettingsError
from daemon.doctor.visit import Visit
from daemon.errors import DaemonError
from daemon.recordings.errors import RecordingError
from drivers.errors import DriverError
from model.errors import ModelError

Verdict: TypeAlias = Literal["fine", "note", "wrong", "skipped"]
Look: TypeAlias = Callable[[Visit], "Finding | Iterator[Finding]"]

#: What says in its own words what is wrong and what to do.
EXPLAINED = (DaemonError, DriverError, KeysError, ModelError, RecordingError, SettingsError)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check."""

    verdict: Verdict
    says: str  # what was found and, unless it is fine, what to do
    #: what was measured, by names with their units
    figures: Mapping[str, float] = field(default_factory=dict)
    about: str = ""  # the check, and which part of it where there are several


@dataclass(frozen=True, slots=True)
class Check:
    """One check."""

    name: str  # as printed
    look: Look  # returns or yields what it finds, or raises one of EXPLAINED
    needs: tuple[Check, ...] = ()  # what must not be wrong for this to make sense
    hardware: bool = False  # whether there is nothing to look at with a simulated chip


def check(name: str, *needs: Check, hardware: bool = False) -> Callable[[Look], Check]:
    """Make a check of the function that looks."""
    return lambda look: Check(name, look, needs, hardware)


def fine(says: str, **figures: float) -> Finding:
    """Return the finding that all is well."""
    return Finding("fine", says, figures)


def note(says: str, **figures: float) -> Finding:
    """Return a finding that is worth knowing and no failure."""
    return Finding("note", says, figures)


def wrong(says: str, **figures: float) -> Finding:
    """Return the finding of something that needs mending."""
    return Finding("wrong", says, figures)


def skipped(says: str) -> Finding:
    """Return the finding that there is no need to look; what rests on it is looked at."""
    return Finding("skipped", says)


def walk(checks: Iterable[Check], visit: Visit) -> Iterator[Finding]:
    """Run the checks in order, and yield what they find."""
    failed: set[str] = set()
    for step in checks:
        for finding in _look(step, visit, failed):
            if finding.verdict == "wrong":
                failed.add(step.name)
            yield replace(finding, about=finding.about or step.name)


def _look(step: Check, visit: Visit, failed: set[str]) -> Iterator[Finding]:
    missing = [needed.name for needed in step.needs if needed.name in failed]
    if missing:
        failed.add(step.name)
        yield skipped(f"first mend: {', '.join(missing)}")
        return
    if step.hardware and visit.simulated:
        yield skipped("the simulated chip needs none")
        return
    try:
        found = step.look(visit)
        yield from [found] if isinstance(found, Finding) else found
    except EXPLAINED as error:
        yield wrong(str(error))
