"""What can be set on the decision, apart from what decides so that settings need no numpy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IdentifierOptions:
    """What can be set on the decision."""

    min_beats: int = 5  # good beats before the first decision
    max_beats: int = 10  # good beats that a decision looks back on
    #: false-positive identification rate to aim at: the part of strangers that is accepted, however
    #: many people are enrolled. A fixed group's model has its own thresholds
    fpir: float = 0.01
    #: templates that a person may gain from sure sessions; 0: only enrolment adds any. See
    #: ``model.fittings`` for what it costs
    grown_templates: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.min_beats <= 100:
            raise ValueError(f"min_beats: {self.min_beats} is not between 1 and 100")
        if not self.min_beats <= self.max_beats <= 100:
            raise ValueError(
                f"max_beats: {self.max_beats} is not between min_beats ({self.min_beats}) and 100"
            )
        if not 0.001 <= self.fpir <= 0.5:
            raise ValueError(f"fpir: {self.fpir} is not between 0.001 and 0.5")
        if not 0 <= self.grown_templates <= 5:
            raise ValueError(f"grown_templates: {self.grown_templates} is not between 0 and 5")
