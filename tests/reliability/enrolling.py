"""Enrols people in a gallery for ever, and says so after each: what is killed or unplugged."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random
from signal import SIGKILL
from time import sleep

import numpy as np

from model.gallery import Gallery
from model.template import Template

MODEL = "a" * 64


def enrol_for_ever(path: Path, acknowledge: int, first: int, last: int) -> None:
    """Write the number of each person who is enrolled, in a line of its own."""
    embedding = np.full(64, 0.125, dtype=np.float32)
    with Gallery(path) as gallery:
        for number in range(first, last):
            gallery.enrol(Template(f"Person {number}", embedding, 20, "", MODEL, ""))
            os.write(acknowledge, b"%d\n" % number)


def fork_and_kill(path: Path, acknowledge: int, times: int, seed: int) -> None:
    """Let a child enrol, and kill it at a random moment; again and again."""
    random = Random(seed)
    for at in range(times):
        said, say = os.pipe()
        child = os.fork()
        if child == 0:
            enrol_for_ever(path, say, 1000 * at, 1000 * at + 999)
        os.close(say)
        with os.fdopen(said, "rb") as lines:
            acknowledged = [lines.readline() for _ in range(random.randrange(3))]
            sleep(random.uniform(0.0, 0.004))
            os.kill(child, SIGKILL)
            acknowledged += lines.readlines()
        os.waitpid(child, 0)
        os.write(acknowledge, b"".join(acknowledged))


if __name__ == "__main__":
    task, path, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if task == "kill":
        fork_and_kill(path, 1, count, 1)
    else:
        enrol_for_ever(path, int(sys.argv[4]), 0, count)
