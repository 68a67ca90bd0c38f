"""How strong the interference is; apart from what makes it, so that settings need no numpy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InterferenceOptions:
    """How strong each kind is; all off by default."""

    offset_mv: float = 0.0  # constant difference between the electrodes' half-cell potentials
    mains_mv: float = 0.0  # amplitude of the mains hum
    mains_hz: float = 50.0  # its frequency; 50.3 is as possible as 50
    wander_mv: float = 0.0  # standard deviation of the baseline's wander
    muscle_mv: float = 0.0  # standard deviation of the muscles' noise
    seed: int = 0  # another seed is other noise

    def __post_init__(self) -> None:
        for field in ("mains_mv", "wander_mv", "muscle_mv"):
            if getattr(self, field) < 0:
                raise ValueError(f"{field}: {getattr(self, field)} is below 0")
        if not 45 <= self.mains_hz <= 65:
            raise ValueError(f"mains_hz: {self.mains_hz} is not within 45 and 65")


#: What wet electrodes on a person at rest pick up.
AT_REST = InterferenceOptions(offset_mv=12.0, mains_mv=0.02, wander_mv=0.05, muscle_mv=0.01)
