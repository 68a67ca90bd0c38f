"""What the service says to its subscribers; ``daemon.wire.codec`` makes bytes of it.

docs/protocol.md tells the same to clients in any language, docs/messages.schema.json to machines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal, TypeAlias, get_args

from daemon.wire.status import ChipStatus, EnrolmentStatus, ModelStatus, Scheduling, StatusCounters

SCHEMA = 1

#: Numbers whose range the JSON Schema tells.
Count: TypeAlias = Annotated[int, ("minimum", 0)]
Share: TypeAlias = Annotated[float, ("minimum", 0), ("maximum", 1)]
NotNegative: TypeAlias = Annotated[float, ("minimum", 0)]
Positive: TypeAlias = Annotated[float, ("exclusiveMinimum", 0)]

Source: TypeAlias = Literal["ads1292r", "simulated"]
ServiceState: TypeAlias = Literal["starting", "running", "recovering", "ended", "stopping"]
ClockState: TypeAlias = Literal["unset", "set", "stepped"]
CLOCK_UNSET_BEFORE_S = datetime(2023, 1, 1, tzinfo=UTC).timestamp()  # nobody ran qrsd before
ContactState: TypeAlias = Literal["on", "off", "unknown"]
IdentityState: TypeAlias = Literal["accepted", "unknown", "undecided", "no_contact", "suspect"]
Hint: TypeAlias = Literal[
    "electrodes_swapped",
    "lead_off_contradicted",
    "two_kinds_of_beats",
    "no_good_beats",
    "heart_changed",
    "unfamiliar_signal",
    "too_clean",
    "repeated",
    "too_regular",
]
HrvReason: TypeAlias = Literal["too_short", "too_many_corrected", "constant"]
Kind: TypeAlias = Literal["N", "S", "V", "F", "Q"]
RhythmName: TypeAlias = Literal["sinus", "atrial_fibrillation", "bigeminy", "trigeminy", "unknown"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who said a message, as which of its topic, and when its sample was taken."""

    device: str  # name of the device
    #: UUID of this run of the service; another one means that it was restarted
    boot: Annotated[str, ("format", "uuid")]
    sequence: Count  # 0 for the first message of its topic in this run, then one more each
    utc: datetime  # when the sample ``index`` of the message was taken
    source: Source  # ``simulated`` if no real chip is behind it
    #: how long ago it was said for the first time; 0 unless it is said again for a subscriber who
    #: has just come
    age_s: NotNegative = 0.0


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """How the service and its electrodes are: each second, and whenever something changes."""

    TOPIC: ClassVar[str] = "status"

    index: Count | None  # number of the newest sample; None before the first
    state: ServiceState  # ``ended`` when a simulated playlist is over
    contact: ContactState  # ``unknown`` if the chip is not set up to tell
    heart_rate_bpm: Positive | None  # None without beats
    quality: Share | None  # of the newest beat, 0 to 1; None without beats
    playing: str | None  # what the simulated electrodes see; None on a real chip
    counters: StatusCounters  # frames, lost samples and other counts
    #: how the chip was read back to be set up, or why it was not; None before
    chip: ChipStatus | None
    model: ModelStatus | None  # the model in use
    #: what the acquisition process got of what it asked for; None before
    scheduling: Scheduling | None
    enrolment: EnrolmentStatus | None  # None unless one is under way
    #: fitted time of the newest sample minus the clock; None before the fit
    clock_offset_s: float | None
    #: ``unset`` if the machine's clock was never set since it booted, ``stepped`` if it was set
    #: while somebody wears the electrodes: ``utc`` takes it over once nobody does
    clock: ClockState


