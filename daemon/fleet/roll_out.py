"""Rolls a model out to the devices of a site: one first, then the others, and back if one fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import nats.errors

from daemon.fleet.errors import RolledBack
from daemon.fleet.link import BROKEN, Link
from daemon.fleet.model_files import pack
from daemon.fleet.model_switch import LONGEST_WORD
from daemon.fleet.order import order
from model.passport import file_sha256

ANSWER_S = 400.0  # of a device, for its self test, the switch, and the way back
AT_ONCE = 8  # devices, after the first


async def roll_out(
    link: Link, model: Path, devices: Sequence[str], told: Callable[[str], None]
) -> None:
    """Put a model on devices, the first of them alone before all others.

    Args:
        link: to the site, with a key that may.
        model: the .tflite, its passport beside it.
        devices: their names.
        told: is called with a line for each step.

    Raises:
        ModelError: the model and its passport do not belong together.
        RolledBack: a device refused it; all have again what they had.
    """
    archive, sha256 = pack(model), file_sha256(model)
    store = await link.jetstream.create_object_store(f"models_{link.site}", replicas=link.replicas)
    await store.put(sha256, archive)
    told(f"model {sha256:.12}: {len(archive)} bytes in the store of {link.site}")
    taken: list[str] = []
    limit = asyncio.Semaphore(AT_ONCE)

    async def give(device: str) -> str | None:
        async with limit:
            trouble = await _ask(link, device, "take", sha256)
        told(f"{device}: {trouble or 'has it, and works'}")
        taken.extend([] if trouble else [device])
        return trouble

    for stage in (devices[:1], devices[1:]):
        troubles = await asyncio.gather(*(give(device) for device in stage))
        if failed := [device for device, bad in zip(stage, troubles, strict=True) if bad]:
            await _take_back(link, sha256, taken, told)
            raise RolledBack(
                f"{', '.join(failed)} did not take the model; it was taken back from all others"
            )


async def _take_back(
    link: Link, sha256: str, devices: Sequence[str], told: Callable[[str], None]
) -> None:
    for device in devices:
        trouble = await _ask(link, device, "leave", sha256)
        told(f"{device}: {trouble or 'has the model of before'}")


async def _ask(link: Link, device: str, work: str, sha256: str) -> str | None:
    """Ask a device, and return what went wrong there."""
    subject = link.subject("model", device)
    try:
        asked = order(link.credentials, subject, {work: sha256})
        answer = json.loads((await link.nats.request(subject, asked, timeout=ANSWER_S)).data)
        return None if answer["ok"] else str(answer["error"])[:LONGEST_WORD]
    except nats.errors.NoRespondersError:
        return "does not answer"
    except (*BROKEN, ValueError, KeyError, TypeError, RecursionError) as error:
        return f"does not answer as it should ({type(error).__name__})"
