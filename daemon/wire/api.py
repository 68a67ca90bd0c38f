"""What programs that talk to the service may rely on; all else in qrsd may change at any time."""

from daemon.wire.client import Control, Item, Lost, Restarted, Silent, Subscriber
from daemon.wire.errors import (
    CommandRefused,
    MessageError,
    ServiceNotPermitted,
    ServiceRefusesKey,
    ServiceUnavailable,
)
from daemon.wire.keys import ClientKeys
from daemon.wire.messages import (
    BeatMessage,
    Breathing,
    EcgMessage,
    HrvMessage,
    IdentityMessage,
    Message,
    Received,
    RPeakMessage,
    Stamp,
    StatusMessage,
    WaveFlags,
    WaveMessage,
    decode,
)

__all__ = [
    "BeatMessage",
    "Breathing",
    "ClientKeys",
    "CommandRefused",
    "Control",
    "EcgMessage",
    "HrvMessage",
    "IdentityMessage",
    "Item",
    "Lost",
    "Message",
    "MessageError",
    "RPeakMessage",
    "Received",
    "Restarted",
    "ServiceNotPermitted",
    "ServiceRefusesKey",
    "ServiceUnavailable",
    "Silent",
    "Stamp",
    "StatusMessage",
    "Subscriber",
    "WaveFlags",
    "WaveMessage",
    "decode",
]
