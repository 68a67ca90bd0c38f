"""Faults F1 to F17 of the chip, each through the whole service: what becomes of it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.soak.virtual_time import START_S
from daemon.commands.exit_codes import exit_code
from daemon.service.pipeline import Pipeline
from daemon.wire.messages import WaveMessage
from drivers.chip_setup import ChipOptions
from drivers.simulator.faults import CATALOGUE, Fault
from tests.reliability.observed import Observed, scene
from tests.reliability.page import PAGE, Row, cases_on

Report = Callable[[Row], None]
HEALED = ""  # a later life of the chip, without the fault


@dataclass(frozen=True)
class Case:
    """Faults of a chip in its first life, its second ... and how it is set up."""

    number: str
    lives: tuple[str, ...]
    note: str = ""
    chip: ChipOptions = field(default_factory=ChipOptions)
    until_s: float = 11.0

    @property
    def name(self) -> str:
        note = f", {self.note}" if self.note else ""
        return f"{self.number} `{self.lives[0]}`{note}"

    @property
    def begin_s(self) -> float:
        return START_S + (Fault.parse(self.lives[0]).start_s or 0.0)


CASES = [
    Case("F1", ("no-chip-00",)),
    Case("F1", ("no-chip-ff",)),
    Case("F1", ("no-chip-00@5", "no-chip-00"), "for good", until_s=60),
    Case("F1", ("no-chip-00@5", "no-chip-00+0.1", HEALED), "back at the second start"),
    Case("F1", ("no-chip-ff@5+1",)),
    Case("F2", ("wrong-id=0x53",)),
    Case("F2", ("wrong-id=0xBF",)),
    Case("F3", ("sdatac-swallowed",)),
    Case("F3", ("sdatac-swallowed=1000",)),
    Case("F4", ("zero-frames=0.4",)),
    Case("F4", ("zero-frames=1",)),
    Case("F5", ("byte-slip@5", "byte-slip"), "for good", until_s=60),
    Case("F5", ("byte-slip@5+1",)),
    Case("F5", ("bit-slip@5+0.015",)),
    Case("F6", ("drdy-stuck-high@5", "drdy-stuck-high"), "for good", until_s=60),
    Case("F6", ("drdy-stuck-high@5+0.5",)),
    Case("F6", ("drdy-stuck-low@5", "drdy-stuck-low"), "for good", until_s=60),
    Case("F6", ("drdy-stuck-low@5+0.040",)),
    Case("F7", ("missing-edges=0.01",)),
    Case("F7", ("duplicate-edges=0.1",)),
    Case("F7", ("lgpio-hold",)),
    Case("F7", ("reader-pause=0.020",)),
    Case("F7", ("reader-pause=0.035",), "RDATAC", ChipOptions(read_mode="rdatac")),
    Case("F8", ("brown-out@5",)),
    Case("F9", ("clock-error=15000",)),
    Case("F10", ("bad-trim",)),
    Case("F11", ("mains=50",)),
    Case("F11", ("wander=0.5",)),
    Case("F12", ("electrode-off@5+2",)),
    Case(
        "F12", ("electrode-off@5+2",), "lead-off detection not set up", ChipOptions(lead_off=False)
    ),
    Case("F13", ("register-flip=0x0510",), "at set-up"),
    Case("F13", ("register-flip=0x0103@5",), "the rate"),
    Case("F13", ("register-flip=0x0510@5",), "the gain"),
    Case("F14", ("spi-error=0.01@3",)),
    Case("F14", ("spi-error@5", "spi-error"), "for good", until_s=60),
    Case("F15", ("ads1292",)),
    Case("F15", ("ads1292",), "respiration not asked for", ChipOptions(respiration=False)),
    Case("F16", ("foreign-traffic=0.5",)),
    Case("F17", ("slow-reference=3",)),
    Case("F17", ("slow-reference=300",)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_of_the_chip(case: Case, tmp_path: Path, report: Report) -> None:
    lives = [(life,) if life else () for life in case.lives]
    with scene(tmp_path) as service:
        observed = service.run(*lives, until_s=case.until_s, chip=case.chip)
    check_sum(observed)
    report(row(case, observed))


def test_lead_off_bits_that_flicker_are_counted_in_the_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pipeline, "lead_off_flickers", 7)
    with scene(tmp_path) as service:
        observed = service.run(until_s=4.0)
    assert observed.last.counters.lead_off_flickers == 7


def check_sum(observed: Observed) -> None:
    """Every sample from the first to the last was received, or counted as lost."""
    waves = [said for _, said, _ in observed.said if isinstance(said, WaveMessage)]
    if waves:
        counters = observed.last.counters
        assert observed.last.index is not None
        produced = observed.last.index + 1 - waves[0].index
        assert counters.received + counters.lost == produced


def row(case: Case, observed: Observed) -> Row:
    found = observed.detected(case.begin_s)
    lost, recovers = f"{observed.last.counters.lost:.0f}", "yes"
    if observed.error:
        lost = "all" if observed.last.index is None else "all that follow"
        seconds = observed.statuses[-1][0] - case.begin_s
        recovers = f"no: ends with {exit_code(observed.error)} after {seconds:.0f} s"
    else:
        assert [status.state for _, status in observed.statuses][-2] == "running"
    return Row(
        case.name,
        ", ".join(found) or "-",
        f"{min(found.values()):.1f} s" if found else "-",
        told(observed, case.begin_s),
        lost,
        recovers,
    )


def told(observed: Observed, begin_s: float) -> str:
    """Return what says most of what the user reads."""
    if observed.error:
        return str(observed.error)
    warnings = [text for at_s, text in observed.warnings if at_s >= begin_s]
    causes = [text for text in warnings if text.startswith("The chip was set up again")]
    others = [text for text in warnings if text != "no samples come"]
    if causes or others:
        return (causes or others)[0]
    return "the status shows it" if observed.detected(begin_s) else "nothing: there is no harm"


def test_every_fault_of_the_simulator_is_in_the_matrix() -> None:
    assert {Fault.parse(case.lives[0]).name for case in CASES} == set(CATALOGUE)
    assert all(CATALOGUE[Fault.parse(c.lives[0]).name].number == c.number for c in CASES)


def test_every_case_is_on_the_page() -> None:
    on_page = cases_on(PAGE.read_text())
    assert [case.name for case in CASES] == on_page[: len(CASES)]
