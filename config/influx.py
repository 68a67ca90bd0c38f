"""The database for figures over time that ``qrsd bridge influx`` writes to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from config.credential import check_place, read_credential
from config.web_address import check_url

TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class InfluxOptions:
    """A server that takes InfluxDB's line protocol, and what it is told."""

    url: str = ""  # of the server, such as http://127.0.0.1:8086; empty: nothing is written
    organization: str = ""  # that the bucket is of, where the server knows any
    bucket: str = "qrsd"  # bucket, or database of an older server
    token: str = ""  # file, or $NAME of the variable, with the token; empty to come without
    every_s: float = 10.0  # how often
    names: bool = False  # whether it is told who is recognised

    def __post_init__(self) -> None:
        if self.url:
            check_url(self.url, "http://127.0.0.1:8086 or https://influx.example.org")
        check_place("token", self.token, "$INFLUX_TOKEN")
        if not self.bucket:
            raise ValueError("bucket: there is none to write to")
        if not 1 <= self.every_s <= 3600:
            raise ValueError(f"every_s: {self.every_s} is not between 1 and 3600")

    @property
    def write_url(self) -> str:
        """Return where lines are posted to (API v2, which later and other servers have too)."""
        asked = {"bucket": self.bucket, "precision": "ms"}
        asked |= {"org": self.organization} if self.organization else {}
        return f"{self.url.rstrip('/')}/api/v2/write?{urlencode(asked)}"

    def read_token(self) -> str | None:
        """Return the token, None if there is none.

        Raises:
            KeysError: there should be one, and it cannot be had.
        """
        return read_credential("influx.token", self.token, TOKEN, "a token, which is one word")
