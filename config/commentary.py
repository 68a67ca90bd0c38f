"""Whom ``qrsd report --commentary`` asks, and with which key.

What is sent is figures of a heart: it goes encrypted, or does not leave this machine.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from config.errors import KeyMissing, KeysError
from config.secret_file import read_private

#: Without user names, questions and escapes, which programs read in different ways.
URL = re.compile(r"(https?)://(([a-z\d.-]+|\[[\da-f:.]+\])(:\d{1,5})?)(/[\w.~/-]*)?", re.A | re.I)
HIGHEST_PORT = 65535
KEY_PLACE = re.compile(r"[/~].*|\$[A-Za-z_]\w*", re.A)
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
            _check_url(self.url)
        if self.key and not KEY_PLACE.fullmatch(self.key):
            raise ValueError(  # without the value, which may be a key
                "key: neither a file, such as /etc/qrsd/api.key, nor a variable, such as "
                "$DEEPSEEK_API_KEY; the key itself does not belong here"
            )
        if not 1 <= self.timeout_s <= 3600:
            raise ValueError(f"timeout_s: {self.timeout_s} is not between 1 and 3600")

    @property
    def host(self) -> str:
        """Return host and port, without what only programs need."""
        found = URL.fullmatch(self.url)
        return found[2].lower() if found else ""

    def read_key(self) -> str | None:
        """Return the API key, from the file or the variable; None if there is none.

        Raises:
            KeysError: there should be one, and it cannot be had.
        """
        if not self.key:
            return None
        if self.key.startswith("$"):
            text = os.environ.get(self.key[1:], "")
            if not text:
                raise KeyMissing(f"report.commentary.key: the variable {self.key} is not set")
        else:
            text = read_private(Path(self.key).expanduser())
        if not KEY.fullmatch(text.strip()):
            raise KeysError(f"{self.key}: not an API key, which is one word of ASCII")
        return text.strip()


def _check_url(url: str) -> None:
    found = URL.fullmatch(url)
    if not found or int((found[4] or ":0")[1:]) > HIGHEST_PORT:
        raise ValueError(
            f"url: {url!r:.80} is not such as https://api.deepseek.com or http://127.0.0.1:11434/v1"
        )
    if found[1].lower() == "http" and not _is_loopback(found[3]):
        raise ValueError(
            f"url: {url}: http sends figures and key unencrypted, so it is for this machine alone "
            "(127.0.0.1, [::1], localhost); take https, or a tunnel such as ssh -L"
        )


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
