"""How the simulated board is set up."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.simulator.faults import Fault


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """The simulated board."""

    seed: int = 1  # of all its random numbers
    noise: float = 1.0  # times the noise of the datasheet; 0 for none
    #: by how much the chip's periods are longer than nominal (it may be +-15000)
    clock_error_ppm: float = 0.0
    spi_hz: int = 1_000_000  # SPI clock in Hz
    #: what is wrong with it, each as ``NAME[=VALUE][@START][+DURATION]`` (see
    #: :mod:`drivers.simulator.faults`)
    faults: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse with a ValueError what is out of range, and faults that are not known."""
        if not 0 <= self.noise <= 1000:
            raise ValueError(f"noise: {self.noise} is not between 0 and 1000")
        if not -50_000 <= self.clock_error_ppm <= 50_000:
            raise ValueError(f"clock_error_ppm: {self.clock_error_ppm} is not within +-50000")
        if not 18_000 <= self.spi_hz <= 20_000_000:
            raise ValueError(f"spi_hz: {self.spi_hz} is not between 18000 and 20000000")
        names = []
        for text in self.faults:
            try:
                names.append(Fault.parse(text).name)
            except ValueError as error:
                raise ValueError(f"faults: {error}") from None
        if len(set(names)) < len(names):
            raise ValueError("faults: each fault can be switched on once")
