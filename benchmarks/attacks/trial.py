"""One person: enrolled, come again, and attacked with each instrument."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256

import numpy as np

from benchmarks.attacks.instruments import INSTRUMENTS, Stolen, played
from benchmarks.qrs.peers import bridged
from daemon.offline.analysis import Analysis, analyse_recording
from daemon.offline.recognition import template_of
from daemon.recordings.recording import Recording, read_recording
from daemon.service.people_commands import ENROL_BEATS
from dsp.front_end import RATE_HZ
from dsp.options import LivenessOptions
from dsp.signals import BeatWindow
from model.enrolment import FEWEST_BEATS, Enrolment
from model.errors import EnrolmentFailed
from model.network import Network
from model.opening import open_network
from model.options import IdentifierOptions
from model.passport import Passport
from model.recogniser import Recogniser, embed_with
from model.template import Template

GENUINE = "genuine"
STOLEN_BEATS = 12  # a recording with fewer is nothing to make ten beats in a loop of

LAST_SET_ON = 45  # ECG-ID's Person_01 to Person_45 are those that the thresholds were set on


@dataclass(frozen=True, slots=True)
class Presentation:
    """What came of one session."""

    kind: str  # ``genuine``, or the name of the attack's instrument
    responded: bool  # whether there were beats enough to decide, or to suspect
    suspected_s: float | None  # seconds from the start to the suspicion; None without
    #: whether it was accepted at any moment; None if the person has no template
    accepted_ever: bool | None
    accepted_at_end: bool | None  # whether it was at the end
    enrolled: bool  # whether somebody would have been enrolled by it


def thresholds_were_set_on(person: str) -> bool:
    """Tell whether somebody may not be counted, since the check was fitted to them."""
    number = re.fullmatch(r"Person_(\d+)", person)
    return number is not None and int(number[1]) <= LAST_SET_ON


def attack(
    person: str, paths: Mapping[str, Sequence[str]], mains_hz: int, options: IdentifierOptions
) -> list[Presentation]:
    """Enrol a person by the first recording; play the others, and attacks made of the second.

    Who has one recording only is never enrolled, only identified. ``paths`` has all recordings.
    """
    recordings = [read_recording(path) for path in paths[person]]
    network = _network()
    template = _enrol(person, recordings[0], network, mains_hz) if recordings[1:] else None
    probes = recordings[1:] or recordings
    seed = int.from_bytes(sha256(person.encode()).digest()[:4])
    presentations = []
    for kind, recording in _sittings(probes, seed, mains_hz):
        analysis = analyse_recording(recording, mains_hz)
        recogniser = Recogniser(
            network.passport, embed_with(network), [template] if template else [], options
        )
        came_of = _present(kind, analysis, recogniser, network.passport)
        if template is None:
            came_of = replace(came_of, accepted_ever=None, accepted_at_end=None)
        presentations.append(came_of)
    return presentations


def _sittings(
    probes: Sequence[Recording], seed: int, mains_hz: int
) -> Iterator[tuple[str, Recording]]:
    """Yield what the chip converts, the genuine first."""
    for probe in probes:
        yield GENUINE, played(probe, probe.ecg_mv, seed)
    r_indices = np.array([peak.index for peak in analyse_recording(probes[0], mains_hz).r_peaks])
    if len(r_indices) < STOLEN_BEATS:
        return
    stolen = Stolen(bridged(probes[0].ecg_mv), r_indices)
    for kind, instrument in INSTRUMENTS.items():
        signal = instrument(stolen, np.random.default_rng(seed))
        yield kind, played(probes[0], signal, seed)


def _present(
    kind: str, analysis: Analysis, recogniser: Recogniser, passport: Passport
) -> Presentation:
    """Run a session through the service's decision chain, and enrol somebody by it.

    Of a session that has fewer good beats than an enrolment asks for, all that there are count.
    """
    good = sum(beat.quality.good for beat in analysis.beats)
    if good >= FEWEST_BEATS:
        recogniser.enrol(Enrolment(GENUINE, passport, min(good, ENROL_BEATS)))
    responded = ever = enrolled = False
    suspected_s = None
    for event in analysis.events:
        decision = recogniser.push(event)
        if decision is None or not isinstance(event, BeatWindow):
            continue
        responded |= decision.state != "undecided"
        ever |= decision.state == "accepted"
        if decision.state == "suspect" and suspected_s is None:
            suspected_s = event.r_index / RATE_HZ
        if recogniser.enrolment is not None and recogniser.enrolment.ended:
            enrolled = _ends_well(recogniser.enrolment)
            recogniser.enrolment = None
    accepted = recogniser.decision.state == "accepted"
    return Presentation(kind, responded, suspected_s, ever, accepted, enrolled)


def _ends_well(enrolment: Enrolment) -> bool:
    try:
        enrolment.template("", "recording")
    except EnrolmentFailed:
        return False
    return True


def _enrol(person: str, recording: Recording, network: Network, mains_hz: int) -> Template | None:
    """Return a template of all good beats; None if they are too few or disagree."""
    analysis = analyse_recording(recording, mains_hz)
    created_utc = network.passport.created_utc
    liveness = LivenessOptions("ignore")
    try:
        return template_of(
            analysis, person, network, FEWEST_BEATS, liveness=liveness, created_utc=created_utc
        )
    except EnrolmentFailed:
        return None


@cache
def _network() -> Network:
    return open_network(None)
