"""Scores the kinds of beats and the rhythm against what experts marked."""
