"""The same work on many things, side by side on every core."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


def spread(work: Callable[[Item], Done], items: Sequence[Item], jobs: int) -> Iterator[Done]:
    """Yield what the work makes of each item, in the order given, up to ``jobs`` at a time."""
    jobs = min(jobs, len(items))
    if jobs == 1:
        yield from map(work, items)
        return
    context = get_context("forkserver")  # fork alone is not safe beside the progress bar's thread
    context.set_forkserver_preload(["benchmarks.qrs.measure", "wfdb"])
    with ProcessPoolExecutor(jobs, mp_context=context) as workers:
        yield from workers.map(work, items)
