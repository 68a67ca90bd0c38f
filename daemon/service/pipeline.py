"""Frames in, messages out: everything between the pipe and the sockets, and none of either.

Frame -> Sample (mV) -> FrontEnd -> RPeak ----------------------------> r_peak
  |                        |------> BeatWindow -> Network -> Identifier -> beat, identity
  |                        |           |            `-> SwappedElectrodes: a hint while unknown
  |                        |           `--> Liveness: a living heart, or something played?
  `-> wave (raw counts)    |------> Interruption ----------> Identifier -> identity
                           `------> conditioned mV --------------------> ecg
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from daemon.service.decision import apply_liveness
from daemon.service.swapped_electrodes import SwappedElectrodes
from daemon.service.waveforms import RAILS, Waveforms
from daemon.wire.messages import (
    CONTRADICTED,
    SWAPPED,
    TWO_KINDS,
    BeatMessage,
    ContactState,
    IdentityMessage,
    Message,
    RPeakMessage,
)
from drivers.chip_setup import ChipSetup
from drivers.frame import Frame
from dsp.front_end import FrontEnd, FrontEndOptions
from dsp.liveness import Liveness, LivenessOptions, Suspicion
from dsp.signals import HANDOVER_SAMPLES, BeatWindow, Interruption, RPeak, Sample
from model.enrolment import Enrolment
from model.fittings import Session
from model.identifier import Identifier, IdentifierOptions
from model.network import Network
from model.template import Template
from model.tensor import normalise

CONTACT: dict[bool | None, ContactState] = {None: "unknown", True: "off", False: "on"}


class Pipeline:
    """Turns frames into messages, and gathers beats for an enrolment while there is one.

    Args:
        network: the model.
        templates: of the enrolled people.
        front_end: what can be set on the signal chain.
        identifier: what can be set on the decision.
        liveness: what to do about a signal that is no living heart's.

    Attributes:
        contact: whether the electrodes touch the skin.
        quality: of the newest beat; None without one.
        enrolment: the one under way, to be ended by whoever began it; else None.
        session: the beats since the electrodes were fitted.
    """

    def __init__(
        self,
        network: Network,
        templates: Sequence[Template],
        front_end: FrontEndOptions,
        identifier: IdentifierOptions,
        liveness: LivenessOptions | None = None,
    ) -> None:
        self._network = network
        self._templates = templates
        self._front_end_options = front_end
        self._identifier_options = identifier
        self._front_end = FrontEnd(front_end)
        self._identifier = Identifier(network.passport, templates, identifier)
        self._liveness = Liveness()
        self._liveness_options = liveness or LivenessOptions()
        self._swapped_electrodes: SwappedElectrodes | None = None
        self._swapped = False
        self._contradicted = False
        self._flickers = 0  # of front ends before this one
        self._decided_anew = False
        self._waveforms = Waveforms(self._front_end.delay)
        self._newest_index = 0
        self.contact: ContactState = "unknown"
        self.quality: float | None = None
        self.enrolment: Enrolment | None = None
        self.session = Session()

    @property
    def heart_rate_bpm(self) -> float | None:
        """Beats per minute; None without beats."""
        return self._front_end.heart_rate_bpm

    @property
    def channels(self) -> tuple[str, str] | None:
        """What channels 1 and 2 record; None before the chip is set up."""
        return self._waveforms.channels

    @property
    def refused(self) -> Suspicion | None:
        """Why nobody is accepted or enrolled by this session; None if somebody may be."""
        return self._liveness_options.refused(self._liveness.suspicion)

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

    def use_templates(self, templates: Sequence[Template]) -> None:
        """Decide from now on among these people."""
        self._templates = templates
        before = self._identifier.identity
        self._decided_anew |= self._identifier.update(templates) != before
        self._swapped_electrodes = None

    def push(self, frame: Frame) -> list[Message]:
        """Take one frame, after ``use_setup``, and return what is to be said about it."""
        messages = self._waveforms.flush_if_due(frame.index)
        self._newest_index = frame.index
        counts = frame.counts[self._ecg_at]
        lead_off = self._setup.lead_off(frame.status)
        sample = Sample(
            index=frame.index,
            time_s=frame.index / self._setup.rate_hz,
            ecg_mv=counts * self._mv_per_count,
            lead_off=lead_off,
            saturated=counts in RAILS,
        )
        for event in self._front_end.push(sample):
            messages += self._tell(event, frame.index)
        messages += self._follow_contact(frame.index)
        messages += self._suspect_swap(sample)
        if self._decided_anew:  # whoever is forgotten may not stay the last word until a beat comes
            self._decided_anew = False
            messages.append(self._identity(frame.index))
        self._waveforms.push(frame, lead_off, self._front_end.conditioned_mv)
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
        return messages + self._interrupt(gap, self._newest_index)

    def _tell(self, event: RPeak | BeatWindow | Interruption, index: int) -> list[Message]:
        match event:
            case RPeak():
                return [
                    RPeakMessage(event.index, event.amplitude_mv, event.rr_s, event.search_back)
                ]
            case BeatWindow():
                return self._identify(event, index)
            case Interruption():
                return self._interrupt(event, index)

    def _identify(self, beat: BeatWindow, index: int) -> list[Message]:
        output = self._network.run(normalise(np.array([beat.ecg_mv])))[0]
        self._identifier.push(output, beat.quality)
        self._liveness.push(beat)
        self.session.push(output, beat.quality)
        if self.refused:
            self.session.restart()  # nobody's template may grow from what was played
        if self.enrolment is not None:
            self.enrolment.push(output, beat.quality)
        self.quality = beat.quality.score
        return [
            BeatMessage(
                index,
                beat.r_index,
                beat.rr_s,
                self.heart_rate_bpm,
                beat.quality.score,
                beat.quality.flaws,
            ),
            self._identity(index),
        ]

    def _interrupt(self, interruption: Interruption, index: int) -> list[Message]:
        if not interruption.wearer_may_differ:
            return []
        self._identifier.interrupted(interruption.reason)
        self._liveness.restart()
        self.session.restart()
        if self.enrolment is not None:
            self.enrolment.restart()
        self.quality = None
        return [self._identity(index)]

    def _follow_contact(self, index: int) -> list[Message]:
        lead_off = self._front_end.lead_off
        before, self.contact = self.contact, CONTACT[lead_off]
        restored = before == "off" and self.contact == "on"
        if restored:
            self._identifier.restored()
        doubted, self._contradicted = self._contradicted, self._front_end.lead_off_contradicted
        return [self._identity(index)] if restored or self._contradicted != doubted else []

    def _suspect_swap(self, sample: Sample) -> list[Message]:
        """Hear the signal upside down too while nobody is known, and tell when that helps."""
        if self._identifier.identity.state != "unknown":
            self._swapped_electrodes = None
            self._swapped = False
            return []
        if self._swapped_electrodes is None:
            self._swapped_electrodes = SwappedElectrodes(
                self._network, self._templates, self._front_end_options, self._identifier_options
            )
        before, self._swapped = self._swapped, self._swapped_electrodes.push(sample)
        return [self._identity(sample.index)] if self._swapped != before else []

    def _identity(self, index: int) -> IdentityMessage:
        identity = self._identifier.identity
        said = apply_liveness(identity, self._liveness.suspicion, self._liveness_options)
        hint = said.hint
        if hint is None and said.state == "unknown" and self._swapped:
            hint = SWAPPED
        elif hint is None and self._contradicted:
            hint = CONTRADICTED
        elif hint is None and self._front_end.two_kinds:
            hint = TWO_KINDS
        return IdentityMessage(index, said.state, said.person, said.confidence, said.beats, hint)
