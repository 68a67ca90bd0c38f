"""ECG on paper, drawn from recordings and read back: how much of it comes through."""
