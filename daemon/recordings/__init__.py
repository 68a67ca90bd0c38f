"""Files in: recordings of ECG in WFDB and CSV, and public sets of them."""
