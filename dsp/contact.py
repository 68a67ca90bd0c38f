"""Whether the electrodes touch the skin, from lead-off bits that flicker on real boards.

A bit that is set for a moment says that a comparator was near its threshold, not that somebody took
the electrodes off, which takes a second and more. So bits must be set, or clear, for a twentieth of
a second to count, and the samples in between count as lost: the bridge crosses them.
"""

from __future__ import annotations

from dsp.bridge import BRIDGED_SAMPLES

OFF_SAMPLES = (
    BRIDGED_SAMPLES  # flagged in a row, 48 ms, until the electrodes are off: as is bridged
)
ON_SAMPLES = 12  # clear in a row until they are on again
FORGIVEN = 0.5  # of a flagged sample by each clear one: bits set a third of the time mean off


class Contact:
    """Takes the lead-off bit of each sample.

    Attributes:
        off: whether an electrode is off.
        flickers: how often the bit was set too briefly to count.
    """

    def __init__(self) -> None:
        self.off = False
        self.flickers = 0
        self._doubt = 0.0
        self._flagged = False
        self._clear_in_a_row = 0

    def push(self, lead_off: bool) -> bool:
        """Take one bit and return whether to use the sample."""
        if lead_off:
            self._doubt = min(self._doubt + 1, OFF_SAMPLES)
            self._clear_in_a_row = 0
            self.off |= self._doubt >= OFF_SAMPLES
        elif self.off:
            self._clear_in_a_row += 1
            if self._clear_in_a_row >= ON_SAMPLES:
                self.off, self._doubt = False, 0.0
        elif self._doubt:
            self.flickers += self._flagged
            self._doubt = max(self._doubt - FORGIVEN, 0.0)
        self._flagged = lead_off
        return not (lead_off or self.off)
