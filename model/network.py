"""The network behind one call, whichever TFLite runtime is installed.

This is the only file that imports a runtime. tflite-runtime imports beside numpy 2 but fails when
an interpreter is built, so a runtime is judged by building one.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import errors
from model.errors import ModelError, ModelShapeWrong, ModelUnloadable, RuntimeMissing
from model.passport import Passport, content_of
from model.rotation import Rotation
from model.scores import unit

RUNTIMES = ("tflite_runtime", "ai_edge_litert")

INTERPRETER_ERRORS = (
    ArithmeticError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
TRIAL_S = 60.0  # for a model to run some beats in, on a slow board that is busy
INSTALL = (
    "Python < 3.12: pip install tflite-runtime==2.14.0 'numpy<2'; from 3.12: pip install "
    "ai-edge-litert"
)


class Network:
    """A model with its passport, ready to run on one thread.

    Args:
        model_path: the .tflite.
        rotation_seed: what its embeddings are turned by, and the passport's cohort with them; None
            to leave them as they are. See ``model.rotation``.

    Attributes:
        passport: what is known of the model.
        runtime: the package that runs it, ``tflite_runtime`` or ``ai_edge_litert``.
        took: called with the seconds of each run; may be replaced.

    Raises:
        ModelMissing: there is no model at the path.
        PassportError: its passport does not vouch for it.
        NetworkError: no runtime works, or the runtime refuses the model.
    """

    def __init__(self, model_path: Path, rotation_seed: bytes | None = None) -> None:
        self.took: Callable[[float], None] = lambda _seconds: None
        self._content = content_of(model_path, ModelUnloadable)
        self.passport = Passport.load(model_path, self._content)
        self._rotation: Rotation | None = None
        if rotation_seed is not None and self.passport.cohort is not None:
            cohort = self.passport.cohort
            self._rotation = Rotation(rotation_seed, self.passport.tensors.outputs)
            cohort = replace(cohort, embeddings=self._rotation.turn(cohort.embeddings))
            self.passport = replace(self.passport, cohort=cohort)
        spec = self.passport.tensors
        self._runner = Runner(model_path, self._content, spec.samples, spec.outputs)
        self.runtime = self._runner.runtime

    @classmethod
    def try_in_child(cls, model_path: Path) -> None:
        """Open and run a model in a process of its own, which it may crash as it cannot ours.

        That a file is the one its passport was written for (its hash) does not make it harmless:
        whoever made the file made the passport too.

        What it refuses there is not opened here: a runtime that reads past the end of a damaged
        file finds something else each time, and may crash the next.

        Raises:
            ModelError: the process came to no good end, or refused the model.
        """
        command = [sys.executable, "-P", "-m", "model.network", str(model_path.absolute())]
        try:
            done = subprocess.run(command, capture_output=True, timeout=TRIAL_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise ModelUnloadable(
                f"{model_path}: came to no end within {TRIAL_S:g} s when it was tried"
            ) from error
        if done.returncode < 0:
            name = signal.Signals(-done.returncode).name
            raise ModelUnloadable(f"{model_path}: crashes the runtime ({name}); take another model")
        if done.returncode:
            raise _refusal(model_path, done.stdout.decode(errors="replace"))

    def run(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Put beats through the network, one at a time.

        Args:
            windows: beats from ``model.tensor.normalise``, shape (n, samples).

        Returns:
            Shape (n, outputs): unit embeddings, or a classifier's probabilities.
        """
        begin_s = perf_counter()
        outputs = np.empty((len(windows), self.passport.tensors.outputs), dtype=np.float32)
        for beat, window in enumerate(windows):
            outputs[beat] = self._runner.run(window)
        self.took(perf_counter() - begin_s)
        if self.passport.kind == "classifier":
            return outputs
        embeddings = unit(outputs)
        return embeddings if self._rotation is None else self._rotation.turn(embeddings)


