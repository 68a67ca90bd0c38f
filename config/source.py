"""Where samples come from: all that the acquisition process has to know.

Nothing here imports numpy, so that the process that reads a real chip stays small and quick.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from drivers.chip_setup import ChipOptions
from drivers.raspberry import BoardOptions
from drivers.simulator.options import SimulatorOptions
from drivers.waveforms.options import AT_REST, InterferenceOptions

SHORTEST_S = 0.1  # no heartbeat fits in less


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """One entry of the simulated play: a heart, a recording, or a pause."""

    heart: int | None = None  # number of a synthetic heart
    ventricular: int = 0  # each so manyeth beat of the heart is one of the ventricles; 0 for none
    record: str | None = None  # path of a WFDB record or CSV file
    signal: str = "0"  # name or number of the record's signal
    identity: str | None = None  # file with the age key that opens the record if it is encrypted
    pause: float | None = None  # seconds during which nobody wears the electrodes
    #: how long to play; None for all of a record, and a minute of a heart
    seconds: float | None = None
    from_s: float = 0.0  # second of the heart or record to begin at

    def __post_init__(self) -> None:
        if sum(what is not None for what in (self.heart, self.record, self.pause)) != 1:
            raise ValueError("heart, record, pause: give just one of them")
        for name in ("pause", "seconds"):
            value = getattr(self, name)
            if value is not None and value < SHORTEST_S:
                raise ValueError(f"{name}: {value} is below {SHORTEST_S}")
        if self.ventricular and (self.heart is None or self.ventricular < 2):
            raise ValueError(f"ventricular: {self.ventricular} is not 2 or more, of a heart")
        for name in ("heart", "from_s"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name}: {value} is below 0")


#: Two synthetic hearts that the shipped model tells apart, as few are unlike enough for it.
TWO_HEARTS = (
    PlayOptions(heart=64, seconds=60.0),
    PlayOptions(pause=3.0),
    PlayOptions(heart=82, seconds=60.0),
    PlayOptions(pause=3.0),
)


@dataclass(frozen=True, slots=True)
class SimulatedOptions:
    """The simulated chip and who wears its electrodes."""

    play: tuple[PlayOptions, ...] = TWO_HEARTS  # one entry after another
    repeat: bool = True  # begin again after the last entry; else the service ends with it
    #: noise, clock error and faults of the chip
    chip: SimulatorOptions = field(default_factory=SimulatorOptions)
    #: what the electrodes pick up besides synthetic hearts; recordings bring their own
    noise: InterferenceOptions = AT_REST

    def __post_init__(self) -> None:
        if not self.play:
            raise ValueError("play: there is nothing to play")


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Where samples come from."""

    #: ``chip`` for the ADS1292R on its board, ``simulated`` for the simulator
    source: Literal["chip", "simulated"] = "chip"
    board: BoardOptions = field(default_factory=BoardOptions)  # how the chip is wired
    chip: ChipOptions = field(default_factory=ChipOptions)  # how it is set up, real or simulated
    #: what the simulator plays
    simulated: SimulatedOptions = field(default_factory=SimulatedOptions)
