"""Tests mirror src: `src/zwerm/ipfs/car/reader.py` is tested by `tests/ipfs/car/test_reader.py`."""

import sys
from pathlib import Path

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "zwerm"
MIRRORED = sorted(folder.name for folder in SOURCE.iterdir() if folder.is_dir() and folder.name not in ("cli", "web"))
SMALL = 40  # lines; a module below is tested by what uses it


def module_of(test: Path) -> Path:
    return SOURCE / test.relative_to(TESTS).with_name(test.name.removeprefix("test_"))


def test_every_test_file_stands_where_its_module_does() -> None:
    """A file named for no module is about its folder as a whole: a specification, a property, a kill."""
    modules = {path.name for folder in MIRRORED for path in (SOURCE / folder).rglob("*.py")}
    lost = [
        test.relative_to(TESTS).as_posix()
        for folder in MIRRORED
        for test in (TESTS / folder).rglob("test_*.py")
        if not (module_of(test).is_file() or (module_of(test).parent.is_dir() and module_of(test).name not in modules))
    ]
    assert lost == []


def untested_modules() -> list[str]:
    """Modules of some size without a test file of their own."""
    modules = [module for folder in MIRRORED for module in (SOURCE / folder).rglob("*.py")]
    return sorted(
        module.relative_to(SOURCE).as_posix()
        for module in modules
        if module.read_text().count("\n") > SMALL
        and not (TESTS / module.relative_to(SOURCE).with_name(f"test_{module.name}")).is_file()
    )


if __name__ == "__main__":  # the strict check: `python tests/test_layout.py` lists what is missing
    missing = untested_modules()
    sys.exit("\n".join([*missing, f"{len(missing)} modules without a test file"]) if missing else 0)
