"""``--dask``: a cluster gives what this machine gives, whoever of it dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import sleep

import pytest

from benchmarks.apart import WorkEnded, apart
from benchmarks.cluster import ONE_THREAD, ClusterUnusable, workers
from benchmarks.identity import work
from daemon.errors import ExtraMissing
from daemon.offline.analysis import side_by_side
from model.training.errors import TooLittleData
from tests.benchmarks.commands.test_benchmark import write_record
from tests.daemon.commands.bigeminy import KINDS, heart

FOREVER_S = 900
LATER_S = 2.0  # what is done by then has been fetched


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where a cluster of two workers on this machine is."""
    distributed = pytest.importorskip("distributed", reason="needs the [cluster] extra")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address


def note(number: int, folder: Path) -> int:
    """Write down who begins it; whoever is the first with number 3 is killed."""
    with (folder / str(number)).open("a") as log:
        log.write(f"{os.getpid()}\n")
    if number == 3 and len((folder / "3").read_text().split()) == 1:
        sleep(LATER_S)
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


@pytest.mark.train
def test_a_killed_worker_costs_the_work_in_hand_and_no_other(address: str, tmp_path: Path) -> None:
    with workers(address) as jobs:
        found = list(side_by_side(partial(note, folder=tmp_path), range(8), jobs))
    assert found == [number**2 for number in range(8)]
    begun = {int(log.name): log.read_text().split() for log in tmp_path.iterdir()}
    assert {number: len(by) for number, by in begun.items()} == dict.fromkeys(range(8), 1) | {3: 2}
    assert len({pid for by in begun.values() for pid in by}) >= 2


def on_both(address: str, folder: Path, *command: str | Path) -> Iterator[Path]:
    """Run a command in a process with and without ``--dask``; yield the folders it wrote to."""
    for place, options in (("here", ()), ("there", ("--dask", address))):
        (folder / place).mkdir()
        subprocess.run(
            [sys.executable, "-m", "daemon", *map(str, command), *options],
            cwd=folder / place,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            timeout=FOREVER_S,
        )
        yield folder / place


@pytest.mark.train
def test_rhythm_is_judged_as_it_is_here(address: str, tmp_path: Path) -> None:
    ecg_mv, places = heart()
    for name in ("one", "other"):
        marks = {
            "sample": [1, *places],
            "symbol": ["+", *KINDS],
            "note": ["(N", *[""] * len(KINDS)],
        }
        write_record(tmp_path / "data", name, {"MLII": ecg_mv}, **marks)
    command = ("evaluate", "rhythm", tmp_path / "data", "--json", "figures", "--mains", "50")
    here, there = ((each / "figures").read_text() for each in on_both(address, tmp_path, *command))
    assert json.loads(here)["data"]["data"]["records"] == ["one", "other"]
    assert here == there


def fold_of(number: int) -> tuple[int, int]:
    """Return the fold's number, and by which process."""
    return number, os.getpid()


@pytest.mark.train
def test_folds_of_identity_are_worked_on_by_the_cluster_in_their_order(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What else ``evaluate identity`` has a cluster do is shown below, at less cost than by itself.

    Recordings go through ``side_by_side``, as for ``evaluate rhythm``, and a fold's network is
    trained apart from the worker, as for ``train``: to the bit as it is here.
    """
    monkeypatch.setattr(work, "embed_fold", fold_of)
    with workers(address) as jobs:
        folds = work.embed_folds(range(8), jobs, lambda *_: lambda: None)
    numbers, processes = zip(*folds, strict=True)
    assert numbers == tuple(range(8))
    assert os.getpid() not in processes


@pytest.mark.train
def test_a_model_is_the_same_to_the_bit(address: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="needs the [train] extra")
    from tests.benchmarks.commands.test_train import write_record as write_table

    for seed in range(6):
        for record in (0, 1):
            path = tmp_path / "people" / f"Person_{seed}" / f"rec_{record}.csv"
            write_table(path, seed, 40 * record, 20)
    command = ("train", tmp_path / "people", "--out", ".", "--steps", "4", "--folds", "2")
    here, there = (
        {path.name: path.read_bytes() for path in each.iterdir()}
        for each in on_both(address, tmp_path, *command)
    )
    passports = [json.loads(files.pop("heart.json")) for files in (here, there)]
    for passport in passports:
        del passport["created_utc"]
    assert passports[0] == passports[1]
    assert here.keys() == {"heart.tflite", "heart.cohort.npy", "heart.reference.npz"}
    assert here == there


@pytest.mark.train
def test_where_nobody_answers_it_is_said_how_to_begin_one() -> None:
    pytest.importorskip("distributed", reason="needs the [cluster] extra")
    with (
        pytest.raises(ClusterUnusable, match="begin one with `dask scheduler`"),
        workers("no address"),
    ):
        pass


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ExtraMissing, match=r"pip install '\.\[cluster\]'"), workers("tcp://x:1"):
        pass


def fail(how: str) -> int:
    """Fail, by an error or by a signal; or else return a process's number."""
    if how == "error":
        raise TooLittleData("too few")
    if how == "signal":
        os.kill(os.getpid(), signal.SIGKILL)
    print("chatter")
    return os.getpid()


def test_apart_is_another_process_whose_errors_come_back() -> None:
    assert apart(fail, "not") != os.getpid()
    with pytest.raises(TooLittleData, match="too few"):
        apart(fail, "error")
    with pytest.raises(WorkEnded, match="ended with -9"):
        apart(fail, "signal")


def test_processes_of_this_machine_add_up_as_a_clusters_workers_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "2")
        monkeypatch.delenv(name)
    with workers(None, 2) as jobs:
        told = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
    assert jobs == 2
    assert {f"{name}=1" for name in ONE_THREAD} <= {*told.splitlines()}
