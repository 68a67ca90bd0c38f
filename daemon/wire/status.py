"""The parts of a status message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from drivers.counters import Counters

SchedulingPolicy: TypeAlias = Literal["SCHED_FIFO", "SCHED_OTHER"]


@dataclass(frozen=True, slots=True)
class EnrolmentStatus:
    """An enrolment under way."""

    person: str  # who is being enrolled
    beats: int  # good beats gathered so far
    needed: int  # good beats that it takes


@dataclass(frozen=True, slots=True)
class StatusCounters(Counters):
    """What was counted; the driver's counts are since the acquisition process started."""

    lost: int = 0  # samples lost since the service started, restarts of the acquisition included
    received: int = 0  # samples that the service took, since it started
    restarts: int = 0  # of the acquisition process
    lead_off_flickers: int = 0  # lead-off bits set too briefly to mean that an electrode is off
    queued_max: int = 0  # most samples that ever waited for the service
    published_latency_max_s: float = 0.0  # longest time from DRDY to the message
    dropped: int = 0  # samples that the service was too slow for
    rate_hz: float | None = None  # measured rate of the chip's clock; left out before it is known


@dataclass(frozen=True, slots=True)
class ChipCondition:
    """Something that is not as it should be, though samples come."""

    condition: str  # its code
    message: str  # for people


@dataclass(frozen=True, slots=True)
class Failure:
    """What ended the acquisition process."""

    error: str  # its code
    message: str  # for people


@dataclass(frozen=True, slots=True)
class ChipStatus:
    """How the chip was read back to be set up, and what there is to say of it."""

    #: name by the ID register; null, as all the set-up, if it could not be set up
    part: str | None = None
    rate_hz: float | None = None  # nominal samples a second
    gains: tuple[int, int] | None = None  # of channels 1 and 2
    vref_v: float | None = None  # reference in volts
    ecg_channel: int | None = None  # 1 or 2
    respiration_channel: int | None = None  # 1; null without respiration
    lead_off_known: bool | None = None  # whether the lead-off bits mean anything
    lead_off_mask: int | None = None  # bits of the status word that concern the ECG electrodes
    registers: tuple[int, ...] | None = None  # all twelve, by address
    simulated: bool | None = None  # whether it is the simulator
    #: what is not as it should be; null before the driver has told
    conditions: tuple[ChipCondition, ...] | None = None
    last_fault: str | None = None  # why it was last set up again, for people; null if it never was
    last_fault_code: str | None = None  # the same for programs
    error: Failure | None = None  # what ended acquisition; null while it runs


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The model in use."""

    name: str  # of the model
    kind: str  # ``embedder`` or ``classifier``
    sha256: str  # of its file
    runtime: str  # what runs it
    people_sealed: bool  # whether the enrolled people are encrypted on the disk


@dataclass(frozen=True, slots=True)
class Scheduling:
    """What the acquisition process got of what it asked for."""

    policy: SchedulingPolicy  # ``SCHED_FIFO`` if it goes before all ordinary processes
    cpu: int | None  # the processor it has to itself; null where there are too few
    memory_locked: bool  # whether its memory cannot be paged out
