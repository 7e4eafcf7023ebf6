"""A message of a conversation is refused with WireError, passed over, or survives being written again."""

from tests.fuzz.inputs import text
from zwerm.apps.connect.chat import Hello, Play, Text, Writing, parse
from zwerm.core.errors import WireError

SEEDS = [
    str(Hello("zwerm 0.7.0")).encode(),
    str(Text("hallo 🐦")).encode(),
    str(Writing(is_writing=True)).encode(),
    str(Play(is_playing=False)).encode(),
    b'{"type":"bye"}',
    b'{"type":"text","text":"\\ud800"}',
    b"[" * 300,
]


def fuzz(data: bytes) -> None:
    try:
        saying = parse(text(data))
    except WireError:
        return
    if saying is not None:
        assert parse(str(saying)) == saying
