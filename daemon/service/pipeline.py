"""Turns the chip's frames into messages: waveforms, R peaks, beats and identity, without any I/O.

Frame -> Sample (mV) -> FrontEnd -> events -----------> r_peak, beat
  |                        |           `----> Judges -> identity, ...
  `-> wave (raw counts)    `-> conditioned mV --------> ecg
"""

from __future__ import annotations

from collections.abc import Sequence

from daemon.service.judges import IdentityJudge, Judge
from daemon.service.rhythm import RhythmJudge
from daemon.service.variability import VariabilityJudge
from daemon.service.waveforms import RAILS, Waveforms
from daemon.wire.messages import BeatMessage, ContactState, Message, RPeakMessage, WaveMessage
from drivers.chip_setup import ChipSetup
from drivers.frame import Frame
from dsp.front_end import FrontEnd
from dsp.options import FrontEndOptions, LivenessOptions
from dsp.signals import HANDOVER_SAMPLES, BeatWindow, Event, Interruption, RPeak, Sample
from model.network import Network
from model.options import IdentifierOptions
from model.recogniser import Recogniser, embed_with
from model.template import Template

CONTACT: dict[bool | None, ContactState] = {None: "unknown", True: "off", False: "on"}


class Pipeline:
    """The signal chain, the decision and the waveforms of the service.

    Attributes:
        recogniser: decides whose heart it is, and gathers beats for an enrolment.
        contact: whether the electrodes touch the skin.
        quality: of the newest beat; None without one.
    """

    def __init__(
        self,
        network: Network,
        templates: Sequence[Template],
        front_end: FrontEndOptions,
        identifier: IdentifierOptions,
        liveness: LivenessOptions | None = None,
        *,
        rhythm: RhythmJudge | None = None,
    ) -> None:
        self._front_end_options = front_end
        self._front_end = FrontEnd(front_end)
        self.recogniser = Recogniser(
            network.passport, embed_with(network), templates, identifier, liveness
        )
        self._variability = VariabilityJudge()
        self._judges: list[Judge] = [
            IdentityJudge(self.recogniser, front_end),
            self._variability,
            *([rhythm] if rhythm else []),
        ]
        self._setup: ChipSetup | None = None
        self._ecg_at = 0
        self._mv_per_count = 0.0
        self._waveforms = Waveforms(self._front_end.delay)
        self._newest_index = 0
        self._flickers = 0  # of front ends before this one
        self.contact: ContactState = "unknown"
        self.quality: float | None = None

    @property
    def heart_rate_bpm(self) -> float | None:
        """Beats per minute; None without beats."""
        return self._front_end.heart_rate_bpm

    @property
    def channels(self) -> tuple[str, str] | None:
        """What channels 1 and 2 record; None before the chip is set up."""
        return self._waveforms.channels

    @property
    def lead_off_flickers(self) -> int:
        """How often a lead-off bit was set too briefly to mean that an electrode is off."""
        return self._flickers + self._front_end.lead_off_flickers

    def use_setup(self, setup: ChipSetup) -> None:
        """Take the frames that follow as those of a chip that is set up like this."""
        self._setup = setup
        self._ecg_at = setup.ecg_channel - 1
        self._mv_per_count = setup.mv_per_count[self._ecg_at]
        self._waveforms.use_setup(setup)

    def push(self, frame: Frame) -> list[Message]:
        """Take one frame, after ``use_setup``, and return what is to be said about it."""
        assert self._setup is not None  # as ``use_setup`` came first
        index, _, status, both_counts = frame
        setup, front_end = self._setup, self._front_end
        messages = self._waveforms.flush_if_due(index)
        for message in messages:
            if isinstance(message, WaveMessage):
                self._variability.hear_chest(message)
        self._newest_index = index
        counts = both_counts[self._ecg_at]
        lead_off = setup.lead_off(status)
        ecg_mv = counts * self._mv_per_count
        sample = Sample(index, ecg_mv, lead_off, counts in RAILS)
        events = front_end.push(sample)
        self.contact = CONTACT[front_end.lead_off]
        for event in events:
            messages += self._tell(event, index)
        for judge in self._judges:
            messages += judge.tick(sample)
        self._waveforms.push(index, both_counts, lead_off, front_end.conditioned_mv)
        return messages

    def interrupt(self) -> list[Message]:
        """Forget the wearer after a second without samples: the electrodes may change hands.

        Returns:
            The waveforms so far, and that nobody is known.
        """
        messages = self._waveforms.flush()
        self._flickers = self.lead_off_flickers
        self._front_end = FrontEnd(self._front_end_options)
        self.contact = "unknown"
        gap = Interruption(self._newest_index, "gap", HANDOVER_SAMPLES)
        return messages + self._tell(gap, self._newest_index)

    def _tell(self, event: Event, index: int) -> list[Message]:
        """Return what there is to say about an event that this sample completed."""
        messages: list[Message] = []
        match event:
            case RPeak():
                messages.append(
                    RPeakMessage(event.index, event.amplitude_mv, event.rr_s, event.search_back)
                )
            case BeatWindow():
                self.quality = event.quality.score
                messages.append(
                    BeatMessage(
                        index,
                        event.r_index,
                        event.rr_s,
                        self.heart_rate_bpm,
                        event.quality.score,
                        event.quality.flaws,
                    )
                )
            case Interruption() if event.wearer_may_differ:
                self.quality = None
        for judge in self._judges:
            messages += judge.push(event, index)
        return messages
