"""Measurements that print the README's figures; run them with ``python -m benchmarks.NAME``."""
