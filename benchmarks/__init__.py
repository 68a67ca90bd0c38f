"""Prints the README's figures: as commands of ``qrsd``, or ``python -m benchmarks.NAME``."""
