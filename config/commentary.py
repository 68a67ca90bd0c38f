"""Whom ``qrsd report --commentary`` asks, and with which key.

What is sent is figures of a heart: it goes encrypted, or does not leave this machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from config.credential import check_place, read_credential
from config.web_address import check_url, host_of

KEY = re.compile(r"[!-~]+")  # what a header can hold


@dataclass(frozen=True, slots=True)
class CommentaryOptions:
    """A language model behind an OpenAI-compatible chat-completions API."""

    url: str = ""  # of the API, without /chat/completions; empty: nobody is asked
    model: str = ""  # as the server calls it
    key: str = ""  # file with the API key, or $NAME of the variable with it; empty for none
    timeout_s: float = 60.0  # until the whole answer has to be there

    def __post_init__(self) -> None:
        if self.url:
            check_url(self.url, "https://api.deepseek.com or http://127.0.0.1:11434/v1")
        check_place("key", self.key, "$DEEPSEEK_API_KEY")
        if not 1 <= self.timeout_s <= 3600:
            raise ValueError(f"timeout_s: {self.timeout_s} is not between 1 and 3600")

    @property
    def host(self) -> str:
        """Return host and port, without what only programs need."""
        return host_of(self.url)

    def read_key(self) -> str | None:
        """Return the API key, from the file or the variable; None if there is none.

        Raises:
            KeysError: there should be one, and it cannot be had.
        """
        kind = "an API key, which is one word of ASCII"
        return read_credential("report.commentary.key", self.key, KEY, kind)
