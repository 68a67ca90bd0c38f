"""A step that a thread does again and again, while a test does something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread


@contextmanager
def repeating(step: Callable[[], object]) -> Iterator[None]:
    """Do it until the end of the block, and have done with it then."""
    stop = Event()

    def repeat() -> None:
        while not stop.is_set():
            step()

    thread = Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
