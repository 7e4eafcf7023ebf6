"""`docs/commands.md` lists every command as the code has it."""

from __future__ import annotations

from pathlib import Path

from zwerm.cli.commands import TABLE, load
from zwerm.cli.reference import commands_page

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_page_is_the_one_that_the_tables_make() -> None:
    assert PAGE.read_text("utf-8") == commands_page(), "run `make docs`"


def test_every_command_is_on_it() -> None:
    text = PAGE.read_text("utf-8")
    commands = [command.words for word in TABLE for command in load(word) if not command.hidden]
    assert [words for words in commands if f"\n### `{words}" not in text] == []
