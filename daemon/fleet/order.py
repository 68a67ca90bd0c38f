"""What the site's operator asks of a device, signed by the operator's key.

    {"asked": {...}, "by": {...}}     JSON on one line: what, and who asks
    signature, base64                 over the subject, which names the device, and that line

No device may publish where another one listens, but servers send their own answers, and what they
keep, wherever whoever asks them says: what arrives proves nothing about who sent it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from config.typed_json import typed
from daemon.fleet.credentials import OPERATOR, Credentials, Name


@dataclass(frozen=True, slots=True)
class _Order:
    asked: dict[str, Any]
    by: Name


def order(operator: Credentials, subject: str, asked: Mapping[str, object]) -> bytes:
    """Return what is to be sent to a subject."""
    said = json.dumps(asdict(_Order(dict(asked), operator.name))).encode()
    return said + b"\n" + base64.b64encode(operator.sign(_signed_part(subject, said)))


def read_order(device: Credentials, subject: str, content: bytes) -> dict[str, Any]:
    """Return what is asked of a device.

    Raises:
        ValueError: it is no order of the operator of the device's site for this subject.
    """
    said, _, signature = content.partition(b"\n")
    given: _Order = typed(_Order, json.loads(said), "order")
    signed = base64.b64decode(signature, validate=True)
    is_operator = given.by.device == OPERATOR and given.by.is_of(device.site, device.authority)
    if not (is_operator and given.by.has_signed(_signed_part(subject, said), signed)):
        raise ValueError(f"only the operator of {device.site} may ask this")
    return given.asked


def _signed_part(subject: str, said: bytes) -> bytes:
    return b"\n".join((b"qrsd fleet order", subject.encode(), said))
