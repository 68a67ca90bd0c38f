"""What is read from disk or wire is data: nothing of it is ever unpickled or evaluated."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from model.errors import CohortUnusable
from model.passport import Cohort, file_sha256

ROOT = Path(__file__).parents[1]
PACKAGES = ("benchmarks", "config", "daemon", "drivers", "dsp", "model")
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
#: Hands work to a child of its own, and takes back what came of it: nothing from disk or wire.
TO_OWN_CHILD = {"benchmarks/apart.py": ["pickle"]}
EVALUATORS = {"eval", "exec", "compile", "__import__"}
YAML_READERS = {f"yaml.{name}" for name in ("safe_load", "safe_dump", "SafeLoader", "AliasEvent")}
YAML_READERS |= {"yaml.YAMLError"}


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def offences(tree: ast.AST) -> Iterator[str]:
    """Yield what could run something that was read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = {alias.name.split(".")[0] for alias in node.names}
            named.add((getattr(node, "module", None) or "").split(".")[0])
            yield from named & UNPICKLERS
        if isinstance(node, ast.Call):
            yield from _offences_of(node)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "yaml":
            yield from {f"yaml.{node.attr}"} - YAML_READERS


def _offences_of(call: ast.Call) -> Iterator[str]:
    if isinstance(call.func, ast.Name) and call.func.id in EVALUATORS:
        yield call.func.id
    if isinstance(call.func, ast.Attribute):
        name = ast.unparse(call.func)
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        if name in ("np.load", "numpy.load") and given.get("allow_pickle", "False") != "False":
            yield name
        if call.func.attr in ("recv_pyobj", "send_pyobj"):
            yield call.func.attr


def test_the_code_has_nothing_that_would_run_what_it_reads() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): list(offences(ast.parse(path.read_text())))
        for path in sources()
    }
    assert len(found) > 100
    assert {path: what for path, what in found.items() if what} == TO_OWN_CHILD


@pytest.mark.parametrize(
    "code",
    ["import pickle", "from marshal import loads", "eval(x)", "yaml.load(x)", "yaml.Loader",
     "np.load(x, allow_pickle=True)", "socket.recv_pyobj()"],
)  # fmt: skip
def test_it_would_be_found(code: str) -> None:
    assert list(offences(ast.parse(code)))


class Trap:
    """Something that does harm when it is unpickled."""

    sprung = False

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return setattr, (Trap, "sprung", True)


def test_a_cohort_with_a_trap_in_it_is_refused_and_the_trap_not_sprung(tmp_path: Path) -> None:
    path = tmp_path / "trap.cohort.npy"
    np.save(path, np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(CohortUnusable, match="not an array of numbers"):
        Cohort.read(path, file_sha256(path), 64)
    assert not Trap.sprung
