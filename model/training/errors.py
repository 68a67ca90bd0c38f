"""Why a network cannot be trained."""

from __future__ import annotations

from model.errors import ModelError


class TrainingError(ModelError):
    """No network can be trained like that."""


class TooLittleData(TrainingError, ValueError):
    """There are too few persons, records or good beats."""


class UnknownPerson(TrainingError, LookupError):
    """A person that was named is not in the data."""


class ConversionFailed(TrainingError, ValueError):
    """The TFLite model's outputs are not those of the network that it was made from."""
