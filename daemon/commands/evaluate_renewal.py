"""``qrsd evaluate renewal``: what turning templates costs, and what an old one is worth."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from daemon.commands.parts import at_least, stage_bars, writing
from daemon.offline.errors import EmbedderNeeded
from daemon.offline.hearing import Heard, hear_all
from daemon.offline.recognition import open_network
from daemon.offline.training_data import find_records
from daemon.recordings.errors import RecordingError

RENEWAL = """\
Measure what renewable templates cost, and what one of another secret is worth (ISO/IEC 30136).

A sealed gallery's templates are turned by a secret (docs/privacy.md). Each DATA holds a folder of
WFDB records or a .csv file for each person, who is enrolled by the first recording and probed with
the others, ten beats each: equal error rates as it is, turned, with templates that another secret
had turned, and of telling that two galleries hold the same person. The model has learned from
people of ECG-ID: only the differences between these rates say something of others.

example:
  qrsd evaluate renewal ecg-id"""

LINES = """\
{persons} people, {probes} probes, {secrets} pairs of secrets; equal error rates in percent, and
the range of 95 % of the secrets
  not turned                       {eer:6.2f}
  turned                           {turned}   scores differ by {largest_difference_of_a_score:.1e}
  template of another secret       {old}
  linking two galleries            {links}   Kolmogorov-Smirnov p {linking_kolmogorov_smirnov_p}"""


def add_parser(what: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of ``qrsd evaluate``."""
    parser = what.add_parser(
        "renewal",
        help=RENEWAL.splitlines()[0].rstrip("."),
        description=RENEWAL,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("data", nargs="+", type=Path, metavar="DATA")
    add("--model", type=Path, metavar="PATH", help="another .tflite than qrsd's own")
    add("--mains", type=int, choices=(50, 60), default=50, help="grid, Hz (50)")
    add("--json", type=Path, metavar="FILE", help="write all figures")
    add(
        "--jobs",
        type=at_least(1),
        metavar="N",
        help="records at a time (default: one for each core)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print and write.

    Raises:
        EmbedderNeeded: the model is a classifier.
        TooFewBeats: fewer than two people have two good recordings.
    """
    from benchmarks.renewal import figures, gather

    network = open_network(args.model)
    if network.passport.cohort is None:
        raise EmbedderNeeded(f"model {network.passport.name!r} has no templates: give an embedder")
    measured = figures(gather(_hear(args), network))
    words = {
        name: "{mean:6.2f} ({low:.2f} to {high:.2f})".format_map(measured[f"eer_{long}"])
        for name, long in (
            ("turned", "turned"),
            ("old", "with_template_of_another_secret"),
            ("links", "of_linking_two_galleries"),
        )
    }
    print(LINES.format_map({**measured, **words}))
    if args.json:
        with writing(args.json):
            args.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def _hear(args: argparse.Namespace) -> list[list[Heard]]:
    """Return everybody's recordings, each person's in the order in which they were recorded.

    Raises:
        RecordingError: one cannot be read.
    """
    records = find_records(args.data)
    heard: dict[str, list[Heard]] = {}
    with stage_bars() as bars:
        outcomes = hear_all([record.path for record in records], "0", args.mains, args.jobs)
        tracked = bars.track(outcomes, total=len(records), description="Listening")
        for record, outcome in zip(records, tracked, strict=True):
            if isinstance(outcome, RecordingError):
                raise outcome
            heard.setdefault(record.person, []).append(outcome)
    return list(heard.values())
