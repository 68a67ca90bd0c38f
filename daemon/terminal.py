"""Makes text that others wrote safe to print: names, dates, signals, devices, addresses."""

from __future__ import annotations


def plain(text: object) -> str:
    """Return a text without what would command a terminal, or hide or turn its letters.

    For rich, which takes brackets for commands, use it in a ``rich.text.Text`` or ``escape`` it.
    """
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(text)
    )
