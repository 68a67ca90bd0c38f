"""What can be wrong with the settings.

SettingsError
├── SettingsMissing (FileNotFoundError)  the file that was asked for is not there
├── SettingsUnreadable (ValueError)      not YAML, or not a table of settings
└── SettingInvalid (ValueError)          an unknown name, or a value that does not fit
"""

from __future__ import annotations


class SettingsError(Exception):
    """The service cannot run with these settings; it will not be restarted until they change."""

    exit_code: int = 78


class SettingsMissing(SettingsError, FileNotFoundError):
    """There is no such settings file."""


class SettingsUnreadable(SettingsError, ValueError):
    """The settings file cannot be read as YAML settings."""


class SettingInvalid(SettingsError, ValueError):
    """One setting is not known or has a value that does not fit."""
