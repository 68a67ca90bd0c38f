"""What can keep a benchmark from being run.

BenchmarkError
├── NothingToScore (LookupError)          no record with reference beats in the stretch to score
├── MalformedAnnotations (ValueError)     a file of annotations that cannot be read
├── NoiseMissing (FileNotFoundError)      recorded noise is asked for and not there
├── PeerFailed (RuntimeError)             another detector gave up on a recording
└── BenchmarkExtraMissing (ImportError)   a peer is not installed
"""

from __future__ import annotations


class BenchmarkError(Exception):
    """The benchmark cannot be run."""


class NothingToScore(BenchmarkError, LookupError):
    """There is no record, or no reference beat in the stretch that is scored."""


class MalformedAnnotations(BenchmarkError, ValueError):
    """The reference annotations of a record cannot be read."""


class NoiseMissing(BenchmarkError, FileNotFoundError):
    """Recorded noise is asked for, and is not there."""


class PeerFailed(BenchmarkError, RuntimeError):
    """Another detector gave up on a recording."""


class BenchmarkExtraMissing(BenchmarkError, ImportError):
    """The peers need libraries that the service does not."""

    @classmethod
    def of(cls, error: ImportError) -> BenchmarkExtraMissing:
        """Say which library is missing, and what brings it."""
        return cls(f"{error.name} is not installed: pip install 'qrsd[benchmark]'")
