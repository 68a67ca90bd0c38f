"""What can go wrong with the chip, its wires and its reader: faults F1 to F17, switched on by name.

A fault is written as text, so that settings, the command line and tests say it alike:

    NAME[=VALUE][@START][+DURATION]        brown-out@12    wrong-id=0x52    electrode-off@10+5

Times are seconds since the board was opened; for what the electrodes see (F11, F12) they are
seconds of what is playing. Each fault draws from its own random numbers, so that switching one on
does not change another.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from random import Random

_NOTATION = re.compile(
    r"(?P<name>[a-z0-9-]+?)(=(?P<value>[^@+]+))?(@(?P<start>[\d.]+))?(\+(?P<duration>[\d.]+))?"
)


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One entry of the catalogue."""

    number: str  # F1 to F17
    seen: str  # what the user would see of it
    value: float = 0.0  # what VALUE is when it is not given
    meaning: str = ""  # what VALUE is, with its unit; empty where the fault takes none


CATALOGUE: dict[str, FaultKind] = {
    "no-chip-00": FaultKind("F1", "MISO reads 00 for ever, DRDY never falls: no chip, no power"),
    "no-chip-ff": FaultKind("F1", "MISO reads FF for ever, DRDY never falls: MISO open"),
    "wrong-id": FaultKind("F2", "another part answers, or a bad joint", 0x53, "ID register"),
    "sdatac-swallowed": FaultKind("F3", "the ID looks like samples", 1, "commands swallowed"),
    "zero-frames": FaultKind(
        "F4", "all-zero frames although the registers are right", 1 / 20, "share of resets"
    ),
    "byte-slip": FaultKind("F5", "frames shifted by whole bytes", 1, "bytes"),
    "bit-slip": FaultKind("F5", "frames shifted by single bits", 1, "bits"),
    "drdy-stuck-high": FaultKind("F6", "DRDY never falls: START or PWDN low, no clock"),
    "drdy-stuck-low": FaultKind("F6", "DRDY never rises: shorted, or its edge was missed"),
    "missing-edges": FaultKind("F7", "samples without an interrupt", 0.01, "share of edges"),
    "duplicate-edges": FaultKind("F7", "two interrupts for one sample", 0.01, "share of edges"),
    "lgpio-hold": FaultKind("F7", "each edge is told 0.5 to 1 ms late", 0.0005, "least delay in s"),
    "reader-pause": FaultKind(
        "F7", "once a second the reader stands still", 0.020, "s (GC 0.02, GIL 0.035)"
    ),
    "brown-out": FaultKind("F8", "all registers at reset values in mid-run, 500 samples/s"),
    "clock-error": FaultKind("F9", "samples come early or late", 15_000, "ppm longer periods"),
    "bad-trim": FaultKind("F10", "wrong ID together with a 3 % wrong rate", 0x80, "ID register"),
    "mains": FaultKind("F11", "hum on both channels", 50, "Hz"),
    "wander": FaultKind("F11", "the baseline moves with the breath", 0.5, "amplitude in mV"),
    "electrode-off": FaultKind("F12", "both channels at the rail, lead-off bits set"),
    "register-flip": FaultKind(
        "F13", "a register differs from what was written", 0x0510, "0xAABB: address, bits"
    ),
    "spi-error": FaultKind("F14", "the kernel fails a transfer", 1.0, "share of transfers"),
    "ads1292": FaultKind(
        "F15", "a part without respiration: its settings spoil the data", 0x53, "ID register"
    ),
    "foreign-traffic": FaultKind(
        "F16", "DRDY rises although nobody read: another device on SPI0", 0.1, "share of samples"
    ),
    "slow-reference": FaultKind("F17", "early samples too large", 10, "times slower than 100 ms"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that is switched on."""

    name: str  # its name in :data:`CATALOGUE`
    value: float  # what the catalogue says its value means
    #: when it begins; None if that was not said, which mostly means from the beginning
    start_s: float | None
    duration_s: float  # how long it lasts

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read ``NAME[=VALUE][@START][+DURATION]``.

        Raises:
            ValueError: the notation or the name is not known.
        """
        match = _NOTATION.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not NAME[=VALUE][@START][+DURATION]")
        name, value, start, duration = match.group("name", "value", "start", "duration")
        if name not in CATALOGUE:
            raise ValueError(f"{name!r} is not one of {', '.join(CATALOGUE)}")
        return cls(
            name=name,
            value=CATALOGUE[name].value if value is None else _number(text, value),
            start_s=None if start is None else _number(text, start),
            duration_s=math.inf if duration is None else _number(text, duration),
        )


def _number(text: str, number: str) -> float:
    try:
        return float(int(number, 16)) if number.startswith("0x") else float(number)
    except ValueError:
        raise ValueError(f"{text!r}: {number!r} is not a number") from None


class ActiveFault:
    """A fault with its times and its own random numbers."""

    def __init__(self, fault: Fault, seed: int) -> None:
        self.value = fault.value
        self.start_s = fault.start_s
        self._begins_s = fault.start_s or 0.0
        self._ends_s = self._begins_s + fault.duration_s
        self.random = Random(f"{seed} {fault.name}")

    def active(self, time_s: float) -> bool:
        """Tell whether the fault acts at ``time_s``."""
        return self._begins_s <= time_s < self._ends_s

    def strikes(self, time_s: float) -> bool:
        """Tell whether a fault whose value is a share strikes this time."""
        return self.active(time_s) and self.random.random() < self.value


class FaultBox:
    """The faults of one board, by name."""

    def __init__(self, faults: tuple[str, ...], seed: int) -> None:
        parsed = (Fault.parse(text) for text in faults)
        self._faults = {fault.name: ActiveFault(fault, seed) for fault in parsed}

    def get(self, name: str) -> ActiveFault | None:
        """Return the named fault if it is switched on."""
        return self._faults.get(name)

    def all_of(self, *names: str) -> tuple[ActiveFault, ...]:
        """Return those of the named faults that are switched on."""
        return tuple(fault for name in names if (fault := self._faults.get(name)))
