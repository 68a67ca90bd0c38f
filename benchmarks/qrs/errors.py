"""What can keep a benchmark from being run."""

from __future__ import annotations


class BenchmarkError(Exception):
    """The benchmark cannot be run."""


class NothingToScore(BenchmarkError, LookupError):
    """There is no record, no reference beat in what is scored, or no recorded noise."""


class PeerFailed(BenchmarkError, RuntimeError):
    """Another detector gave up on a recording."""
