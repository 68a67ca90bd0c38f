"""Days of simulated ECG with faults through the whole service, faster than real time."""
