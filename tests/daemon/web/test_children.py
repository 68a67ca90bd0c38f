"""What reads others' files has limits, leaves nothing behind, and says why in one line."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from daemon.web import children
from daemon.web.children import Children, run
from daemon.web.problems import Problem

SPAWN = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
open("pids", "w").write(f"{os.getpid()} {child.pid}")
time.sleep(100)
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of modules that can be run with ``-m``."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def outcome(folder: Path, *arguments: str | Path, time_s: float = 60.0) -> Problem:
    with pytest.raises(Problem) as refused:
        asyncio.run(run(folder, *arguments, time_s=time_s))
    return refused.value


def test_what_takes_too_long_is_killed_with_its_children(programs: Path) -> None:
    (programs / "slow.py").write_text(SPAWN)
    problem = outcome(programs, "slow", time_s=5.0)
    assert (problem.status, problem.code) == (422, "took_too_long")
    for pid in (programs / "pids").read_text().split():
        end_s = time.monotonic() + 10
        while Path(f"/proc/{pid}/cmdline").exists() and time.monotonic() < end_s:
            if not Path(f"/proc/{pid}/cmdline").read_bytes():  # a zombie
                break
            time.sleep(0.01)
        else:
            assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    "program",
    [
        "held = bytearray(2 << 30); held[::4096] = held[::4096]",
        "import os; open('large', 'wb').truncate(2 << 30)",
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "1 / 0",
    ],
    ids=["memory", "disk", "crash", "bug"],
)
def test_whatever_becomes_of_it_is_a_problem_with_the_file(programs: Path, program: str) -> None:
    (programs / "hostile.py").write_text(program)
    problem = outcome(programs, "hostile")
    assert (problem.status, str(problem)) == (422, "It cannot be read.")


def test_why_it_cannot_is_said_in_its_words_but_not_where(programs: Path) -> None:
    (programs / "sub").mkdir()
    problem = outcome(programs, "daemon", "hrv", programs / "sub" / "none.bdf")
    assert str(problem) == "none.bdf is not there; expected an EDF or BDF file."
    assert problem.code == "recording_not_found"


def test_what_it_prints_is_had_up_to_a_bound(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "PRINTED_BYTES", 1000)
    (programs / "chatty.py").write_text("print('x' * 5000)")
    assert asyncio.run(run(programs, "chatty", time_s=60)) == b"x" * 1000


def test_two_at_a_time_and_their_folders_are_gone_then() -> None:
    async def work() -> list[Path]:
        few = Children(2)
        async with few.folder() as one, few.folder() as other:
            assert one != other
            assert [os.stat(folder).st_mode & 0o777 for folder in (one, other)] == [0o700] * 2
            (one / "heart").write_text("secret")
            with pytest.raises(Problem) as refused:
                async with few.folder():
                    pass
            assert (refused.value.status, refused.value.code) == (503, "busy")
            assert refused.value.headers["Retry-After"]
        async with few.folder() as again:
            return [one, other, again]

    assert not any(folder.exists() for folder in asyncio.run(work()))
