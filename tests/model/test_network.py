from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import NoReturn

import numpy as np
import pytest
from scipy.special import softmax

from model import network
from model.errors import ModelError, ModelShapeWrong, ModelUnloadable, RuntimeMissing
from model.network import Network
from model.passport import Passport, file_sha256
from model.tensor import normalise
from tests.model.models import classifier, embedder

BEATS = normalise(np.random.default_rng(1).normal(size=(5, 175)))


def test_embeddings_are_the_closed_form_and_of_length_1(tmp_path: Path) -> None:
    cosines = np.fft.rfft(BEATS)[:, 1:5].real
    expected = cosines / np.linalg.norm(cosines, axis=1, keepdims=True)
    embeddings = Network(embedder(tmp_path)).run(BEATS)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(embeddings, expected, atol=1e-5)


def test_probabilities_are_left_alone(tmp_path: Path) -> None:
    probabilities = Network(classifier(tmp_path)).run(BEATS)
    np.testing.assert_allclose(probabilities, softmax(BEATS[:, :3], axis=1), atol=1e-6)


def test_no_beats_give_no_embeddings(tmp_path: Path) -> None:
    assert Network(embedder(tmp_path)).run(BEATS[:0]).shape == (0, 4)


def test_it_says_which_runtime_it_has(tmp_path: Path) -> None:
    assert Network(embedder(tmp_path)).runtime in network.RUNTIMES


def vouch_for(model: Path, **tensors: int) -> None:
    """Make the passport agree with the file, except in what is asked for."""
    path = model.with_suffix(".json")
    passport = json.loads(path.read_text())
    passport["sha256"] = file_sha256(model)
    passport["tensors"].update(tensors)
    path.write_text(json.dumps(passport))


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    model = embedder(tmp_path)
    model.write_bytes(b"not a model at all, but long enough to have a header")
    vouch_for(model)
    with pytest.raises(ModelUnloadable, match=r"cosines\.tflite: .* refuses it: "):
        Network(model)


def test_tensors_that_are_not_what_the_passport_says_are_refused(tmp_path: Path) -> None:
    model = classifier(tmp_path)
    vouch_for(model, samples=250)
    with pytest.raises(
        ModelShapeWrong, match=r"input is float32 \(1, 175\), the passport says 250"
    ):
        Network(model)


class Broken(ModuleType):
    """A runtime as tflite-runtime is beside numpy 2: imports, and fails on building."""

    @staticmethod
    def Interpreter(**_: object) -> NoReturn:  # noqa: N802
        raise SystemError("returned a result with an exception set")


def test_a_runtime_that_only_imports_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = Network(embedder(tmp_path)).runtime
    monkeypatch.setitem(sys.modules, "broken.interpreter", Broken("broken.interpreter"))
    monkeypatch.setattr(network, "RUNTIMES", ("broken", working))
    assert Network(embedder(tmp_path)).runtime == working


def test_without_a_runtime_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "broken.interpreter", Broken("broken.interpreter"))
    monkeypatch.setattr(network, "RUNTIMES", ("broken", "absent"))
    expected = "broken does not work with numpy .*, absent is not installed; .*pip install"
    with pytest.raises(RuntimeMissing, match=expected):
        Network(embedder(tmp_path))


def test_every_model_that_ships_loads_in_the_runtime_at_hand() -> None:
    for path in Path(network.__file__).parent.glob("ecg_id*.tflite"):
        outputs = Network(path).run(BEATS)
        assert outputs.shape == (5, Passport.load(path).tensors.outputs)
        assert np.isfinite(outputs).all()


def test_a_model_that_crashes_the_runtime_crashes_a_child_only(tmp_path: Path) -> None:
    """Its hash is right, as whoever altered it wrote that too."""
    model = embedder(tmp_path)
    Network.try_in_child(model)
    if Network(model).runtime == "ai_edge_litert":
        pytest.skip("no model is known that crashes it: of 400 altered like these none does")
    whole, complaints = model.read_bytes(), []
    for seed in (5, 11, 13, 30, 44):
        rng, altered = random.Random(seed), bytearray(whole)
        for _ in range(4):
            altered[rng.randrange(len(altered))] = rng.randrange(256)
        model.write_bytes(altered)
        vouch_for(model)
        try:
            Network.try_in_child(model)
        except ModelError as error:
            complaints.append(str(error))
    # which of them crash depends on the runtime
    assert any("crashes the runtime (SIG" in complaint for complaint in complaints)


def test_what_a_child_refuses_is_refused_as_here(tmp_path: Path) -> None:
    """And not opened here too: what is behind the end of a file that was cut may be another's."""
    model = embedder(tmp_path)
    vouch_for(model, outputs=4, samples=176)
    with pytest.raises(ModelShapeWrong, match=r"the passport says 176 float32 numbers for one bea"):
        Network.try_in_child(model)
    model.write_bytes(b"not a model at all, but long enough to have a header")
    vouch_for(model)
    with pytest.raises(ModelUnloadable, match=r"cosines\.tflite: .* refuses it: "):
        Network.try_in_child(model)


@pytest.mark.parametrize("said", ["", "echo KeyError; echo x;", "echo annotations; echo x;"])
def test_a_child_that_fails_without_a_word_vouches_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    failing = tmp_path / "python"
    failing.write_text(f"#!/bin/sh\n{said} exit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(failing))
    with pytest.raises(ModelUnloadable, match=r"came to no good end when it was tried"):
        Network.try_in_child(embedder(tmp_path))


def test_a_child_that_is_killed_is_told_by_the_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -SEGV $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(dying))
    with pytest.raises(ModelUnloadable, match=r"crashes the runtime \(SIGSEGV\)"):
        Network.try_in_child(embedder(tmp_path))


@pytest.mark.parametrize("error", [RuntimeError, ValueError, TypeError, MemoryError])
def test_what_the_runtime_says_is_a_model_error(tmp_path: Path, error: type[Exception]) -> None:
    opened = Network(embedder(tmp_path))

    def fail() -> NoReturn:
        raise error("no")

    opened._runner._interpreter = SimpleNamespace(set_tensor=lambda *_: None, invoke=fail)
    with pytest.raises(ModelUnloadable, match="cannot run the model: no"):
        opened.run(BEATS)


def test_answers_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    opened = Network(embedder(tmp_path))
    opened._runner._interpreter = SimpleNamespace(
        set_tensor=lambda *_: None,
        invoke=lambda: None,
        get_tensor=lambda _: np.full((1, 4), np.nan, dtype=np.float32),
    )
    with pytest.raises(ModelUnloadable, match="no numbers"):
        opened.run(BEATS)


def test_a_file_that_is_changed_after_its_hash_was_taken_is_not_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = embedder(tmp_path)
    windows = np.random.default_rng(1).normal(size=(3, 175)).astype(np.float32)
    embeddings = Network(path).run(windows)
    load = Passport.load

    def load_and_swap(model_path: Path, content: bytes | None = None) -> Passport:
        passport = load(model_path, content)
        model_path.write_bytes(b"another model")
        return passport

    monkeypatch.setattr(Passport, "load", load_and_swap)
    np.testing.assert_array_equal(Network(path).run(windows), embeddings)
