"""The page's code is clean under eslint, prettier and TypeScript's checker of JSDoc types."""

from __future__ import annotations

import pytest

from tests.daemon.web.browser.node import CHECKOUT, TOOLS, installed, node

STATIC = CHECKOUT / "daemon" / "web" / "static"

pytestmark = pytest.mark.web

TOOLS_AND_OPTIONS = {
    "eslint/bin/eslint.js": ["--max-warnings=0", f"--config={TOOLS}/eslint.config.js", STATIC],
    "prettier/bin/prettier.cjs": ["--check", f"--config={TOOLS}/.prettierrc.json", STATIC],
    "typescript/bin/tsc": ["--project", TOOLS],
}


@pytest.mark.parametrize("tool", TOOLS_AND_OPTIONS)
def test_code_is_clean(tool: str) -> None:
    packages = installed()
    run = node(str(packages / tool), *map(str, TOOLS_AND_OPTIONS[tool]))
    assert run.returncode == 0, run.stdout + run.stderr
