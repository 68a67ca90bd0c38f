"""``qrsd config``: check and show what the service is set to."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from config.errors import SettingsError
from config.settings import DEFAULT_PATH, Loaded, load
from daemon.commands.exit_codes import BUG, exit_code
from daemon.commands.parts import add_part
from daemon.errors import DaemonError
from daemon.terminal import plain
from model.errors import ModelError

CHECK = f"""\
Check settings without starting anything. The exit code is 78 if the service cannot run with them.

examples:
  qrsd config check
  qrsd config check --set chip.gain=4
  qrsd config check new.yaml && sudo cp new.yaml {DEFAULT_PATH}"""

SHOW = """\
Show every setting in force, and where each that is not a default came from.

example:
  QRSD_CHIP_GAIN=4 qrsd config show"""


def add_config(config: argparse.ArgumentParser) -> None:
    """Add the commands that look at the settings."""
    actions = config.add_subparsers(required=True, metavar="ACTION")
    for name, description, run in (("check", CHECK, run_check), ("show", SHOW, run_show)):
        parser = add_part(actions, name, description)
        parser.add_argument(
            "file", nargs="?", type=Path, help=f"settings file (default: {DEFAULT_PATH})"
        )
        parser.add_argument("--settings", type=Path, metavar="FILE", help="the same file")
        parser.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="one setting"
        )
        if name == "show":
            parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)


def run_check(args: argparse.Namespace) -> int:
    """Load the settings as the service would, and the model that they name; print all errors."""
    from daemon.service.assembly import check
    from model.opening import open_network

    found: list[SettingsError | DaemonError | ModelError] = []
    try:
        settings = _load(args).settings
    except SettingsError as error:
        found.append(error)
    else:
        for part in (partial(check, settings), partial(open_network, settings.model_path)):
            try:
                part()
            except (SettingsError, DaemonError, ModelError) as error:
                found.append(error)
    problems = [line for each in found for line in getattr(each, "problems", (str(each),))]
    if len(problems) == 1:
        raise found[0]
    for problem in problems:
        print(f"qrsd: {plain(problem)}", file=sys.stderr)
    if found:
        return exit_code(found[0]) or BUG
    print(f"{_file(args) or (DEFAULT_PATH if DEFAULT_PATH.exists() else 'the defaults')}: fine")
    return 0


def _file(args: argparse.Namespace) -> Path | None:
    path: Path | None = args.file or args.settings
    return path


def _load(args: argparse.Namespace) -> Loaded:
    return load(_file(args), assignments=args.set)


def run_show(args: argparse.Namespace) -> int:
    """Print the settings in force."""
    loaded = _load(args)
    settings = _plain(asdict(loaded.settings))
    if args.json:
        print(json.dumps({"settings": settings, "origins": loaded.origins}, indent=2))
    else:
        print(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), end="")
        _print_origins(loaded)
    return 0


def _print_origins(loaded: Loaded) -> None:
    print("\n# all defaults" if not loaded.origins else "\n# not the default:")
    for path, origin in loaded.origins.items():
        print(f"#   {path}: from {origin}")


def _plain(value: Any) -> Any:
    """Turn tuples into the lists that YAML and JSON have."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value
