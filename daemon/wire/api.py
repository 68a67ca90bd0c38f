"""What programs that talk to the service may rely on; all else in qrsd may change at any time."""

from daemon.wire.client import Control, Item, Lost, Restarted, Silent, Subscriber
from daemon.wire.codec import decode
from daemon.wire.errors import (
    CommandRefused,
    MessageError,
    ServiceNotPermitted,
    ServiceRefusesKey,
    ServiceUnavailable,
)
from daemon.wire.keys import ClientKeys
from daemon.wire.messages import (
    AlarmMessage,
    BeatKindMessage,
    BeatMessage,
    Breathing,
    EcgMessage,
    EpisodeOnWire,
    HrvMessage,
    IdentityMessage,
    Message,
    Received,
    RhythmMessage,
    RPeakMessage,
    Stamp,
    StatusMessage,
    WaveFlags,
    WaveMessage,
)

__all__ = [
    "AlarmMessage",
    "BeatKindMessage",
    "BeatMessage",
    "Breathing",
    "ClientKeys",
    "CommandRefused",
    "Control",
    "EcgMessage",
    "EpisodeOnWire",
    "HrvMessage",
    "IdentityMessage",
    "Item",
    "Lost",
    "Message",
    "MessageError",
    "RPeakMessage",
    "Received",
    "Restarted",
    "RhythmMessage",
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
