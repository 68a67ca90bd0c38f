"""ECG on paper or on a screen: a picture of it becomes a recording."""
