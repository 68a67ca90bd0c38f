"""Takes another model where a site rolls one out, and goes back to the one before if it fails.

What the operator asks for (``daemon.fleet.order``) by a request to ``qrsd.SITE.DEVICE.model`` is

    {"take": SHA256}    fetch it from the site's store, test it, switch to it, and watch the service
    {"leave": SHA256}   go back from it to the one before

and the answer comes once that is done: ``{"ok": true}``, or ``{"ok": false, "error": WHY}`` with
the model of before in use again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from nats.aio.msg import Msg

from config.typed_json import typed
from daemon.errors import DaemonError, words_of
from daemon.fleet.digest import is_silent, problems_of
from daemon.fleet.errors import ModelRefused
from daemon.fleet.link import BROKEN, Link
from daemon.fleet.model_files import MOST_BYTES, ModelFiles
from daemon.fleet.order import read_order
from daemon.fleet.telling import Telling
from daemon.journal import event

CHECK_S = 120.0  # for the self test before the switch
START_S = 90.0  # for the service to run with another model
STEADY_S = 10.0  # that it has to run without an error
STEP_S = 0.5
LONGEST_WORD = 500  # characters of what is told of a failure

_LOG = logging.getLogger(__name__)


class ModelSwitch:
    """Switches the service's model.

    Args:
        files: the models on this device.
        setting: the service's setting ``model``.
        telling: knows how the service is, and tells the site what happens.
    """

    def __init__(self, files: ModelFiles, setting: str, telling: Telling) -> None:
        self._files = files
        self._is_ours = bool(setting) and Path(setting).absolute() == files.path.absolute()
        self._telling = telling
        self._busy = asyncio.Lock()

    async def run(self, link: Link) -> None:
        """Finish what a power cut ended, then do what is asked for until cancelled."""
        if self._is_ours and self._files.is_on_trial:
            try:
                await self._try_current()
            except DaemonError as error:
                _LOG.warning("%s", error, extra=event("model_rolled_back"))

        async def answer(asked: Msg) -> None:
            said = json.dumps(await self._answer(link, asked)).encode()
            if asked.reply:
                await asked.respond(said)

        async def begin(asked: Msg) -> None:  # in a task, since messages come one after another
            tasks.create_task(answer(asked))

        async with asyncio.TaskGroup() as tasks:
            await link.nats.subscribe(link.subject("model"), cb=begin)
            await asyncio.get_running_loop().create_future()

    async def _answer(self, link: Link, asked: Msg) -> dict[str, object]:
        works: dict[str, Callable[[Link, str], Awaitable[None]]] = {
            "take": self._take,
            "leave": self._leave,
        }
        try:
            given = read_order(link.credentials, link.subject("model"), asked.data)
        except (ValueError, RecursionError) as error:  # nobody's: the site need not hear of it
            return {"ok": False, "error": words_of(error)[:LONGEST_WORD]}
        try:
            [(work, sha256)] = typed(dict[str, str], given, "order").items()
            if self._busy.locked():
                raise ModelRefused("another model is being tried")
            if not self._is_ours:
                raise ModelRefused(
                    f"its service does not take models from here: set model: {self._files.path}"
                )
            async with self._busy:
                await works[work](link, sha256)
        except (DaemonError, ValueError, KeyError, TypeError, *BROKEN) as e:
            said = words_of(e)[:LONGEST_WORD]
            self._telling.add("model", outcome="refused", error=said)
            return {"ok": False, "error": said}
        return {"ok": True}

    async def _take(self, link: Link, sha256: str) -> None:
        if self._files.current == sha256:
            return
        store = await link.jetstream.object_store(f"models_{link.site}")
        if ((await store.get_info(sha256)).size or 0) > MOST_BYTES:
            raise ModelRefused(f"what is in the store as {sha256:.12} is larger than any model")
        archive = (await store.get(sha256)).data or b""
        found = await asyncio.to_thread(self._files.keep, archive)
        if found != sha256:
            raise ModelRefused(f"another model than {sha256} was sent: {found}")
        await asyncio.to_thread(check, self._files.of(sha256))
        if is_silent(self._telling.happenings.scene):
            raise ModelRefused("its service does not run, so that no model can be tried")
        self._files.switch(sha256, on_trial=True)
        await self._try_current()

    async def _leave(self, _: Link, sha256: str) -> None:
        if self._files.current == sha256:
            await self._go_back()

    async def _try_current(self) -> None:
        """Wait until the service runs with the current model, else go back.

        Raises:
            ModelRefused: it did not, and the model of before is in use again.
        """
        current = self._files.current
        if trouble := await self._trouble_with(current):
            await self._go_back()
            raise ModelRefused(f"{trouble}; the model of before is in use again")
        await asyncio.to_thread(self._files.approve)
        self._telling.add("model", outcome="taken", sha256=current)
        _LOG.info("model %.12s is in use", current, extra=event("model_taken"))

    async def _go_back(self) -> None:
        """Switch to the model of before.

        Raises:
            ModelRefused: there is none, or the service does not run with it either.
        """
        before, bad = self._files.previous, self._files.current
        if before is None:
            raise ModelRefused("there is no model of before to go back to")
        self._files.switch(before, on_trial=False)
        self._telling.add("model", outcome="rolled_back", sha256=bad)
        _LOG.warning("model %.12s is rolled back", bad, extra=event("model_rolled_back"))
        if trouble := await self._trouble_with(before):
            raise ModelRefused(f"{trouble}, which is the model of before: look at the device")

    async def _trouble_with(self, sha256: str) -> str | None:
        """Watch the service; return what is wrong, None once it has run well for a while."""
        end_s = time.monotonic() + START_S
        steady_s: float | None = None
        trouble = f"the service did not start with model {sha256:.12} within {START_S:g} s"
        while (now_s := time.monotonic()) < end_s or steady_s is not None:
            scene = self._telling.happenings.scene
            status = None if is_silent(scene) else scene.status
            if status and status.model and status.model.sha256 == sha256:
                if status.state == "running" and not (status.chip and status.chip.error):
                    steady_s = steady_s or now_s
                    if now_s - steady_s >= STEADY_S:
                        return None
                else:
                    steady_s = None
                    state = f"{status.state} {problems_of(status)}"
                    trouble = f"with model {sha256:.12} the service is {state}"
            else:
                steady_s = None
            await asyncio.sleep(STEP_S)
        return trouble


def check(model: Path) -> None:
    """Test a model as ``qrsd config check`` does, in a process of its own, which it may crash.

    Raises:
        ModelRefused: it fails.
    """
    command = [sys.executable, "-P", "-m", "daemon", "config", "check", f"--set=model={model}"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=CHECK_S, text=True, check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelRefused(f"its self test came to no end within {CHECK_S:g} s") from error
    if done.returncode != 0:
        told = done.stderr.strip().splitlines()
        words = told[-1] if told else f"ended with {done.returncode}"
        raise ModelRefused(f"its self test failed: {words}")