@dataclass(frozen=True, slots=True)
class IdentityMessage:
    """Who wears the electrodes: after each beat, and whenever it changes."""

    TOPIC: ClassVar[str] = "identity"

    index: Count  # the sample that decided it
    #: ``undecided`` while there are too few good beats, ``unknown`` for a stranger, ``suspect`` if
    #: the signal is played rather than a living heart's
    state: IdentityState
    person: str | None  # the enrolled name if accepted, else None
    #: probability that ``accepted`` or ``unknown`` is right; None otherwise
    confidence: Share | None
    beats: Count  # good beats behind the decision
    #: what else there is to say; None otherwise. The electrodes are ``electrodes_swapped`` if the
    #: signal upside down would be accepted, and ``lead_off_contradicted`` if an ECG is there though
    #: they are said to be off; there are ``two_kinds_of_beats`` if extrasystoles come again and
    #: again; ``no_good_beats`` and ``heart_changed`` say why the evidence was dropped; an
    #: ``unfamiliar_signal`` is unlike all that the model knows, and takes more to be accepted; the
    #: others are why the signal is suspect (``dsp.liveness``), to be had beside any state if set to
    #: warn
    hint: Hint | None = None


@dataclass(frozen=True, slots=True)
class RPeakMessage:
    """A heartbeat, as soon as the detector is sure of it."""

    TOPIC: ClassVar[str] = "r_peak"

    index: Count  # the sample in which the R wave peaks
    amplitude_mv: float  # the conditioned signal there, with its sign
    rr_s: Positive | None  # seconds since the beat before; None after a start or a longer gap
    search_back: bool  # True if found late, with the lowered threshold of a search-back


@dataclass(frozen=True, slots=True)
class BeatMessage:
    """A whole beat, and whether it may say who someone is."""

    TOPIC: ClassVar[str] = "beat"

    index: Count  # the sample that completed the beat
    r_index: Count  # the sample in which its R wave peaks
    rr_s: Positive | None  # seconds since the beat before; None after a start or a longer gap
    heart_rate_bpm: Positive | None  # None until there are enough beats
    quality: Share  # 0 (useless) to 1 (clean)
    #: from ``saturated``, ``gap``, ``flat``, ``no_qrs``, ``noisy``, ``unlike_template``,
    #: ``no_t_wave``; empty for a good beat
    flaws: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Breathing:
    """What one wave says of the last minute's breathing."""

    rate_per_min: Positive | None  # None if the quality is too low to tell
    quality: Share | None  # share of the power in one peak; None without such a wave


@dataclass(frozen=True, slots=True)
class HrvMessage:
    """Heart rate variability of the last five minutes, and breathing, each ten seconds."""

    TOPIC: ClassVar[str] = "hrv"

    index: Count  # the newest sample
    duration_s: NotNegative  # the sum of the intervals between beats that it is measured of
    intervals: Count  # how many there are, after correction
    corrected: Share  # how many of them are corrected for ectopic, missed or false beats
    #: why some figures are None: ``too_short`` as yet, ``too_many_corrected``, or the intervals do
    #: not vary (``constant``); None if none is
    reason: HrvReason | None
    mean_rr_ms: Positive | None  # mean interval
    sdnn_ms: NotNegative | None  # standard deviation of the intervals
    rmssd_ms: NotNegative | None  # root mean square of successive differences
    sdsd_ms: NotNegative | None  # standard deviation of successive differences
    pnn50_percent: NotNegative | None  # successive differences of more than 50 ms
    pnn20_percent: NotNegative | None  # successive differences of more than 20 ms
    lf_ms2: NotNegative | None  # power from 0.04 to 0.15 Hz
    hf_ms2: NotNegative | None  # power from 0.15 to 0.40 Hz
    lf_hf: NotNegative | None  # their ratio
    lf_normalised_percent: NotNegative | None  # LF, of LF and HF
    hf_normalised_percent: NotNegative | None  # HF, of LF and HF
    sd1_ms: NotNegative | None  # width of the Poincare plot
    sd2_ms: NotNegative | None  # length of the Poincare plot
    respiration: Breathing  # from all that follows
    impedance: Breathing  # from the chest's impedance in channel 1
    r_amplitude: Breathing  # from the height of the R waves
    rsa: Breathing  # from the heart rate, which breathing moves


