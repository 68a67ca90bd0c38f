"""What threads do while a test does something else, and how it waits for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic, sleep

PATIENCE_S = 20.0


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


def wait_for(condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Return once a condition holds."""
    end_s = monotonic() + patience_s
    while not condition():
        assert monotonic() < end_s, f"not within {patience_s} s"
        sleep(0.005)
