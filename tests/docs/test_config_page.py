"""`docs/config.md` lists every setting as the code has it."""

from __future__ import annotations

from pathlib import Path

from zwerm.node.reference import config_page
from zwerm.node.settings import PROFILES, SETTINGS

PAGE = Path(__file__).parents[2] / "docs" / "config.md"


def test_the_page_is_the_one_that_the_table_makes() -> None:
    assert PAGE.read_text("utf-8") == config_page()


def test_every_key_and_profile_is_on_it() -> None:
    text = PAGE.read_text("utf-8")
    assert [setting.key for setting in SETTINGS if f"`{setting.key}`" not in text] == []
    assert [name for name in PROFILES if f"* `{name}`" not in text] == []
