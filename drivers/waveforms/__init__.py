"""What the simulated electrodes see: recordings, synthetic hearts and everyday interference.

The simulated chip knows nothing but :class:`Electrodes`; what is behind them is chosen here.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Contact(NamedTuple):
    """What the electrodes present to the chip at one moment."""

    ch1_mv: float  # potential between the inputs of channel 1 in mV (respiration)
    ch2_mv: float  # potential between the inputs of channel 2 in mV (the ECG lead)
    lead_off: bool  # True while an ECG electrode does not touch the skin


class Electrodes(Protocol):
    """A pair of electrodes on somebody, as a function of time.

    The chip asks for its k-th conversion at ``k / rate`` by its own nominal rate, so that at 250 Hz
    a recording comes out sample for sample. Times never run backwards.
    """

    @property
    def duration_s(self) -> float | None:
        """Seconds until the end, or None if there is none."""

    def playing(self, time_s: float) -> str:
        """Name what the electrodes see at ``time_s``; empty after the end."""

    def at(self, time_s: float) -> Contact:
        """Return what the electrodes see at ``time_s``; lead-off after the end."""
