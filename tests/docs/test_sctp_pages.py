"""`docs/sctp.md` and `docs/datachannel.md`: their examples run, and the files they name exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["sctp", "datachannel"]


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


@pytest.mark.parametrize("name", PAGES)
def test_the_example_runs(name: str) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL)
    exec(example, {})


def test_every_module_is_named() -> None:
    modules = {path.name for path in (ROOT / "src" / "zwerm" / "webrtc" / "sctp").glob("*.py")} - {"__init__.py"}
    small = {"config.py", "events.py", "timer.py"}
    assert set(re.findall(r"`(\w+\.py)`", page("sctp"))) - {"setup.py"} == modules - small


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_short(name: str) -> None:
    assert page(name).count("\n") <= 150
