"""tests/peers/README.md: every peer that is installed stands there with its licence."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "tests" / "peers"


def rows() -> dict[tuple[str, str], str]:
    """The licence of each package, by where it is from and its name."""
    found: dict[tuple[str, str], str] = {}
    for line in (PEERS / "README.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"`([^`]+)`", cells[0]) if len(cells) == 3 else []:
            found[cells[1], name] = cells[2]
    return found


def test_every_package_that_is_installed_is_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    python = {re.split(r"[<>=!\[; ]", one)[0] for one in (*project["peers"], *project["fuzz"])}
    script = (ROOT / "tools" / "install-peers").read_text("utf-8")
    debian = {
        name
        for block in re.findall(r"^(?:browsers_and_servers|shells)=\(([^)]*)\)", script, re.MULTILINE)
        for name in block.split()
    }
    environments = {
        re.split(r"[<>=\[]", one)[0]
        for one in re.findall(r"^  (?:peer|suite) \S+ .*?([a-z0-9]+(?:\[\w+\])?==)", script, re.MULTILINE)
    }
    npm = set(json.loads((PEERS / "package.json").read_text("utf-8"))["dependencies"])
    wanted = {"PyPI": python | environments, "Debian": debian, "npm": npm}
    missing = {(source, name) for source, names in wanted.items() for name in names} - set(rows())
    assert sorted(missing) == []
    assert {name for source, name in rows() if source == "npm"} == npm


def test_the_licences_of_the_javascript_ones_are_what_they_say_themselves() -> None:
    for (source, name), licence in rows().items():
        package = PEERS / "node_modules" / name / "package.json"
        if source == "npm" and package.exists():
            assert json.loads(package.read_text("utf-8"))["license"] == licence, name
