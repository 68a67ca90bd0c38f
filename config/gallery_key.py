"""Where the key of a sealed gallery is: never in the folder of the gallery itself.

as a service          $CREDENTIALS_DIRECTORY/qrsd.gallery-key, which systemd fills from
                      /etc/credstore (LoadCredential=, see systemd.exec(5))
as root               /etc/credstore/qrsd.gallery-key
as anybody else       ~/.config/qrsd/gallery.key, or in $XDG_CONFIG_HOME
"""

from __future__ import annotations

import os
from pathlib import Path

from config.errors import KeyNotPrivate
from config.folders import home, state_folder
from config.secret_file import read_secret

CREDENTIAL = "qrsd.gallery-key"
CREDSTORE = Path("/etc/credstore")
COMMENT = "Opens the sealed gallery of qrsd. Without it everybody has to be enrolled again."


def gallery_key_path() -> Path:
    """Return the file in which the owner keeps the key.

    Raises:
        KeyNotPrivate: it would lie in the state folder, where whoever copies one has the other.
    """
    if os.geteuid() == 0:
        return CREDSTORE / CREDENTIAL
    settings = os.environ.get("XDG_CONFIG_HOME")
    path = (Path(settings) if settings else home() / ".config") / "qrsd" / "gallery.key"
    if path.resolve().is_relative_to(state_folder().resolve()):
        raise KeyNotPrivate(
            f"{path}: a key beside what it seals protects nothing; run this with sudo instead"
        )
    return path


def find_gallery_key() -> bytes | None:
    """Return the key of a sealed gallery; None if there is none.

    Raises:
        KeysError: there is one that cannot be read, or that others may read.
    """
    if credentials := os.environ.get("CREDENTIALS_DIRECTORY"):
        path = Path(credentials) / CREDENTIAL
        return read_secret(path, private=False) if path.exists() else None
    try:
        path = gallery_key_path()
    except KeyNotPrivate:
        return None
    return read_secret(path) if path.exists() else None
