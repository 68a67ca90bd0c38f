"""How soon a change of wearer is told, and how often a false alarm is raised.

    python -m benchmarks.change_of_heart CINC2017 [--other mitdb] [--model M.tflite]

The people of CINC2017 (see ``benchmarks.travel``) whom no model knows are played one after the
other, without a gap, each from one's latter half on to the other's former half; whoever is played
whole, alone, raises false alarms only. So do the minutes of OTHER, which are full of arrhythmias.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.identity.devices import two_minutes
from benchmarks.training.one_each import find_recordings
from benchmarks.travel import MAINS_HZ, refuse_learnt
from daemon.offline.analysis import analyse_recording
from daemon.recordings.recording import Recording
from dsp.front_end import RATE_HZ
from model.evidence import Doubt, Evidence
from model.network import Network
from model.opening import DEFAULT_MODEL
from model.recogniser import embed_with

SHORTEST_S = 20.0
SOON_BEATS = 5


@dataclass(frozen=True, slots=True)
class Alarm:
    """The evidence was dropped."""

    doubt: Doubt  # why; having no good beats is no false alarm, but tells a change as well
    beats: int  # cut out since a given sample, that one included


def main() -> None:
    """Play, count and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cinc2017", type=Path)
    parser.add_argument("--other", nargs="*", type=Path, default=[])
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    args = parser.parse_args()
    network = Network(args.model)
    refuse_learnt(parser, args.other, network)
    people = [
        recording
        for recording in find_recordings(args.cinc2017, "test")
        if len(recording.ecg_mv) >= SHORTEST_S * RATE_HZ
    ]
    print("| one person's recordings | hours | false alarms an hour |\n| --- | --- | --- |")
    print_false_alarms("cinc2017", people, network)
    for folder in args.other:
        print_false_alarms(folder.name, two_minutes(folder), network)
    delays = []
    for one, other in zip(people, [*people[1:], people[0]], strict=True):
        first, second = one.ecg_mv, other.ecg_mv
        handover = len(first) - len(first) // 2
        both = np.concatenate([first[len(first) // 2 :], second[: len(second) // 2]])
        told = [each for each in alarms(both, network, handover) if each.beats > 0]
        delays.append(told[0].beats if told else np.inf)
    told_soon = 100 * np.mean(np.array(delays) <= SOON_BEATS)
    print(f"\n{len(delays)} changes: {100 * np.isfinite(delays).mean():.0f} % told, ", end="")
    print(f"{told_soon:.0f} % within {SOON_BEATS} beats, median {np.median(delays):.0f} beats")


def print_false_alarms(name: str, recordings: Iterable[Recording], network: Network) -> None:
    """Print a row of the table."""
    samples = count = 0
    for recording in recordings:
        samples += len(recording.ecg_mv)
        told = alarms(recording.ecg_mv, network, 0)
        count += sum(each.doubt == "heart_changed" for each in told)
    hours = samples / RATE_HZ / 3600
    print(f"| {name} | {hours:.2f} | {count / hours:.2f} |")


def alarms(ecg_mv: NDArray[np.float64], network: Network, since: int) -> list[Alarm]:
    """Play a signal and return each time that the evidence is dropped, to begin anew."""
    evidence, embed = Evidence(), embed_with(network)
    told, beats = [], 0
    for beat in analyse_recording(Recording("played", "played", ecg_mv), MAINS_HZ).beats:
        beats += beat.r_index >= since
        doubt = evidence.push(beat, embed(beat))
        if doubt is not None:
            told.append(Alarm(doubt, beats))
            evidence.restart()
    return told


if __name__ == "__main__":
    main()
