"""What is vendored is what its README says, and what is served holds nothing that the policy of the page refuses."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

WEB = Path(__file__).parents[2] / "src" / "zwerm" / "web"
VENDOR = WEB / "vendor"


def test_vendored_files_have_the_recorded_hashes_and_licences() -> None:
    readme = (VENDOR / "README.md").read_text()
    recorded = dict(re.findall(r"^\| (\S+) \| ([0-9a-f]{64}) \|$", readme, re.MULTILINE))
    assert recorded == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.[jt]s")}
    licences = re.findall(r"^\| \S+ \| [0-9.]+ \| (MIT|Apache-2\.0) \| (\S+) \|$", readme, re.MULTILINE)
    assert {name for _, name in licences} == {path.name for path in VENDOR.glob("LICENCE-*")}


def test_no_script_or_style_stands_in_the_page_itself() -> None:
    page = (WEB / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", page) == []
    assert re.findall(r'(?:src|href)="(?!/)', page) == []


def test_modules_refer_to_each_other_by_relative_paths_that_exist() -> None:
    for path in WEB.rglob("*.js"):
        if path.parent == VENDOR:
            continue
        for target in re.findall(r'^(?:import|export) .*?from "([^"]+)";$', path.read_text(), re.MULTILINE):
            assert target.startswith("."), (path, target)
            assert (path.parent / target).is_file(), (path, target)


def test_markup_is_never_made_from_text() -> None:
    for path in WEB.rglob("*.js"):
        if path.parent != VENDOR:
            found = re.findall(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", path.read_text()
            )
            assert found == [], path
