"""How well beats are found in noise, as a table for the terminal and as JSON for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from benchmarks.qrs.measure import OURS
from benchmarks.qrs.noises import KINDS
from benchmarks.qrs.stress import SNRS_DB, NoisyScores, StressPlan
from daemon.offline.scoring import Score, pool
from daemon.tables import filled


@dataclass(frozen=True, slots=True)
class StressReport:
    """All results."""

    plan: StressPlan  # what was run
    results: tuple[NoisyScores, ...]  # one for each record and kind of noise

    @property
    def detectors(self) -> tuple[str, ...]:
        """Their names, ours first."""
        return (OURS, *self.plan.peers)

    @property
    def records(self) -> tuple[str, ...]:
        """Their names, in the order in which they were run."""
        return tuple(dict.fromkeys(result.record for result in self.results))

    def gross(self, kind: str, snr_db: int, detector: str) -> Score:
        """Pool the scores of all records."""
        of_kind = (result for result in self.results if result.kind == kind)
        return pool(result.scores[snr_db][detector] for result in of_kind)

    def tables(self) -> Iterator[Table]:
        """Yield F1 by kind of noise, signal-to-noise ratio and detector."""
        title = "QRS detection in noise: F1 % by signal-to-noise ratio"
        table = filled(title, ("noise", "dB", *self.detectors), (), self._caption())
        for kind in self.plan.kinds:
            table.add_section()
            for snr_db in SNRS_DB:
                f1 = [self.gross(kind, snr_db, detector).f1 for detector in self.detectors]
                best = max(f1) if len(f1) > 1 else None
                cells = (Text(f"{one:.2f}", "bold" if one == best else "") for one in f1)
                title = KINDS[kind].title if snr_db == SNRS_DB[0] else ""
                table.add_row(title, str(snr_db), *cells)
        yield table

    def _caption(self) -> str:
        plan, protocol = self.plan, self.plan.protocol
        text = (
            f"Records {', '.join(self.records)}: noise all along, {plan.minutes:g} minutes scored "
            f"from {protocol.from_s:g} s on. SNR: QRS peak-to-peak squared / 8 over noise power. "
            f"All get the same signal, and the grid's frequency for their notch: that of the hum, "
            f"and else {protocol.mains_hz} Hz."
        )
        failures = sum(len(result.failures) for result in self.results)
        return f"{text} Peers gave up {failures} times (F1 0)." if failures else text

    def as_json(self) -> dict[str, Any]:
        """Return everything but the single beats, with null for what is not defined."""
        plan = {**asdict(self.plan), "noise": str(self.plan.noise) if self.plan.noise else None}
        return {
            "plan": {**plan, "records": self.records},
            "gross": {
                kind: {
                    snr_db: {
                        detector: self.gross(kind, snr_db, detector).figures()
                        for detector in self.detectors
                    }
                    for snr_db in SNRS_DB
                }
                for kind in self.plan.kinds
            },
            "records": [
                {
                    "record": result.record,
                    "kind": result.kind,
                    "scores": {
                        snr_db: {name: score.figures() for name, score in scores.items()}
                        for snr_db, scores in result.scores.items()
                    },
                    "failures": result.failures,
                }
                for result in self.results
            ],
        }
