"""What README and docs/ tell a reader to type is there, and so is what they link to."""

from __future__ import annotations

import argparse
import io
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

from daemon.__main__ import build_parser

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
#: From the command to a comment, a pipe or a redirection.
COMMAND = re.compile(r"(?:.*\bsudo |.*bin/)?(?:-u qrsd )?qrsd ([a-z-][^#>|;&]*)")
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def code(page: Path) -> Iterator[tuple[str, bool]]:
    """Yield each piece of code, and whether it stands in a block, so that nothing is left out."""
    text = re.sub(r"\\\n\s*", "", page.read_text())
    for block in re.findall(r"^```\w*\n(.*?)^```|^    ([^\n]*)", text, re.MULTILINE | re.DOTALL):
        yield from ((line.strip(), True) for line in "".join(block).splitlines())
    text = re.sub(r"^```.*?^```|^    [^\n]*", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from ((" ".join(each.split()), False) for each in re.findall(r"`([^`]+)`", text))


def anchors(page: Path) -> set[str]:
    """Return what a page's headings are linked to by, as GitHub makes it of them."""
    headings = re.findall(r"^#+ (.*)", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def parser(command: str) -> argparse.ArgumentParser:
    return build_parser([command])


def refuse(_parser: argparse.ArgumentParser, message: str) -> NoReturn:
    raise ValueError(message)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_command_is_there_with_its_options(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(argparse.ArgumentParser, "error", refuse)
    wrong = []
    for written, is_whole in code(page):
        if (found := COMMAND.match(written)) and "--help" not in written:
            monkeypatch.setattr("sys.stdin", io.StringIO("Ada\n"))  # for a name that is -
            words = shlex.split(found[1])
            try:
                parser(words[0]).parse_args(words)
            except ValueError as error:
                if is_whole or not re.search(r"required|expected .*argument", str(error)):
                    wrong.append(f"{written}: {error}")
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_link_file_and_target_is_there(page: Path) -> None:
    missing = []
    for file, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
        to = page.parent / file if file else page
        if not to.exists() or (anchor and anchor not in anchors(to)):
            missing.append(f"{file}#{anchor}")
    for written, _ in code(page):
        files = re.findall(r"\btests/[\w/]+\.py", written)
        files += [f"benchmarks/{name}.py" for name in re.findall(r"benchmarks\.([a-z_]+)", written)]
        missing += [file for file in files if not (ROOT / file).exists()]
        if target := re.match(r"(?:sudo )?make ([a-z0-9-]+)", written):
            missing += {target[1]} - TARGETS
    assert missing == []
