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

    exit_code: int = 65


class NothingToScore(BenchmarkError, LookupError):
    """There is no record, or no reference beat in the stretch that is scored."""

    exit_code = 66


class MalformedAnnotations(BenchmarkError, ValueError):
    """The reference annotations of a record cannot be read."""


class NoiseMissing(BenchmarkError, FileNotFoundError):
    """Recorded noise is asked for, and is not there."""

    exit_code = 66


class PeerFailed(BenchmarkError, RuntimeError):
    """Another detector gave up on a recording."""


class BenchmarkExtraMissing(BenchmarkError, ImportError):
    """The peers need libraries that the service does not."""

    exit_code = 69

    @classmethod
    def of(cls, error: ImportError) -> BenchmarkExtraMissing:
        """Say which library is missing, and what brings it."""
        return cls(f"{error.name} is not installed: pip install 'qrsd[benchmark]'")
