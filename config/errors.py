"""What can be wrong with the settings, with files of keys and with the list of clients."""

from __future__ import annotations


class SettingsError(Exception):
    """The service cannot run with these settings; it will not be restarted until they change."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class SettingsMissing(SettingsError, FileNotFoundError):
    """There is no such settings file."""


class SettingInvalid(SettingsError, ValueError):
    """Settings are not YAML, are not known, or have values that do not fit."""


class KeysError(Exception):
    """A key, a client or the list of clients is not valid."""


class KeyMissing(KeysError, FileNotFoundError):
    """There is no such key file, or no client of that name."""


class KeyNotPrivate(KeysError, PermissionError):
    """Others may read what should be secret, or this user may not."""


class KeyNotWritten(KeysError, OSError):
    """There is a key already, which another would lock clients out of, or writing failed."""
