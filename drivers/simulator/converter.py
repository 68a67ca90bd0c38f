"""When the simulated chip converts, what DRDY does, and the output register without a queue.

    START ...settling... DRDY falls ...period... DRDY falls ...period...

    DRDY, read     ‾‾‾‾‾‾|__|‾‾‾‾‾‾‾‾‾‾‾‾‾|__|‾‾‾‾‾‾‾     rises with the first SCLK edge
    DRDY, unread   ‾‾‾‾‾‾|________________|‾|_________     rises for 8 us only

Source: ADS1292R datasheet SBAS502, "Settling Time" and "Data Ready (DRDY)".
"""

from __future__ import annotations

import math
from collections.abc import Callable

from drivers.registers import Register
from drivers.simulator.faults import FaultBox
from drivers.simulator.inputs import Inputs
from drivers.simulator.register_file import RegisterFile

TCLK_S = 1 / 512_000
TMOD_S = 4 * TCLK_S

#: No bit may be clocked out in RDATAC mode for so long before DRDY falls. The high pulse of an
#: unread sample is taken to last as long; the datasheet does not say.
UPDATE_S = 4 * TCLK_S

_STATUS_FIXED = 0b1100 << 20


class Converter:
    """The delta-sigma converters' timing and their one output register.

    Args:
        clock_error: by what share the chip's periods are longer than nominal.
        on_ready: called with the time of each falling edge of DRDY.

    Attributes:
        next_s: when the conversion in progress completes; infinite while there is none.
        last_s: when the last one completed.
        unread: True from the fall of DRDY to the first SCLK edge.
        output: the nine bytes of the last conversion.
    """

    def __init__(
        self,
        inputs: Inputs,
        clock_error: float,
        on_ready: Callable[[float], None],
        faults: FaultBox,
    ) -> None:
        self._inputs = inputs
        self._stretch = 1 + clock_error
        self._on_ready = on_ready
        self._foreign_traffic = faults.get("foreign-traffic")
        self._first_s = 0.0
        self._count = 0
        self._period_tmod = 256
        self._single_shot = False
        self._stopping = False
        self._gpio_status = 0
        self._off = 0
        self.next_s = math.inf
        self.last_s = -math.inf
        self.unread = False
        self.clear()

    def clear(self) -> None:
        """Stop at once and empty the output register, as a reset does."""
        self.halt()
        self.output = _STATUS_FIXED.to_bytes(3, "big") + bytes(6)

    def halt(self) -> None:
        """Stop at once; DRDY is high."""
        self.next_s = math.inf
        self.unread = False

    def start(self, time_s: float, not_before_s: float = 0.0) -> None:
        """Start a settling conversion: DRDY rises, and falls when the filter has settled."""
        settling_tmod = 4 * self._period_tmod + 4
        self._first_s = max(time_s + settling_tmod * TMOD_S * self._stretch, not_before_s)
        self._count = 0
        self._stopping = False
        self.next_s = self._first_s
        self.unread = False

    def stop(self) -> None:
        """Let the conversion in progress be the last."""
        self._stopping = True

    @property
    def running(self) -> bool:
        """Tell whether conversions follow each other."""
        return self.next_s < math.inf and not self._stopping

    def set(self, registers: RegisterFile, time_s: float) -> None:
        """Follow the registers; the inputs live on the chip's own seconds."""
        self._period_tmod = 128_000 // registers.rate_hz
        self._single_shot = bool(registers[Register.CONFIG1] & 0x80)
        gpio = registers[Register.GPIO]
        # Pins used as inputs are tied to ground, outputs read back what they drive.
        self._gpio_status = (gpio & ~(gpio >> 2) & 0x03) << 13
        self._inputs.set(registers, time_s / self._stretch)

    def convert(self) -> int:
        """Complete the conversion in progress and return the comparators' bits for LOFF_STAT."""
        time_s = self.next_s
        off, ch1, ch2 = self._inputs.convert(time_s / self._stretch)
        status = _STATUS_FIXED | off << 15 | self._gpio_status
        frame = status << 48 | (ch1 & 0xFFFFFF) << 24 | ch2 & 0xFFFFFF
        self.output = frame.to_bytes(9, "big")
        self.last_s = time_s
        self._count += 1
        if self._single_shot or self._stopping:
            self.next_s = math.inf
        else:
            period_s = self._period_tmod * TMOD_S * self._stretch
            self.next_s = self._first_s + self._count * period_s
        traffic = self._foreign_traffic
        self.unread = not (traffic and traffic.strikes(time_s))
        self._on_ready(time_s)
        return off

    def ready_is_low(self, time_s: float) -> bool:
        """Return whether DRDY is low: while a sample is unread, except just before the next."""
        return self.unread and not self.next_s - UPDATE_S <= time_s < self.next_s
