"""`connect.md` and `sync.md` of `docs`: the example runs, and the numbers they name are the code's."""

import re
from pathlib import Path

from zwerm.apps.connect import chat, desk
from zwerm.webrtc.paste import code
from zwerm.webrtc.sync import authority, interpolation, packet, schema
from zwerm.webrtc.transfer import event, message

DOCS = Path(__file__).parents[2] / "docs"
CONNECT, SYNC = ((DOCS / f"{name}.md").read_text() for name in ("connect", "sync"))


def test_the_example_runs() -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", SYNC, re.MULTILINE | re.DOTALL)
    exec(example, {"__name__": "example"})


def test_the_pages_are_short() -> None:
    assert max(len(page.splitlines()) for page in (CONNECT, SYNC)) <= 150


def test_the_numbers_of_connecting_are_those_of_the_code() -> None:
    config = event.Config()
    assert code.MAX_CANDIDATES == 8
    assert "up to eight UDP" in CONNECT
    assert f"up to {chat.MAX_TEXT:,} characters" in CONNECT
    assert f"up to {message.MAX_NAME:,} bytes" in CONNECT
    assert f"up to {message.MAX_CHUNK:,} bytes" in CONNECT
    assert f"{desk.HIGH >> 20} MiB in the channel's buffer" in CONNECT
    assert f"{config.window >> 20} MiB that the receiver has not written" in CONNECT
    assert f"Limits: {config.max_files} files" in CONNECT
    assert config.max_size == message.MAX_SIZE == 2**53 - 1


def test_the_numbers_of_shared_state_are_those_of_the_code() -> None:
    config, playout = authority.Config(), interpolation.Playout(tick=1 / 30)
    assert f"{schema.MAX_BITS} bits a field" in SYNC
    assert f"up to {config.max_packet:,} bytes" in SYNC
    assert f"{config.max_history} snapshots of history" in SYNC
    assert f"{config.max_pending} inputs of up to {packet.MAX_INPUT_SIZE} bytes" in SYNC
    assert f"{config.max_waiting_events} events" in SYNC
    assert f"after {config.resend:g} s (doubling up to {4 * config.resend:g} s)" in SYNC
    assert f"({playout.minimum_delay:g} to {playout.maximum_delay:g} s)" in SYNC
