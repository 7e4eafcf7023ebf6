"""`captures.md` and `statistics.md` of `docs`: their examples run, and what they name is the code's."""

import re
from pathlib import Path

import pytest

from tests.webrtc.w3c.test_stats_records import HOST, REFLEXIVE, RELAYED, pair, record_of
from zwerm.webrtc.capture import capture, file
from zwerm.webrtc.w3c import capturing, stats_history

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("captures", "statistics")


def examples() -> list[str]:
    pages = [(DOCS / f"{name}.md").read_text() for name in PAGES]
    return [code for page in pages for code in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)]


@pytest.mark.parametrize("number", range(3))
def test_the_example_runs(number: int) -> None:
    assert len(examples()) == 3
    exec(examples()[number], {"__name__": "example"})


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_short(name: str) -> None:
    assert len((DOCS / f"{name}.md").read_text().splitlines()) <= 150


def test_the_numbers_are_those_of_the_code() -> None:
    page = (DOCS / "captures.md").read_text()
    assert f"held back, {capture.MAX_HELD // 1_024} KiB at most" in page
    assert f"{file.DEFAULT_SIZE // 1_048_576} MiB in two files" in page
    assert file.DEFAULT_FILES == 2
    assert f"the keys of the {capture.MAX_SECRETS} newest connections" in page
    assert f"`{capturing.KEYS_VARIABLE}=1`" in page
    assert f"{capturing.FILE_VARIABLE}=" in page
    history = (DOCS / "statistics.md").read_text()
    assert stats_history.MAX_SAMPLES == 600
    assert f"{stats_history.MAX_RECORDS} records and {stats_history.MAX_EVENTS:,} entries" in history
    assert f"{stats_history.MAX_VALUE:,} characters" in history


def test_every_type_of_record_has_its_line() -> None:
    page = (DOCS / "statistics.md").read_text()
    counted = {"sent_at": 1.0, "received_at": 1.0}
    report = record_of(*(pair(one, selected=one is HOST, **counted) for one in (HOST, REFLEXIVE, RELAYED)))
    assert {record.type for record in report.values()} == {
        "peer-connection",
        "transport",
        "candidate-pair",
        "local-candidate",
        "remote-candidate",
        "sctp-transport",
    }
    assert all(f"`{record.type}`" in page for record in report.values())
    assert all(f"`{kind}`" in page for kind in ("data-channel", "certificate"))
