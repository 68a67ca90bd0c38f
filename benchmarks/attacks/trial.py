"""One person: enrolled, come again, and attacked with each instrument."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from benchmarks.attacks.instruments import INSTRUMENTS, Stolen, played
from daemon.offline.hearing import Heard, hear_recording
from daemon.offline.recognition import open_network
from daemon.recordings.recording import Recording, read_recording
from daemon.service.people_commands import ENROL_BEATS
from dsp.front_end import RATE_HZ
from dsp.liveness import Liveness, Suspicion
from dsp.signals import BeatWindow, Interruption
from model.enrolment import FEWEST_BEATS, Enrolment
from model.errors import EnrolmentFailed
from model.identifier import Identifier, IdentifierOptions
from model.network import Network
from model.passport import Passport
from model.template import Template
from model.tensor import normalise

GENUINE = "genuine"
STOLEN_BEATS = 12  # a recording with fewer is nothing to make ten beats in a loop of

LAST_SET_ON = 45  # ECG-ID's Person_01 to Person_45 are those that the thresholds were set on


@dataclass(frozen=True, slots=True)
class Presentation:
    """What came of one session.

    Attributes:
        kind: ``genuine``, or the name of the attack's instrument.
        responded: whether there were beats enough to decide, or to suspect.
        suspected_s: seconds from the start to the suspicion; None without.
        accepted_ever: whether it was accepted at any moment; None if the person has no template.
        accepted_at_end: whether it was at the end.
        enrolled: whether somebody would have been enrolled by it.
    """

    kind: str
    responded: bool
    suspected_s: float | None
    accepted_ever: bool | None
    accepted_at_end: bool | None
    enrolled: bool


def thresholds_were_set_on(person: str) -> bool:
    """Tell whether somebody may not be counted, since the check was fitted to them."""
    number = re.fullmatch(r"Person_(\d+)", person)
    return number is not None and int(number[1]) <= LAST_SET_ON


def attack(
    person: str,
    paths: Mapping[str, Sequence[str]],
    mains_hz: int,
    options: IdentifierOptions,
) -> list[Presentation]:
    """Enrol a person by the first recording; play the others, and attacks made of the second.

    Who has one recording only is not enrolled, and only heard.

    Args:
        person: who.
        paths: everybody's recordings.
        mains_hz: frequency of the grid, 50 or 60.
        options: how many beats a decision counts.

    Raises:
        RecordingError: one cannot be read.
    """
    recordings = [read_recording(path) for path in paths[person]]
    network = _network()
    template = _enrol(person, recordings[0], network, mains_hz) if recordings[1:] else None
    probes = recordings[1:] or recordings
    seed = int.from_bytes(sha256(person.encode()).digest()[:4])
    presentations = []
    for kind, recording in _sittings(probes, seed, mains_hz):
        identifier = Identifier(network.passport, [template] if template else [], options)
        heard = hear_recording(recording, mains_hz)
        outputs = network.run(normalise(heard.windows_mv))
        came_of = _present(kind, heard, outputs, identifier, network.passport)
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
    r_indices = np.array([peak.index for peak in hear_recording(probes[0], mains_hz).r_peaks])
    if len(r_indices) < STOLEN_BEATS:
        return
    stolen = Stolen(_bridged(probes[0].ecg_mv), r_indices)
    for kind, instrument in INSTRUMENTS.items():
        signal = instrument(stolen, np.random.default_rng(seed))
        yield kind, played(probes[0], signal, seed)


def _present(
    kind: str,
    heard: Heard,
    outputs: NDArray[np.float32],
    identifier: Identifier,
    passport: Passport,
) -> Presentation:
    """Let the service's check and decision hear a session as the pipeline would."""
    liveness = Liveness()
    rows = iter(outputs)
    responded = accepted = ever = False
    suspected_s = None
    for event in heard.events:
        if isinstance(event, Interruption) and event.wearer_may_differ:
            identifier.interrupted(event.reason)
            liveness.restart()
        elif isinstance(event, BeatWindow):
            decided = identifier.push(next(rows), event.quality).state
            suspected = liveness.push(event) is not None
            responded |= suspected or decided != "undecided"
            accepted = decided == "accepted" and not suspected
            ever |= accepted
            if suspected and suspected_s is None:
                suspected_s = event.r_index / RATE_HZ
    enrolled = _enrolled(heard, outputs, passport)
    return Presentation(kind, responded, suspected_s, ever, accepted, enrolled)


def _enrolled(heard: Heard, outputs: NDArray[np.float32], passport: Passport) -> bool:
    """Tell whether the service would enrol somebody by a session.

    Of one that has fewer good beats than an enrolment asks for, all that there are.
    """
    good = sum(beat.quality.good for beat in heard.beats)
    if good < FEWEST_BEATS:
        return False
    enrolment = Enrolment(GENUINE, passport, min(good, ENROL_BEATS))
    liveness = Liveness()
    rows = iter(outputs)
    for event in heard.events:
        if isinstance(event, Interruption) and event.wearer_may_differ:
            enrolment.restart()
            liveness.restart()
        elif isinstance(event, BeatWindow):
            enrolment.push(next(rows), event.quality)
            suspicion = liveness.push(event)
            if suspicion or enrolment.complete:
                return _ends_well(enrolment, suspicion)
    return False


def _ends_well(enrolment: Enrolment, suspicion: Suspicion | None) -> bool:
    try:
        enrolment.check_alive(suspicion)
        enrolment.template("", "recording")
    except EnrolmentFailed:
        return False
    return True


def _enrol(person: str, recording: Recording, network: Network, mains_hz: int) -> Template | None:
    """Return a template of all good beats; None if they are too few or disagree."""
    heard = hear_recording(recording, mains_hz)
    outputs = network.run(normalise(heard.windows_mv))
    good = sum(beat.quality.good for beat in heard.beats)
    try:
        enrolment = Enrolment(person, network.passport, good)
        for output, beat in zip(outputs, heard.beats, strict=True):
            enrolment.push(output, beat.quality)
        return enrolment.template(network.passport.created_utc, "recording")
    except EnrolmentFailed:
        return None


def _bridged(ecg_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draw a line over what was not recorded."""
    at = np.arange(len(ecg_mv))
    recorded = ~np.isnan(ecg_mv)
    return np.asarray(np.interp(at, at[recorded], ecg_mv[recorded]), dtype=np.float64)


@cache
def _network() -> Network:
    return open_network(None)
