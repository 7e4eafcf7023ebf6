"""Cuts that depend on the content, and not on how it comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zwerm.ipfs.unixfs.chunker.window import WindowChunker


class AfterNewline(WindowChunker):
    """Cuts after windows of two bytes that end in a newline."""

    def __init__(self) -> None:
        super().__init__(4, 9, 2)

    def _find(self, data: bytes) -> int:
        found = data.find(b"\n", 1)
        return found - 1 if found >= 0 else -1


def whole(data: bytes) -> list[bytes]:
    """The rule, said plainly."""
    chunks = []
    while data:
        sizes = (size for size in range(4, min(len(data), 9) + 1) if data[size - 1] == ord("\n") or size == 9)
        size = next(sizes, len(data))
        chunks.append(data[:size])
        data = data[size:]
    return chunks


@given(st.lists(st.text("ab\n", max_size=30).map(str.encode)))
def test_chunks_end_at_the_first_hit_between_the_least_and_the_most(pieces: list[bytes]) -> None:
    chunker = AfterNewline()
    chunks = [chunk for piece in pieces for chunk in chunker.receive_data(piece)]
    assert chunks + chunker.finish() == whole(b"".join(pieces))


def test_a_finished_machine_begins_again() -> None:
    chunker = AfterNewline()
    assert chunker.receive_data(b"abcdefg") == []
    assert chunker.finish() == [b"abcdefg"]
    assert chunker.receive_data(b"abc\nd") == [b"abc\n"]
