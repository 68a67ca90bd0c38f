"""The signal chain and the decision over recordings, without chip or service."""
