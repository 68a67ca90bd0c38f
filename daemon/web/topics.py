"""Which topics a stream is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daemon.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Topics:
    """What to stream."""

    topics: str = ""  # names with commas between, such as status,identity; empty for all there are

    def among(self, offered: Sequence[str]) -> tuple[str, ...]:
        """Return the topics asked for.

        Raises:
            Problem: one is not offered.
        """
        asked = tuple(self.topics.split(",")) if self.topics else tuple(offered)
        for name in asked:
            if name not in offered:
                told = f"topics: {name!r:.40} is not one of {', '.join(offered)}."
                raise Problem(422, "bad_request", told)
        return asked
