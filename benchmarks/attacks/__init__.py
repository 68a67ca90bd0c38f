"""Presentation attacks through the wire: what is played, and how much of it is told."""
