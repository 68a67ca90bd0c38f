"""The parent of all errors of the service, its clients and its commands, and what all share."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType


class DaemonError(Exception):
    """The service, or a client of it, cannot go on."""

    code: str = "service_failed"


class ResultsNotWritable(DaemonError, OSError):
    """A command cannot write its results where it was told to."""


class ExtraMissing(DaemonError, ImportError):
    """A package that only some commands need is not installed."""


def words_of(error: BaseException) -> str:
    """Return what an error says, or its kind if it says nothing."""
    return f"{error}" or type(error).__name__


def import_extra(
    package: str, extra: str, purpose: str, error_type: type[Exception] = ExtraMissing
) -> ModuleType:
    """Import a package of one of qrsd's extras, which ``setup.cfg`` lists.

    Args:
        package: its name.
        extra: what brings it.
        purpose: what needs it, for the error: "Drawing pictures".
        error_type: what to raise where it, or a package that it needs, is not installed, or cannot
            be used.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise error_type(_how_to_install(error.name or package, extra, purpose)) from error
    except RuntimeError as error:  # as pylsl where its wheel is without the library
        said = " ".join(str(error).split())
        raise error_type(f"{purpose} needs {package}, which cannot be used here: {said}") from error


def require_extra(package: str, extra: str, purpose: str) -> None:
    """Raise as ``import_extra`` does if the package is not installed, without importing it.

    Raises:
        ExtraMissing: it is not.
    """
    if find_spec(package) is None:
        raise ExtraMissing(_how_to_install(package, extra, purpose))


def _how_to_install(package: str, extra: str, purpose: str) -> str:
    return f"{purpose} needs {package}, which is not installed: .venv/bin/pip install '.[{extra}]'"
