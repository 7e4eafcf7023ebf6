"""docs/verified.md is written by `make test-all` from the claims declared, every test counted somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import verified, verified_page
from tools.claims import CLAIMS, Claim

PAGE = verified.PAGE.read_text("utf-8")


def test_the_page_is_what_would_be_written_again() -> None:
    assert verified_page.render(verified_page.parse(PAGE)) == PAGE


def test_the_page_makes_no_claim_that_is_not_declared() -> None:
    assert list(verified_page.parse(PAGE)["Claims"]) == [
        claim.claim for claim in CLAIMS if f"| {claim.claim} |" in PAGE
    ]


@pytest.mark.parametrize("claim", CLAIMS, ids=[claim.claim for claim in CLAIMS])
def test_a_claim_names_tests_that_exist(claim: Claim) -> None:
    paths = [word for word in claim.command.split() if word.startswith("tests/")]
    assert all(verified.tests_at(path) for path in paths)
    assert bool(paths) == ("pytest" in claim.command)


def test_every_test_file_belongs_to_one_part_of_the_full_sets() -> None:
    areas = verified.areas()
    divided = [test for part in range(4) for area in sorted(areas)[part::4] for test in areas[area]]
    assert sorted(divided) == verified.tests_at("tests")
    assert Path(__file__).relative_to(verified.ROOT).as_posix() in divided


def test_a_row_that_was_not_run_keeps_its_figure_and_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "verified.md"
    page.write_text(PAGE)
    monkeypatch.setattr(verified, "PAGE", page)
    run = verified.Run(1, 1, "2030-01-01")
    first, second = CLAIMS[:2]
    run.rows["Claims"][first.claim] = (first.claim, "`command`", "7 passed", "2030-01-01")
    verified.write_page(run)
    old, new = verified_page.parse(PAGE)["Claims"], verified_page.parse(page.read_text())["Claims"]
    assert new[first.claim] == (first.claim, "`command`", "7 passed", "2030-01-01")
    assert new[second.claim] == old[second.claim]


def test_a_module_that_reaches_the_bar_or_is_gone_leaves_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "verified.md"
    page.write_text(PAGE)
    monkeypatch.setattr(verified, "PAGE", page)
    run = verified.Run(1, 1, "2030-01-01")
    run.rows["Branch coverage"] |= {name: (name, "90.0 %", "2030-01-01") for name in ("core/random.py", "gone.py")}
    verified.write_page(run)
    assert "| core/random.py | 90.0 % | 2030-01-01 |" in page.read_text()
    assert "gone.py" not in page.read_text()
    again = verified.Run(1, 1, "2030-01-02")
    again.reached.add("core/random.py")
    verified.write_page(again)
    assert "core/random.py" not in page.read_text()


def test_what_failed_or_was_left_out_is_not_counted_as_passed(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase file="tests/test_a.py" time="1.5"/>'
        '<testcase file="tests/test_a.py" time="0.5"><skipped/></testcase>'
        '<testcase file="tests/test_b.py" time="1"><failure/></testcase></testsuite></testsuites>'
    )
    assert verified.read_report(report) == {
        "tests/test_a.py": verified.Suite(1, 0, 2.0),
        "tests/test_b.py": verified.Suite(0, 1, 1.0),
    }
