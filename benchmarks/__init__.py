"""Prints the figures of README and docs/measured.md: as commands of ``qrsd``, or ``python -m benchmarks.NAME``."""
