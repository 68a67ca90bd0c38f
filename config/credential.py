"""Secrets that a server elsewhere wants, which settings name the place of: a file or a variable."""

from __future__ import annotations

import os
import re
from pathlib import Path

from config.errors import KeyMissing, KeysError
from config.secret_file import read_private

PASSWORD = re.compile(r"[ -~]+")
PLACE = re.compile(r"[/~].*|\$[A-Za-z_]\w*", re.A)


def check_place(name: str, place: str, such_as: str) -> None:
    """Refuse what is no place of a secret, without showing it: it may be the secret itself.

    Args:
        name: of the setting.
        place: what is set; empty for no secret.
        such_as: a variable that would do.

    Raises:
        ValueError: it is neither a file's whole path nor a variable.
    """
    if place and not PLACE.fullmatch(place):
        raise ValueError(
            f"{name}: neither a file, such as /etc/qrsd/api.key, nor a variable, such as "
            f"{such_as}; the {name} itself does not belong here"
        )


def read_credential(setting: str, place: str, form: re.Pattern[str], kind: str) -> str | None:
    """Return the secret from its place, None if none is set.

    Args:
        setting: the whole path of the setting, for errors.
        place: what is set.
        form: what the secret has to be like.
        kind: the same in words, for errors.

    Raises:
        KeysError: there should be one, and it cannot be had.
    """
    if not place:
        return None
    if place.startswith("$"):
        text = os.environ.get(place[1:], "")
        if not text:
            raise KeyMissing(f"{setting}: the variable {place} is not set")
    else:
        text = read_private(Path(place).expanduser())
    if not form.fullmatch(text.strip()):
        raise KeysError(f"{place}: not {kind}")
    return text.strip()
