"""Whom a network learns from besides the people it is made for: options, and their recordings."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from rich.progress import Progress

from benchmarks.training.half_hours import gather_half_hours, is_half_hours
from benchmarks.training.leads import gather_hearts
from benchmarks.training.one_each import gather_one_each
from daemon.offline.analysis import Workers
from model.training.datasets import Beats, Others


def add_others(parser: argparse.ArgumentParser) -> None:
    """Add the recordings of other devices and of 12 leads."""
    parser.add_argument(
        "--leads",
        type=Path,
        metavar="DATA",
        help="records of 12 leads, one of each person, to learn from what other electrodes see",
    )
    parser.add_argument(
        "--also",
        nargs="+",
        default=[],
        type=Path,
        metavar="DATA",
        help="people of other devices: .npz as of the CinC Challenge 2017, or WFDB of half an hour",
    )
    parser.add_argument(
        "--also-mains",
        type=int,
        choices=(50, 60),
        default=60,
        help="grid of those, Hz (%(default)s)",
    )


def gather_others(args: argparse.Namespace, bars: Progress, jobs: Workers = None) -> Others:
    """Cut the beats of all of them.

    Of records of half an hour, which are few, everybody is learned from.
    """
    devices: list[Beats] = []
    setters: list[Beats] = []
    for place in args.also:
        if is_half_hours(place):
            devices.append(gather_half_hours(place, bars, args.also_mains, jobs))
        else:
            gather = partial(gather_one_each, place, bars, args.also_mains, jobs=jobs)
            devices.append(gather("training"))
            setters.append(gather("thresholds"))
    hearts = gather_hearts(args.leads, bars, args.mains, jobs) if args.leads else None
    return Others(tuple(devices), tuple(setters), hearts)


def data_names(args: argparse.Namespace) -> list[str]:
    """Return the names of all data sets."""
    return [place.name for place in (*args.data, *args.also, *filter(None, [args.leads]))]
