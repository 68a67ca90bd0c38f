"""What can be wrong with the settings, and with files of keys.

SettingsError
├── SettingsMissing (FileNotFoundError)  the file that was asked for is not there
├── SettingsUnreadable (ValueError)      not YAML, or not a table of settings
└── SettingInvalid (ValueError)          an unknown name, or a value that does not fit
KeysError
├── KeyMissing (FileNotFoundError)       no such key file
├── KeyUnreadable (ValueError)           a file or a text that is no key, or a list that is none
├── KeyNotPrivate (PermissionError)      others may read the file, or we may not
├── KeyExists (FileExistsError)          there is a key already, and it is not thrown away
└── KeyNotWritten (OSError)              the system does not let us write it
"""

from __future__ import annotations


class SettingsError(Exception):
    """The service cannot run with these settings; it will not be restarted until they change."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class SettingsMissing(SettingsError, FileNotFoundError):
    """There is no such settings file."""


class SettingsUnreadable(SettingsError, ValueError):
    """The settings file cannot be read as YAML settings."""


class SettingInvalid(SettingsError, ValueError):
    """Settings are not known or have values that do not fit."""


class KeysError(Exception):
    """The keys cannot say who may come in over the network."""


class KeyMissing(KeysError, FileNotFoundError):
    """There is no such key file."""


class KeyUnreadable(KeysError, ValueError):
    """A file or a text is no key, or a list of clients is none."""


class KeyNotPrivate(KeysError, PermissionError):
    """Others may read what should be secret, or we may not."""


class KeyExists(KeysError, FileExistsError):
    """There is a key already; another would lock everybody out who knows this one."""


class KeyNotWritten(KeysError, OSError):
    """The system does not let us write a key or the list of clients."""
