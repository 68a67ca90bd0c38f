"""What can be set on the signal chain, apart from the chain so that settings need no numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Suspicion: TypeAlias = Literal["too_clean", "repeated", "too_regular"]

IN_WORDS: dict[Suspicion, str] = {
    "too_clean": "too clean for a heart",
    "repeated": "its beats repeat",
    "too_regular": "as even as a clock",
}


@dataclass(frozen=True, slots=True)
class FrontEndOptions:
    """What can be set on the filters."""

    mains_hz: int = 50  # frequency of the grid, 50 or 60

    def __post_init__(self) -> None:
        if self.mains_hz not in (50, 60):
            raise ValueError(f"mains_hz: {self.mains_hz} is not one of 50, 60")


@dataclass(frozen=True, slots=True)
class LivenessOptions:
    """What to do about a signal that is no living heart's (see ``dsp.liveness``)."""

    #: ``refuse`` to accept nobody from then on, ``warn`` to say so only, or ``ignore``
    on_suspicion: Literal["refuse", "warn", "ignore"] = "refuse"

    def __post_init__(self) -> None:
        if self.on_suspicion not in ("refuse", "warn", "ignore"):
            raise ValueError(f"on_suspicion: {self.on_suspicion} is not refuse, warn or ignore")

    def refused(self, suspicion: Suspicion | None) -> Suspicion | None:
        """Return the suspicion if nobody is to be accepted or enrolled for it, else None."""
        return suspicion if self.on_suspicion == "refuse" else None


#: What ``model.rhythm`` finds.
EpisodeKind: TypeAlias = Literal[
    "pause",
    "asystole",
    "tachycardia",
    "bradycardia",
    "couplet",
    "ventricular_run",
    "bigeminy",
    "trigeminy",
    "atrial_fibrillation",
]


@dataclass(frozen=True, slots=True)
class RhythmOptions:
    """What is told of the kinds of beats and of the rhythm (see ``dsp.rhythm``)."""

    enabled: bool = True  # whether each beat's kind and the rhythm are told at all
    alarms: bool = False  # whether an episode is an alarm too; not a medical device
    pause_s: float = 2.0  # a longer interval between two beats is a pause
    asystole_s: float = 4.0  # no beat for longer, the electrodes on the skin, is asystole
    tachycardia_bpm: float = 100.0  # a higher rate is too fast
    bradycardia_bpm: float = 50.0  # a lower rate is too slow

    def __post_init__(self) -> None:
        for name, least, most in (
            ("pause_s", 1.5, 10),
            ("asystole_s", 3, 30),
            ("tachycardia_bpm", 80, 220),
            ("bradycardia_bpm", 20, 70),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name}: {getattr(self, name)} is not between {least} and {most}")
        if self.asystole_s <= self.pause_s:
            raise ValueError(f"asystole_s: {self.asystole_s} is not more than pause_s")
