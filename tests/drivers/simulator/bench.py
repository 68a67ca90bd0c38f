"""A bench for the simulated chip: send it bytes in hexadecimal, note when its DRDY falls."""

from __future__ import annotations

from drivers.simulator.chip import SimulatedAds1292r
from drivers.simulator.options import SimulatorOptions
from drivers.waveforms import Contact

TCLK_S = 1 / 512_000
SLOW = 1_000_000
FAST = 4_000_000

RESET_VALUES = "73 02 80 10 00 00 00 00 00 00 02 0C"


class Ramp:
    """Channel 2 climbs by 0.01 mV a sample at 250 Hz; channel 1 rests at -1 mV."""

    duration_s = None

    def playing(self, time_s: float) -> str:
        return "ramp"

    def at(self, time_s: float) -> Contact:
        return Contact(-1.0, 2.5 * time_s, False)


class Bench:
    """A chip with power just applied, and the times at which its DRDY fell."""

    def __init__(self, *faults: str, noise: float = 0.0, clock_error_ppm: float = 0.0) -> None:
        self.fell: list[float] = []
        options = SimulatorOptions(
            noise=noise, clock_error_ppm=clock_error_ppm, faults=faults, spi_hz=SLOW
        )
        self.chip = SimulatedAds1292r(Ramp(), options, self.fell.append)
        self.wait(1.0)

    def wait(self, seconds: float) -> None:
        self.chip.advance(self.chip.time_s + seconds)

    def send(self, text: str, sclk_hz: float = SLOW, hold_s: float = 10e-6) -> str:
        """Exchange hexadecimal bytes in one chip-select frame."""
        return self.chip.transfer(bytes.fromhex(text), sclk_hz, hold_s).hex(" ").upper()

    def registers(self) -> str:
        return self.send("20 0B" + " 00" * 12)[6:]

    def frame(self) -> str:
        """Read a frame with RDATA."""
        return self.send("12" + " 00" * 9)[3:]

    def convert(self, conversions: int = 1) -> None:
        """Let so many more conversions complete."""
        for _ in range(conversions):
            self.chip.advance(self.chip.next_s)


def running(*faults: str, config1: str = "01", noise: float = 0.0, ppm: float = 0.0) -> Bench:
    """Return a chip that converts channel 2 at gain 6 with a settled 2.42 V reference."""
    bench = Bench(*faults, noise=noise, clock_error_ppm=ppm)
    bench.send("11")
    bench.send("42 00 A0")
    bench.send(f"41 00 {config1}")
    bench.wait(0.2)
    bench.chip.set_start(True)
    return bench


def counts(frame: str) -> tuple[int, int]:
    data = bytes.fromhex(frame)
    return int.from_bytes(data[3:6], "big", signed=True), int.from_bytes(
        data[6:], "big", signed=True
    )
