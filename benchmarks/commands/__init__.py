"""Of a checkout alone: ``qrsd train``, ``evaluate`` and ``benchmark``, and their exit codes."""

from __future__ import annotations

from benchmarks.qrs.errors import BenchmarkError, NothingToScore
from daemon.commands.exit_codes import DATA, EXIT_CODES, NO_INPUT
from model.training.errors import UnknownPerson

EXIT_CODES.update({BenchmarkError: DATA, NothingToScore: NO_INPUT, UnknownPerson: NO_INPUT})
