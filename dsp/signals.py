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
    """One reading of the ECG lead.

    Attributes:
        index: the sample's number; ``index / rate`` is its time, and a jump means lost samples.
        time_s: ``index / rate`` in seconds since streaming began.
        ecg_mv: potential between the electrodes, raw.
        lead_off: True if an electrode is off, None if the chip was not set up to tell.
        saturated: True if the converter was at the end of its range.
    """

    index: int
    time_s: float
    ecg_mv: float
    lead_off: bool | None
    saturated: bool = False


@dataclass(frozen=True, slots=True)
class RPeak:
    """A heartbeat, as soon as the detector is sure of it.

    Attributes:
        index: the sample in which the R wave peaks.
        time_s: ``index / rate``.
        amplitude_mv: the conditioned signal at the R wave, with its sign.
        rr_s: seconds since the beat before, None after a start or a longer gap.
        search_back: True if found late, with the lowered threshold of a search-back.
    """

    index: int
    time_s: float
    amplitude_mv: float
    rr_s: float | None
    search_back: bool


@dataclass(frozen=True, slots=True)
class BeatQuality:
    """How far a beat can be trusted.

    Attributes:
        score: 0 (useless) to 1 (clean).
        flaws: what is wrong with it, from ``saturated``, ``gap``, ``flat``, ``no_qrs``, ``noisy``,
            ``unlike_template``, ``no_t_wave``.
        two_kinds: whether beats of two shapes came again and again lately, as in bigeminy.
    """

    score: float
    flaws: tuple[str, ...]
    two_kinds: bool = False

    @property
    def good(self) -> bool:
        """Tell whether the beat may say who someone is."""
        return not self.flaws


@dataclass(frozen=True, slots=True)
class BeatWindow:
    """One beat cut out of the conditioned signal.

    Attributes:
        r_index: the sample in which the R wave peaks; the R is at ``ecg_mv[70]``.
        rr_s: seconds since the beat before, None after a start or a longer gap.
        ecg_mv: 175 conditioned samples, 70 before the R and 105 from it on.
        quality: whether the beat may say who someone is.
    """

    r_index: int
    rr_s: float | None
    ecg_mv: tuple[float, ...]
    quality: BeatQuality


@dataclass(frozen=True, slots=True)
class Interruption:
    """Samples are missing, or the signal broke off. Unless the gap is bridged, filters begin anew.

    Attributes:
        index: the first sample after a gap, or the first without contact.
        reason: ``gap`` for lost samples, ``lead_off`` for an electrode that came off.
        lost: how many samples the gap took; 0 for lead-off.
    """

    index: int
    reason: Literal["gap", "lead_off"]
    lost: int

    @property
    def wearer_may_differ(self) -> bool:
        """Tell whether what was gathered about the wearer no longer counts.

        Nobody hands the electrodes over in less than ``HANDOVER_SAMPLES``.
        """
        return self.reason == "lead_off" or self.lost >= HANDOVER_SAMPLES


@dataclass(frozen=True, slots=True)
class ContactRestored:
    """The electrodes touch the skin again.

    Attributes:
        index: the first sample with contact.
    """

    index: int


@dataclass(frozen=True, slots=True)
class LeadOffContradicted:
    """An ECG is there, beat after beat, though the electrodes are said to be off.

    Attributes:
        index: the sample that completed the beat which left no doubt.
    """

    index: int


Event: TypeAlias = RPeak | BeatWindow | Interruption | ContactRestored | LeadOffContradicted
