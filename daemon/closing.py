"""What is closed at the end of a ``with`` statement."""

from __future__ import annotations

from typing import Self


class Closing:
    """Makes a context manager of a class that has ``close``."""

    def close(self) -> None:
        """Let go of what is held."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
