"""A cluster of Dask's in the place of this machine's processes: ``--dask ADDRESS``.

Both are executors of ``concurrent.futures``, and what is worked on does not know the difference.
Whatever a killed worker had in hand is done again by another.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from daemon.errors import DaemonError, import_extra
from daemon.offline.analysis import Workers

ANSWERS_S = 10
#: Of numpy's arithmetic, as Dask's workers have it: more threads add up in another order.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
ROOMS = ("benchmarks", "config", "daemon", "drivers", "dsp", "model")


class ClusterUnusable(DaemonError):
    """Dask's scheduler or workers cannot be used."""


def add_dask(parser: argparse.ArgumentParser) -> None:
    """Add the address of a cluster."""
    parser.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="work on the Dask cluster of this scheduler, such as tcp://10.0.0.2:8786, which has "
        "DATA at the same absolute path (docs/training.md)",
    )


class _Fetching(Executor):
    """Fetches each outcome as soon as it is there, so that no worker takes it along when it dies.

    ``map`` of Dask's own executor fetches them one after the other.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have something done."""
        return self._executor.submit(work, *args, **kwargs)


@contextmanager
def workers(address: str | None, jobs: int | None = None) -> Iterator[Workers]:
    """Yield who does the work: the cluster at an address, else so many processes of this machine.

    Raises:
        ClusterUnusable: there is no cluster, or its workers have another qrsd, Python or numpy.
        ExtraMissing: the package distributed is not installed.
    """
    if address is None:
        for name, value in ONE_THREAD.items():
            os.environ.setdefault(name, value)  # of the processes that are begun from here
        yield jobs
        return
    distributed: Any = import_extra("distributed", "cluster", "--dask")
    import_extra("dask", "cluster", "--dask").config.set(
        {"distributed.admin.large-graph-warning-threshold": "1 GiB"}  # recordings go along
    )
    try:
        client = distributed.Client(address, timeout=ANSWERS_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterUnusable(
            f"{address}: no Dask scheduler answers there; begin one with `dask scheduler`, and "
            f"on each machine `dask worker {address} --nthreads 1`"
        ) from error
    with client:
        _check(address, client)
        try:
            yield _Fetching(client.get_executor(pure=False))
        except (distributed.KilledWorker, CancelledError) as error:
            raise ClusterUnusable(
                f"{address}: the cluster gave up: its scheduler ended, or several workers died of "
                "the same work; see their logs"
            ) from error


def build() -> tuple[str, str, str]:
    """Return what figures may depend on: Python's version, numpy's, and the sources' SHA-256."""
    root = Path(__file__).parents[1]
    files = sorted(path for room in ROOMS for path in (root / room).rglob("*.py"))
    sources = sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return sys.version.split()[0], np.__version__, sources


def _check(address: str, client: Any) -> None:
    """Refuse workers that would compute something else."""
    if not client.scheduler_info(n_workers=-1)["workers"]:
        raise ClusterUnusable(
            f"{address}: the scheduler has no workers: dask worker {address} --nthreads 1"
        )
    try:
        theirs = client.run(build)
    except ImportError as error:
        raise ClusterUnusable(
            f"{address}: a worker has no checkout of qrsd: begin it with the .venv/bin/dask of one"
        ) from error
    for worker, found in theirs.items():
        if found != build():
            raise ClusterUnusable(
                f"{worker}: Python, numpy and qrsd's sources are {found}, here {build()}: "
                "figures could differ; begin it from the same checkout"
            )
