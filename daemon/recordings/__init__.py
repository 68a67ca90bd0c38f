"""Recordings of an ECG: read from and written to files of many formats; public ones, fetched."""