class Runner:
    """A TFLite model that turns one vector into another, on one thread.

    Args:
        model_path: of the .tflite, for messages.
        content: of the .tflite.
        size: how many numbers it takes.
        outputs: how many it gives.

    Attributes:
        runtime: the package that runs it, ``tflite_runtime`` or ``ai_edge_litert``.

    Raises:
        NetworkError: no runtime works, or the runtime refuses the model.
    """

    def __init__(self, model_path: Path, content: bytes | None, size: int, outputs: int) -> None:
        self.runtime, self._interpreter, *details = _build_interpreter(model_path, content)
        self._input, self._output = _only(details[0], "input"), _only(details[1], "output")
        for tensor, name, length, shapes in (
            (self._input, "input", size, ((1, size), (1, size, 1))),
            (self._output, "output", outputs, ((1, outputs),)),
        ):
            shape = tuple(int(each) for each in tensor["shape"])
            if shape not in shapes or tensor["dtype"] is not np.float32:
                raise ModelShapeWrong(
                    f"{model_path}: its {name} is {tensor['dtype'].__name__} {shape}, "
                    f"the passport says {length} float32 numbers for one beat"
                )

    def run(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Put one vector, shape (size,), through the network; return shape (outputs,)."""
        interpreter = self._interpreter
        try:
            interpreter.set_tensor(self._input["index"], vector.reshape(self._input["shape"]))
            interpreter.invoke()
            output: NDArray[np.float32] = interpreter.get_tensor(self._output["index"])[0]
        except INTERPRETER_ERRORS as error:
            raise ModelUnloadable(f"{self.runtime} cannot run the model: {error}") from error
        if not np.isfinite(output).all():
            raise ModelUnloadable("the model answers with what are no numbers: take another one")
        return output


def _build_interpreter(
    model_path: Path, content: bytes | None
) -> tuple[str, Any, list[Any], list[Any]]:
    """Return the first runtime that works, its interpreter of the model, inputs and outputs."""
    complaints = []
    for runtime in RUNTIMES:
        try:
            module = import_module(f"{runtime}.interpreter")
            interpreter = module.Interpreter(
                model_content=content,  # whose hash was taken, whatever the file is by now
                num_threads=1,
                # XNNPACK is no faster for such small networks, and announces itself on stderr.
                experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            interpreter.allocate_tensors()
            details = interpreter.get_input_details(), interpreter.get_output_details()
        except ModuleNotFoundError:
            complaints.append(f"{runtime} is not installed")
        except (ImportError, AttributeError, SystemError) as error:
            complaints.append(f"{runtime} does not work with numpy {np.__version__} ({error})")
        except INTERPRETER_ERRORS as error:
            reason = str(error).strip()
            raise ModelUnloadable(f"{model_path}: {runtime} refuses it: {reason}") from error
        else:
            return runtime, interpreter, *details
    raise RuntimeMissing(f"no TFLite runtime: {', '.join(complaints)}; {INSTALL}")


def _only(details: list[dict[str, Any]], name: str) -> dict[str, Any]:
    if len(details) != 1:
        raise ModelShapeWrong(f"the model has {len(details)} {name} tensors, expected one")
    return details[0]


def _refusal(model_path: Path, said: str) -> ModelError:
    """Return the error that a process told which tried a model: its class, and what it says."""
    name, _, message = said.partition("\n")
    kind = getattr(errors, name.strip(), None)
    if not (isinstance(kind, type) and issubclass(kind, ModelError) and message.strip()):
        return ModelUnloadable(f"{model_path}: came to no good end when it was tried")
    return kind(message.strip())


def _try(model_path: Path) -> int:
    """Run a model as the service will: on nothing, and on noise; tell why not, for ``_refusal``."""
    try:
        network = Network(model_path)
        beats = np.random.default_rng(1).normal(size=(4, network.passport.tensors.samples))
        network.run(np.vstack([0 * beats[:1], beats]).astype(np.float32))
    except ModelError as error:
        print(type(error).__name__, error, sep="\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_try(Path(sys.argv[1])))