#: Indices of samples: the first, and the one after the last.
Range: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class BeatKindMessage:
    """Which kind a beat is, in the classes of AAMI EC57: once the beat after it is known."""

    TOPIC: ClassVar[str] = "beat_kind"

    index: Count  # the sample that decided it
    r_index: Count  # the sample in which the R wave peaks: that of its ``beat``
    #: ``N`` as usual, ``S`` too early from above the ventricles, ``V`` of the ventricles, ``F`` a
    #: fusion of both, ``Q`` not to be judged
    kind: Kind
    abnormal: Share | None  # probability that it is not ``N``; None for ``Q``


@dataclass(frozen=True, slots=True)
class EpisodeOnWire:
    """Something that a heart did for some time."""

    #: ``pause``, ``asystole``, ``tachycardia``, ``bradycardia``, ``couplet``, ``ventricular_run``,
    #: ``bigeminy``, ``trigeminy`` or ``atrial_fibrillation``
    kind: str
    onset: Count  # sample of the R peak that it begins with
    end: Count | None  # sample of the R peak that it ends with; None while it lasts


@dataclass(frozen=True, slots=True)
class RhythmMessage:
    """The rhythm: each five seconds, and whenever an episode begins or ends."""

    TOPIC: ClassVar[str] = "rhythm"

    index: Count  # the newest sample
    #: ``sinus`` stands for every regular rhythm of narrow beats; ``unknown`` while too few beats
    #: of the last minute are usable
    rhythm: RhythmName
    heart_rate_bpm: Positive | None  # of the last eight intervals; None while there are fewer
    #: probability of atrial fibrillation, by the last minute's intervals; None while they are few
    fibrillation: Share | None
    episodes: tuple[EpisodeOnWire, ...]  # those that last, and those that ended just now


@dataclass(frozen=True, slots=True)
class AlarmMessage:
    """An episode begins or ends, where ``rhythm.alarms`` is set. Not a medical device."""

    TOPIC: ClassVar[str] = "alarm"

    index: Count  # the newest sample
    kind: str  # what, as in ``rhythm``
    onset: Count  # sample of the R peak that it begins with
    end: Count | None  # sample of the R peak that it ends with; None while it lasts
    #: where the ECG that led to it is in ``wave`` and ``ecg``: indices, the second one past it
    evidence: Range
    caution: str  # what everybody who shows it has to show with it


@dataclass(frozen=True, slots=True)
class WaveFlags:
    """What is to be known of single samples of a waveform, as ranges of their indices."""

    #: with an electrode of the ECG off; None if the chip is not set up to tell
    lead_off: tuple[Range, ...] | None
    #: with the converter at the end of its range, in channels 1 and 2
    saturated: tuple[tuple[Range, ...], tuple[Range, ...]]
    lost: tuple[Range, ...]  # the samples right before this message that were never read


@dataclass(frozen=True, slots=True)
class WaveMessage:
    """Raw counts of both channels, sample after sample without a gap."""

    TOPIC: ClassVar[str] = "wave"

    index: Count  # of the first sample
    rate_hz: Positive  # samples a second
    mv_per_count: tuple[float, float]  # size of a count in channels 1 and 2
    channels: tuple[str, str]  # what channels 1 and 2 record
    flags: WaveFlags  # which samples are not as they should be
    #: shape (n, 2), signed 24-bit codes
    counts: tuple[tuple[int, int], ...] = field(metadata={"payload": "<2i"})


@dataclass(frozen=True, slots=True)
class EcgMessage:
    """The conditioned ECG, as the detector sees it, freed of the filters' delay."""

    TOPIC: ClassVar[str] = "ecg"

    index: Count  # of the raw sample that the first value stands for
    rate_hz: Positive  # samples a second
    #: shape (n,), rounded to float32 on the wire; NaN where it was not measured
    ecg_mv: tuple[float, ...] = field(metadata={"payload": "<f"})


Message: TypeAlias = (
    StatusMessage
    | IdentityMessage
    | RPeakMessage
    | BeatMessage
    | HrvMessage
    | BeatKindMessage
    | RhythmMessage
    | AlarmMessage
    | WaveMessage
    | EcgMessage
)

KINDS: dict[str, type[Message]] = {kind.TOPIC: kind for kind in get_args(Message)}


@dataclass(frozen=True, slots=True)
class Received:
    """A message as a subscriber gets it."""

    stamp: Stamp
    message: Message
