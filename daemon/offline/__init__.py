"""Runs recordings through the signal chain and the decision, without chip or service."""
