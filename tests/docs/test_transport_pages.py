"""`dtls.md`, `net.md`, `sdp.md`, `webrtc.md` of `docs`: their examples run, and the limits they name are the code's."""

import re
from pathlib import Path

import pytest

from zwerm.net import udp
from zwerm.webrtc.dtls.event import Config
from zwerm.webrtc.dtls.replay import WINDOW
from zwerm.webrtc.sdp import description, line, section

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["dtls", "net", "sdp", "webrtc"])
def test_the_example_runs(name: str) -> None:
    examples = re.findall(r"^```python\n(.*?)^```", (DOCS / f"{name}.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) == 1
    exec(examples[0], {"__name__": "example"})


@pytest.mark.parametrize("name", ["dtls", "net", "sdp", "webrtc"])
def test_the_page_is_short(name: str) -> None:
    assert len((DOCS / f"{name}.md").read_text().splitlines()) <= 150


def test_the_numbers_are_those_of_the_code() -> None:
    config, page = Config(), (DOCS / "dtls.md").read_text()
    assert f"| {config.handshake_timeout:.0f} s, then" in page
    assert f"| {config.max_handshake_records:,} |" in page
    assert f"| {config.max_message // 1_024} KiB; {config.max_messages} |" in page
    assert f"| {config.max_held_records} |" in page
    assert f"| {config.max_waiting_payloads:,} each |" in page
    assert f"a window of {WINDOW} numbers" in page
    assert f"{config.initial_interval:g} s, up to {config.max_interval:g} s" in page
    sockets = (DOCS / "net.md").read_text()
    assert f"at most {udp.READS_PER_WAKE} system calls" in sockets
    assert f"a line of {udp.MAX_PENDING // 1_024} KiB" in sockets
    texts = (DOCS / "sdp.md").read_text()
    assert f"| {line.MAX_SIZE:,} |" in texts
    assert f"| {line.MAX_LINES:,}; {line.MAX_LINE:,} |" in texts
    assert f"| {description.MAX_MEDIA} |" in texts
    assert f"| {description.MAX_CANDIDATES:,} |" in texts
    assert f"| {section.MAX_ICE_CREDENTIAL} characters |" in texts
