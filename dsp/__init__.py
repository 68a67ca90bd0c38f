"""The signal: from millivolts to R peaks and beat windows, one sample at a time."""
