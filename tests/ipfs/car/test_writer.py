"""Writing CARs: one form, in parts, repeated blocks once, memory bounded."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable

import pytest

from tests.ipfs.car.archives import ACORN, BEECH, BLOCKS, CEDAR, archive
from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.block import Block
from zwerm.ipfs.car.writer import PART, section, write
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


class Steps:
    """Blocks one after another, and whether the one who asked for them closed this."""

    def __init__(self, blocks: Iterable[Block], failure: Exception | None = None) -> None:
        self.given = 0
        self.closed = False
        self.stream = self._stream(list(blocks), failure)

    async def _stream(self, blocks: list[Block], failure: Exception | None) -> AsyncGenerator[tuple[CID, bytes], None]:
        try:
            for block in blocks:
                self.given += 1
                yield block
            if failure is not None:
                raise failure
        finally:
            self.closed = True


async def written(blocks: Iterable[Block], *, repeats: bool = False, remembered: int = 100) -> bytes:
    steps = Steps(blocks).stream
    return b"".join([part async for part in write([ACORN.cid], steps, repeats=repeats, remembered=remembered)])


def test_a_section_is_length_cid_and_data() -> None:
    assert b"".join(section(*ACORN)) == bytes([41]) + bytes(ACORN.cid) + b"acorn"


async def test_an_archive_is_a_header_and_sections() -> None:
    assert await written(BLOCKS) == archive(BLOCKS)
    assert await written([]) == archive([])


async def test_a_block_that_comes_again_is_written_once_unless_asked_for() -> None:
    blocks = [ACORN, BEECH, ACORN, ACORN, CEDAR, BEECH]
    assert await written(blocks) == archive([ACORN, BEECH, CEDAR])
    assert await written(blocks, repeats=True) == archive(blocks)


async def test_what_is_remembered_is_bounded() -> None:
    blocks = [Block.create(b"%d" % number) for number in range(10)]
    again = await written(blocks + blocks, remembered=2)
    assert again == archive(blocks + blocks)
    assert await written([*blocks, blocks[-1], blocks[-2]], remembered=2) == archive(blocks)


async def test_identity_blocks_are_left_out() -> None:
    inside = Block.create(b"inside", hash_code=multicodec.IDENTITY)
    assert await written([ACORN, inside, BEECH]) == archive([ACORN, BEECH])


async def test_blocks_are_given_out_as_they_come_in_parts_of_bounded_size() -> None:
    blocks = [Block.create(bytes([number]) * 100_000) for number in range(20)]
    steps = Steps(blocks)
    parts = write([ACORN.cid], steps.stream)
    first = await anext(parts)
    assert steps.given == 3
    rest = [part async for part in parts]
    assert b"".join([first, *rest]) == archive(blocks)
    assert all(PART <= len(part) <= PART + 101_000 for part in [first, *rest[:-1]])


async def test_an_error_comes_after_all_that_was_whole() -> None:
    steps = Steps([ACORN, BEECH], LocalProtocolError("enough"))
    parts: list[bytes] = []

    async def collect() -> None:
        async for part in write([ACORN.cid], steps.stream):
            parts.append(part)  # noqa: PERF401 -- a comprehension would lose them with the error

    with pytest.raises(LocalProtocolError):
        await collect()
    assert b"".join(parts) == archive([ACORN, BEECH])
    assert steps.closed


async def test_stopping_early_closes_what_gives_the_blocks() -> None:
    steps = Steps([Block.create(bytes([number]) * PART) for number in range(10)])
    parts = write([ACORN.cid], steps.stream)
    await anext(parts)
    await parts.aclose()
    assert steps.closed
    assert steps.given == 1
