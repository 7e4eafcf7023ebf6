"""What every blockstore does (`zwerm.ipfs.blockstore.store`): functions that a store's tests call with a new store."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.blockstore.store import CollectableBlockstore
from zwerm.multiformats import multicodec, multihash
from zwerm.multiformats.cid import CID

Check = Callable[[CollectableBlockstore], None]


def block(number: int, size: int = 100) -> Block:
    """A block that is the same for the same number."""
    return Block.create(random.Random(number).randbytes(size))


def check_put_is_readable_before_and_after_sync(store: CollectableBlockstore) -> None:
    blocks = [block(number, size) for number, size in enumerate((0, 1, 127, 128, 4096, 262_144, 2_097_152))]
    store.put(blocks)
    for _ in range(2):
        for cid, data in blocks:
            assert store.has(cid)
            assert store.get(cid) == data
            assert store.get(cid, verify=True) == data
            assert store.size(cid) == len(data)
            assert store.get_nowait(cid) in (None, data)
        store.sync()


def check_absent_blocks_are_said_to_be(store: CollectableBlockstore) -> None:
    store.put([block(1)])
    absent = block(2).cid
    assert not store.has(absent)
    assert store.touch([absent, block(1).cid]) == [absent]
    assert store.delete([absent]) == 0
    for call in (store.get, store.size):
        with pytest.raises(BlockNotFound) as caught:
            call(absent)
        assert caught.value.cid == absent


def check_absent_blocks_are_found_out_together(store: CollectableBlockstore) -> None:
    store.put([block(1)])
    store.sync()
    store.put([block(2)])
    identity = CID(1, multicodec.RAW, b"\x00\x01x")
    assert store.absent(each for each in (block(3).cid, block(2).cid, identity, block(1).cid)) == [block(3).cid]
    assert store.absent([]) == []


def check_blocks_are_stored_by_multihash(store: CollectableBlockstore) -> None:
    first = Block.create(b"one content", multicodec.DAG_PB, version=0)
    second = Block.create(b"one content", multicodec.DAG_CBOR)
    assert first.cid.multihash == second.cid.multihash
    store.put([first])
    assert store.get(second.cid) == b"one content"
    store.put([second])
    assert list(store.multihashes()) == [first.cid.multihash]


def check_identity_cids_answer_from_themselves(store: CollectableBlockstore) -> None:
    identity = Block.create(b"in the name", hash_code=multicodec.IDENTITY)
    for _ in range(2):
        assert store.has(identity.cid)
        assert store.get(identity.cid) == b"in the name"
        assert store.get_nowait(identity.cid) == b"in the name"
        assert store.size(identity.cid) == 11
        assert store.touch([identity.cid]) == []
        store.put([identity])
        store.sync()
    assert list(store.multihashes()) == []
    assert store.delete([identity.cid]) == 0


def check_every_hash_function_is_kept(store: CollectableBlockstore) -> None:
    blocks = [
        Block.create(b"content", hash_code=code)
        for code in multihash.FUNCTIONS.values()
        if code != multicodec.IDENTITY and _is_long_enough(code)
    ]
    store.put(blocks)
    store.sync()
    assert set(store.multihashes()) == {cid.multihash for cid, _ in blocks}
    for cid, data in blocks:
        assert store.get(cid, verify=True) == data


def _is_long_enough(code: int) -> bool:
    key = multihash.digest(b"content", code)
    _, start, end = multihash.parse_prefix(key)
    return end - start >= multihash.MIN_DIGEST


def check_deleted_blocks_are_gone_and_can_come_back(store: CollectableBlockstore) -> None:
    blocks = [block(number) for number in range(20)]
    store.put(blocks)
    store.sync()
    store.put([block(20)])  # one that is not synced
    assert store.delete([blocks[3].cid, blocks[4].cid, block(20).cid, block(21).cid]) == 3
    for number in (3, 4, 20):
        assert not store.has(block(number).cid)
        assert store.get_nowait(block(number).cid) is None
    assert len(set(store.multihashes())) == 18
    store.put([blocks[3]])
    assert store.get(blocks[3].cid) == blocks[3].data
    store.sync()
    assert len(set(store.multihashes())) == 19


def check_multihashes_names_each_block_once(store: CollectableBlockstore) -> None:
    blocks = [block(number) for number in range(5_000)]
    store.put(blocks[:3_000])
    store.sync()
    store.put(blocks[2_000:])
    found = list(store.multihashes())
    assert len(found) == len(set(found)) == 5_000
    assert set(found) == {cid.multihash for cid, _ in blocks}


def check_put_takes_any_iterable_and_keeps_what_came_before_an_error(store: CollectableBlockstore) -> None:
    def blocks() -> Iterator[Block]:
        for number in range(600):
            yield block(number)
        raise LocalProtocolError("the producer broke")

    with pytest.raises(LocalProtocolError, match="the producer broke"):
        store.put(blocks())
    store.sync()
    assert store.has(block(0).cid)
    assert store.get(block(511).cid) == block(511).data


def check_old_unmarked_blocks_are_candidates_and_can_be_deleted(store: CollectableBlockstore) -> None:
    blocks = [block(number) for number in range(50)]
    store.put(blocks)
    store.sync()
    threshold = store.threshold()
    keys = sorted(cid.multihash for cid, _ in blocks)
    assert store.candidates(threshold, b"", 10) == keys[:10]
    assert store.candidates(threshold, keys[9], 100) == keys[10:]
    assert store.delete_unused(keys[:10], threshold, lambda: True) is None
    assert store.delete_unused(keys[:10], threshold, lambda: False) == dict.fromkeys(keys[:10], 100)
    assert sorted(store.multihashes()) == keys[10:]
    store.compact()
    assert sorted(store.multihashes()) == keys[10:]


def check_blocks_put_since_the_threshold_stay(store: CollectableBlockstore) -> None:
    store.put([block(1)])
    store.sync()
    threshold = store.threshold()
    store.put([block(2)])
    for _ in range(2):
        assert store.candidates(threshold, b"", 10) == [block(1).cid.multihash]
        assert store.delete_unused([block(2).cid.multihash], threshold, lambda: False) == {}
        store.sync()
    assert store.has(block(2).cid)


def check_a_hold_keeps_blocks_found_again(store: CollectableBlockstore) -> None:
    """Put again, or touched; while it is open, and for collections that began before it ended."""
    store.put(block(number) for number in range(4))
    store.sync()
    keys = [block(number).cid.multihash for number in range(4)]
    with store.hold():
        store.put([block(0)])
        assert store.touch([block(1).cid]) == []
        during = store.threshold()
        store.put([block(2)])
    for _ in range(2):
        assert set(store.delete_unused(keys[:3], during, lambda: False) or ()) == set()
        store.sync()
    assert store.delete_unused(keys[3:], during, lambda: False) == {keys[3]: 100}
    later = store.threshold()
    assert set(store.delete_unused(keys, later, lambda: False) or ()) == set(keys[:3])


def check_a_second_hold_keeps_what_an_older_one_has_touched(store: CollectableBlockstore) -> None:
    """The older hold ends first; what the younger found again must not rest on the older one's word."""
    store.put([block(1)])
    store.sync()
    first = store.hold()
    first.__enter__()
    store.touch([block(1).cid])
    second = store.hold()
    second.__enter__()
    store.touch([block(1).cid])
    first.__exit__(None, None, None)
    assert store.delete_unused([block(1).cid.multihash], store.threshold(), lambda: False) == {}
    second.__exit__(None, None, None)
    assert store.delete_unused([block(1).cid.multihash], store.threshold(), lambda: False) != {}


def check_threads_may_do_everything_at_once(store: CollectableBlockstore) -> None:
    blocks = [block(number, 1_000) for number in range(400)]
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 -- shown by the assertion below
                errors.append(error)

        thread = threading.Thread(target=guarded)
        thread.start()
        return thread

    def write(part: int) -> Callable[[], None]:
        def work() -> None:
            for start in range(0, 400, 20):
                with store.hold():
                    store.put(blocks[start : start + 20])
                    store.sync()
                    for cid, data in blocks[start + part : start + 20]:
                        assert store.get(cid, verify=True) == data

        return work

    def collect() -> None:
        for _ in range(10):
            threshold = store.threshold()
            keys = store.candidates(threshold, b"", 1_000)
            store.delete_unused(keys, threshold, lambda: False)
            store.compact()

    for thread in [*(run(write(part)) for part in range(3)), run(collect)]:
        thread.join()
    assert errors == []
    store.put(blocks)
    store.sync()
    assert all(store.get(cid, verify=True) == data for cid, data in blocks)


CHECKS: tuple[Check, ...] = tuple(value for name, value in sorted(globals().items()) if name.startswith("check_"))


def name_of(check: Check) -> str:
    return check.__name__.removeprefix("check_")
