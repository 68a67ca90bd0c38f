"""What ``qrsd bridge lsl`` streams, and how far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class LslOptions:
    """Streams of Lab Streaming Layer, which has no keys."""

    #: how far away streams are offered: to this machine, to its network, or further
    scope: Literal["machine", "link", "site"] = "machine"
    names: bool = False  # whether a marker says who is recognised
