"""Reads recordings of an ECG from files, WFDB records and text tables, and fetches public ones."""
