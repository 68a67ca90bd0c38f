"""Work in a process of its own, where TensorFlow may be loaded and is gone again afterwards.

The TFLite runtime of the service cannot build an interpreter beside TensorFlow, which has one too.

    python -m benchmarks.apart           reads work from standard input, writes its outcome
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

from benchmarks.training.extra import TENSORFLOW
from daemon.errors import DaemonError

Outcome = TypeVar("Outcome")


class WorkEnded(DaemonError):
    """The process of some work ended before the work did."""


def apart(work: Callable[..., Outcome], *given: Any) -> Outcome:
    """Do some work in a new process, and return its outcome or raise its error.

    Raises:
        WorkEnded: the process was killed.
    """
    return cast(Outcome, unpacked(run_packed(packed(work, *given))))


def packed(work: Callable[..., Any], *given: Any) -> bytes:
    """Return work for ``run_packed``, which may run where its modules must not be loaded."""
    return pickle.dumps((work, given))


def run_packed(work: bytes) -> bytes:
    """Do packed work in a new process, and return its packed outcome.

    It is no child of ``multiprocessing``'s, since a worker of Dask's may have none.

    Raises:
        WorkEnded: the process was killed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.apart"],
        input=work,
        stdout=subprocess.PIPE,
        env={**TENSORFLOW, **os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    if done.returncode:
        raise WorkEnded(
            f"training ended with {done.returncode}; if that is -9, the memory may be too small "
            "for so many at a time"
        )
    return done.stdout


def unpacked(outcome: bytes) -> Any:
    """Return a packed outcome, or raise it if it is an error."""
    found = pickle.loads(outcome)
    if isinstance(found, Exception):
        raise found
    return found


def _main() -> None:
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nobody else may write there
    work, given = pickle.load(sys.stdin.buffer)
    try:
        outcome = work(*given)
    except Exception as error:
        outcome = error
    with out:
        pickle.dump(outcome, out)


if __name__ == "__main__":
    _main()
