"""What names and embeddings become on their way into a gallery: ciphertexts, if it is sealed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.rotation import Rotation
from model.seal import Seal

LENGTH_TOLERANCE = 1e-3  # of a unit vector of float32


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
        """What embeddings are turned by; None if they are not."""
        return None if self.seal is None else self.seal.rotation_seed

    def write_name(self, name: str, person: int) -> str | bytes:
        """Return what stands for the name of the person of that number."""
        return name if self.seal is None else self.seal.close(name.encode(), f"name {person}")

    def read_name(self, entry: str | bytes, person: int) -> str:
        """Undo ``write_name``."""
        return entry if isinstance(entry, str) else self._open(entry, f"name {person}").decode()

    def write_embedding(self, embedding: NDArray[np.float32], person: int, model: str) -> bytes:
        """Return what stands for an embedding, shape (d,), that a model made of a person."""
        plain = embedding.astype("<f4").tobytes()
        return plain if self.seal is None else self.seal.close(plain, f"{person} by {model}")

    def read_embedding(self, entry: bytes, person: int, model: str) -> NDArray[np.float32]:
        """Undo ``write_embedding``."""
        plain = entry if self.seal is None else self._open(entry, f"{person} by {model}")
        try:
            embedding = np.frombuffer(plain, dtype="<f4")
        except (TypeError, ValueError) as error:
            raise EntryAltered("an embedding is none") from error
        if not abs(np.linalg.norm(embedding) - 1) < LENGTH_TOLERANCE:  # nor if it is not a number
            raise EntryAltered("an embedding is not of length 1")
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
            raise EntryAltered("a sealed entry was altered")
        return plain
