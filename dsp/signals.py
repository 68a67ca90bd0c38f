"""What travels through the signal chain, with the unit in each field's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

#: The fewest lost samples in which the electrodes may change hands: 72 ms at 250 Hz, for which a
#: finger that taps as fast as it can, seven times a second, is in the air. Whoever takes over in a
#: shorter gap goes by the other's name until the change of heart shows: 2.4 s in the median of 29
#: pairs of ECG-ID, 4.2 s at most. With a computer's cores overloaded four times, and no SCHED_FIFO,
#: 6 gaps in ten minutes were as long; with it none was longer than 4 samples.
HANDOVER_SAMPLES = 18


@dataclass(slots=True)  # frozen, each of 250 a second would take four times as long to make
class Sample:
    """One reading of the ECG lead."""

    index: int  # the sample's number; ``index / rate`` is its time, and a jump means lost samples
    ecg_mv: float  # potential between the electrodes, raw
    lead_off: bool | None  # True if an electrode is off, None if the chip was not set up to tell
    saturated: bool = False  # True if the converter was at the end of its range


@dataclass(frozen=True, slots=True)
class RPeak:
    """A heartbeat, as soon as the detector is sure of it."""

    index: int  # the sample in which the R wave peaks
    amplitude_mv: float  # the conditioned signal at the R wave, with its sign
    rr_s: float | None  # seconds since the beat before, None after a start or a longer gap
    search_back: bool  # True if found late, with the lowered threshold of a search-back


@dataclass(frozen=True, slots=True)
class BeatQuality:
    """How far a beat can be trusted."""

    score: float  # 0 (useless) to 1 (clean)
    #: what is wrong with it, from ``saturated``, ``gap``, ``flat``, ``no_qrs``, ``noisy``,
    #: ``unlike_template``, ``no_t_wave``
    flaws: tuple[str, ...]
    #: whether beats of two shapes came again and again lately, as in bigeminy
    two_kinds: bool = False

    @property
    def good(self) -> bool:
        """Tell whether the beat may say who someone is."""
        return not self.flaws


@dataclass(frozen=True, slots=True)
class BeatWindow:
    """One beat cut out of the conditioned signal."""

    r_index: int  # the sample in which the R wave peaks; the R is at ``ecg_mv[70]``
    rr_s: float | None  # seconds since the beat before, None after a start or a longer gap
    ecg_mv: tuple[float, ...]  # 175 conditioned samples, 70 before the R and 105 from it on
    quality: BeatQuality  # whether the beat may say who someone is


@dataclass(frozen=True, slots=True)
class Interruption:
    """Samples are missing, or the signal broke off: filters begin anew unless it is bridged."""

    index: int  # the first sample after a gap, or the first without contact
    #: ``gap`` for lost samples, ``lead_off`` for an electrode that came off
    reason: Literal["gap", "lead_off"]
    lost: int  # how many samples the gap took; 0 for lead-off

    @property
    def wearer_may_differ(self) -> bool:
        """Tell whether what was gathered about the wearer no longer counts.

        Nobody hands the electrodes over in less than ``HANDOVER_SAMPLES``.
        """
        return self.reason == "lead_off" or self.lost >= HANDOVER_SAMPLES


@dataclass(frozen=True, slots=True)
class ContactRestored:
    """The electrodes touch the skin again."""

    index: int  # the first sample with contact


@dataclass(frozen=True, slots=True)
class LeadOffContradicted:
    """An ECG is there, beat after beat, though the electrodes are said to be off."""

    index: int  # the sample that completed the beat which left no doubt


Event: TypeAlias = RPeak | BeatWindow | Interruption | ContactRestored | LeadOffContradicted
