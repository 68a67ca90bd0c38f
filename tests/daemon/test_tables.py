"""Tables for people: what others wrote is shown, and commands neither rich nor the terminal."""

from __future__ import annotations

import io

from rich.console import Console
from rich.text import Text

from daemon.tables import filled


def printed(*row: str | Text, title: str = "") -> str:
    console = Console(file=io.StringIO(), record=True, width=80, force_terminal=True)
    console.print(filled(title, ("what", "measured"), [row]))
    return console.export_text()


def test_brackets_of_a_name_are_shown() -> None:
    assert "[red]a.csv[/]" in printed("[red]a.csv[/]", "1")
    assert "[link=x]a" in printed("a", "1", title="[link=x]a")


def test_control_characters_of_a_name_reach_no_terminal() -> None:
    shown = printed("\x1b[2Ja\x07\u202e.csv", "1")
    assert "\ufffd[2Ja\ufffd\ufffd.csv" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_styles_of_our_own_are_kept() -> None:
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system="standard")
    console.print(filled("", ("what", "well?"), [("a", Text("wrong", "bold red"))]))
    assert "\x1b[1;31mwrong" in file.getvalue()
