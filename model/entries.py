"""Encodes names and embeddings for a gallery's file, and encrypts them if it is sealed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.names import composed
from model.rotation import Rotation
from model.seal import Seal

LENGTH_TOLERANCE = 1e-3  # of a unit vector of float32
MOST_NUMBERS = 1024  # of an embedding; turning one costs their square


def is_unit(embedding: NDArray[np.floating[Any]]) -> bool:
    """Tell whether this is a direction, of length 1 and without a number that is none."""
    numbers = embedding.astype(np.float64)
    with np.errstate(over="ignore"):  # a length without end is not 1 either
        length = math.sqrt(numbers @ numbers)
    return abs(length - 1) < LENGTH_TOLERANCE


class EntryAltered(ValueError):
    """An entry is not what was written: damaged, altered, or from another place."""


class Entries:
    """Writes and reads the entries of a gallery.

    Args:
        seal: None if the gallery has none; everything lies open then.

    Raises:
        EntryAltered: by what reads, an entry is not what was written in its place.
    """

    def __init__(self, seal: Seal | None) -> None:
        self.seal = seal

    @property
    def rotation_seed(self) -> bytes | None:
        """The seed of the rotation of embeddings; None without one."""
        return None if self.seal is None else self.seal.rotation_seed

    def write_name(self, name: str, person: int) -> str | bytes:
        """Return the entry for a person's name, encrypted if the gallery is sealed."""
        return name if self.seal is None else self.seal.close(name.encode(), f"name {person}")

    def read_name(self, entry: object, person: int) -> str:
        """Undo ``write_name``."""
        if isinstance(entry, bytes):
            entry = self._open(entry, f"name {person}").decode()
        if not isinstance(entry, str):
            raise EntryAltered("its name is none")
        return composed(entry)  # qrsd 0.1 kept them as they were typed

    def write_embedding(self, embedding: NDArray[np.float32], person: int, model: str) -> bytes:
        """Return the entry for an embedding, shape (d,), encrypted if the gallery is sealed."""
        plain = embedding.astype("<f4").tobytes()
        return plain if self.seal is None else self.seal.close(plain, f"{person} by {model}")

    def read_embedding(self, entry: object, person: int, model: str) -> NDArray[np.float32]:
        """Undo ``write_embedding``."""
        if not isinstance(entry, bytes):
            raise EntryAltered("its embedding is none")
        plain = entry if self.seal is None else self._open(entry, f"{person} by {model}")
        if len(plain) % 4 or len(plain) > 4 * MOST_NUMBERS:
            raise EntryAltered(f"its embedding has {len(plain)} bytes")
        embedding = np.frombuffer(plain, dtype="<f4")
        if not is_unit(embedding):
            raise EntryAltered("its embedding is not of length 1")
        return embedding

    def turn(self, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn a model's embedding into one of this gallery, shape (d,)."""
        seed = self.rotation_seed
        return embedding if seed is None else Rotation(seed, len(embedding)).turn(embedding)

    def turn_back(self, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        """Undo ``turn``."""
        seed = self.rotation_seed
        return embedding if seed is None else Rotation(seed, len(embedding)).turn_back(embedding)

    def _open(self, entry: bytes, place: str) -> bytes:
        plain = None if self.seal is None else self.seal.open(entry, place)
        if plain is None:
            raise EntryAltered("a sealed entry of it was altered")
        return plain
