"""Looks at the device as ``qrsd doctor`` does, as far as that takes neither rights nor the chip.

    python -m daemon.web.checkup  -> {"simulated": ..., "findings": [...]}

A process of its own, since it loads the model, and listens for ten seconds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from config.errors import SettingsError
from config.settings import ConnectOptions, load
from daemon.doctor.checks import ASKING
from daemon.doctor.visit import Visit
from daemon.doctor.walk import Finding, skipped, walk
from daemon.wire.keys import ClientKeys

ELSEWHERE = "the page shows a service on another machine (connect.messages): qrsd doctor there"


def read_keys(connect: ConnectOptions) -> ClientKeys | None:
    """Return the keys that the settings name, if they do."""
    return ClientKeys.read(Path(connect.key), connect.service_key) if connect.key else None


def look(visit: Visit) -> Iterator[Finding]:
    """Yield what is found; of another machine nothing can be."""
    try:
        is_elsewhere = bool(visit.load().settings.connect.messages)
    except SettingsError:  # the first check says why
        is_elsewhere = False
    if is_elsewhere:
        yield replace(skipped(ELSEWHERE), about="service")
    else:
        yield from walk(ASKING, visit)


def main() -> int:
    """Look, and print what is found."""
    visit = Visit(load, read_keys=read_keys, may_open=False)
    with visit.resources:
        findings = [asdict(each) for each in look(visit)]
    print(json.dumps({"simulated": visit.simulated, "findings": findings}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
