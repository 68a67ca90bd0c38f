"""The parts of a status message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from drivers.counters import Counters

SchedulingPolicy: TypeAlias = Literal["SCHED_FIFO", "SCHED_OTHER"]


@dataclass(frozen=True, slots=True)
class EnrolmentStatus:
    """An enrolment under way.

    Attributes:
        person: who is being enrolled.
        beats: good beats gathered so far.
        needed: good beats that it takes.
    """

    person: str
    beats: int
    needed: int


@dataclass(frozen=True, slots=True)
class StatusCounters(Counters):
    """What was counted; the driver's counts are since the acquisition process started.

    Attributes:
        lost: samples lost since the service started, restarts of the acquisition included.
        received: samples that the service took, since it started.
        restarts: of the acquisition process.
        queued_max: most samples that ever waited for the service.
        published_latency_max_s: longest time from DRDY to the message.
        dropped: samples that the service was too slow for.
        rate_hz: measured rate of the chip's clock; left out before it is known.
    """

    received: int = 0
    restarts: int = 0
    queued_max: int = 0
    published_latency_max_s: float = 0.0
    dropped: int = 0
    rate_hz: float | None = None


@dataclass(frozen=True, slots=True)
class ChipCondition:
    """Something that is not as it should be, though samples come.

    Attributes:
        condition: its code.
        message: for people.
    """

    condition: str
    message: str


@dataclass(frozen=True, slots=True)
class Failure:
    """What ended the acquisition process.

    Attributes:
        error: its code.
        message: for people.
    """

    error: str
    message: str


@dataclass(frozen=True, slots=True)
class ChipStatus:
    """How the chip was read back to be set up, and what there is to say of it.

    Attributes:
        part: name by the ID register; null, as all the set-up, if it could not be set up.
        rate_hz: nominal samples a second.
        gains: of channels 1 and 2.
        vref_v: reference in volts.
        ecg_channel: 1 or 2.
        respiration_channel: 1; null without respiration.
        lead_off_known: whether the lead-off bits mean anything.
        lead_off_mask: bits of the status word that concern the ECG electrodes.
        registers: all twelve, by address.
        simulated: whether it is the simulator.
        conditions: what is not as it should be; null before the driver has told.
        last_fault: why it was last set up again, for people; null if it never was.
        last_fault_code: the same for programs.
        error: what ended acquisition; null while it runs.
    """

    part: str | None = None
    rate_hz: float | None = None
    gains: tuple[int, int] | None = None
    vref_v: float | None = None
    ecg_channel: int | None = None
    respiration_channel: int | None = None
    lead_off_known: bool | None = None
    lead_off_mask: int | None = None
    registers: tuple[int, ...] | None = None
    simulated: bool | None = None
    conditions: tuple[ChipCondition, ...] | None = None
    last_fault: str | None = None
    last_fault_code: str | None = None
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The model in use.

    Attributes:
        name: of the model.
        kind: ``embedder`` or ``classifier``.
        sha256: of its file.
        runtime: what runs it.
        people_sealed: whether the enrolled people are encrypted on the disk.
    """

    name: str
    kind: str
    sha256: str
    runtime: str
    people_sealed: bool


@dataclass(frozen=True, slots=True)
class Scheduling:
    """What the acquisition process got of what it asked for.

    Attributes:
        policy: ``SCHED_FIFO`` if it goes before all ordinary processes.
        cpu: the processor it has to itself; null where there are too few.
        memory_locked: whether its memory cannot be paged out.
    """

    policy: SchedulingPolicy
    cpu: int | None
    memory_locked: bool
