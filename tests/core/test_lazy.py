"""PEP 562: a package gives out what its modules hold, and imports each of them only then."""

import sys
from pathlib import Path

import pytest

from zwerm.core.lazy import attributes


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "lazy_example"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "colours.py").write_text("red = 'the colour'\nshade = 'of red'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("lazy_example", "lazy_example.colours"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return "lazy_example"


def test_a_module_is_imported_when_one_of_its_names_is_asked_for(package: str) -> None:
    get = attributes(package, {"red": "colours", "tint": "colours:shade"})
    assert f"{package}.colours" not in sys.modules
    assert get("red") == "the colour"
    assert f"{package}.colours" in sys.modules
    assert get("tint") == "of red"


def test_what_a_package_does_not_offer_is_missing_as_from_any_module(package: str) -> None:
    get = attributes(package, {"red": "colours", "gone": "colours"})
    with pytest.raises(AttributeError, match="module 'lazy_example' has no attribute 'shade'"):
        get("shade")
    with pytest.raises(AttributeError):
        get("gone")
