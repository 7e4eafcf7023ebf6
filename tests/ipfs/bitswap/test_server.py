"""The decision engine: who is sent what, in which order, and within which limits."""

from collections.abc import Sequence

import pytest

from zwerm.ipfs.bitswap.config import ServerConfig
from zwerm.ipfs.bitswap.message import Entry, Presence, WantType
from zwerm.ipfs.bitswap.server import Server, Task
from zwerm.multiformats.cid import CID

CIDS = [CID.of(b"%d" % number) for number in range(64)]
LARGE = 262_144  # bytes of each block, where nothing else is said


def make(*, at_once: int = 1, **limits: int) -> Server[str]:
    return Server(ServerConfig(at_once=at_once, **({"first": 1_048_576} | limits)))


def ask(
    server: Server[str],
    peer: str,
    cids: Sequence[CID],
    want: WantType = WantType.BLOCK,
    *,
    here: Sequence[CID] | None = None,
    size: int = LARGE,
) -> None:
    sizes = {cid.multihash: size for cid in (cids if here is None else here)}
    server.receive_wants(peer, [Entry(cid, 1, want, send_dont_have=True) for cid in cids], sizes)


def take(server: Server[str]) -> Task[str]:
    task = server.next_task()
    assert task is not None
    return task


def finish(server: Server[str]) -> list[Task[str]]:
    """Let the network take everything."""
    tasks = []
    while (task := server.next_task()) is not None:
        tasks.append(task)
        server.sent(task.peer, task.size, len(task.blocks))
    return tasks


def test_blocks_that_are_here_are_sent_and_the_others_said_to_be_missing() -> None:
    server = make()
    ask(server, "ann", CIDS[:2], here=CIDS[:1])
    assert finish(server) == [Task("ann", [CIDS[0]], LARGE, [Presence(CIDS[1], has=False)], 0)]
    assert server.wantlist("ann") == [CIDS[1]]


def test_what_is_missing_is_sent_when_it_comes() -> None:
    server = make()
    ask(server, "ann", CIDS[:1], here=[])
    finish(server)
    assert server.waited_for == {CIDS[0].multihash}
    server.blocks_came({CIDS[0].multihash: 5, CIDS[1].multihash: 5})
    assert finish(server) == [Task("ann", [CIDS[0]], 5, [], 0)]
    assert not server.waited_for
    assert server.peers == []


def test_a_want_have_is_answered_with_have_or_at_once_with_a_small_block() -> None:
    server = make()
    ask(server, "ann", CIDS[:1], WantType.HAVE)
    ask(server, "ann", CIDS[1:2], WantType.HAVE, size=1_024)
    assert finish(server) == [Task("ann", [CIDS[1]], 1_024, [Presence(CIDS[0], has=True)], 0)]


def test_a_want_have_does_not_take_back_the_block_that_is_on_its_way() -> None:
    server = make()
    ask(server, "ann", CIDS[:1])
    ask(server, "ann", CIDS[:1], WantType.HAVE)
    assert [task.blocks for task in finish(server)] == [CIDS[:1]]


def test_a_want_block_replaces_the_want_have() -> None:
    server = make()
    ask(server, "ann", CIDS[:1], WantType.HAVE, here=[])
    ask(server, "ann", CIDS[:1], here=[])
    finish(server)
    server.blocks_came({CIDS[0].multihash: LARGE})
    assert [task.blocks for task in finish(server)] == [CIDS[:1]]


def test_a_cancelled_want_is_not_sent() -> None:
    server = make()
    ask(server, "ann", CIDS[:3], here=CIDS[:2])
    server.receive_wants("ann", [Entry(cid, cancel=True) for cid in (CIDS[0], CIDS[2], CIDS[9])], {})
    assert finish(server) == [Task("ann", [CIDS[1]], LARGE, [], 0)]
    assert not server.waited_for


def test_higher_priority_goes_first_and_equals_in_the_order_they_came() -> None:
    server = make(message=1)
    wants = [Entry(CIDS[0], 1), Entry(CIDS[1], 5), Entry(CIDS[2], 1), Entry(CIDS[3], -5)]
    server.receive_wants("ann", wants, {cid.multihash: LARGE for cid in CIDS})
    assert [task.blocks for task in finish(server)] == [[CIDS[1]], [CIDS[0]], [CIDS[2]], [CIDS[3]]]


def test_a_full_wantlist_replaces_the_one_before() -> None:
    server = make()
    ask(server, "ann", CIDS[:2], here=CIDS[:1])
    server.receive_wants("ann", [Entry(CIDS[2])], {CIDS[2].multihash: LARGE}, full=True)
    assert finish(server) == [Task("ann", [CIDS[2]], LARGE, [], 0)]
    assert not server.waited_for


def test_a_message_holds_so_many_bytes_or_one_block_and_says_what_is_still_to_come() -> None:
    server = make(message=3 * LARGE)
    ask(server, "ann", CIDS[:5])
    assert [(task.blocks, task.pending) for task in finish(server)] == [
        (CIDS[:3], 2 * LARGE),
        (CIDS[3:5], 0),
    ]
    ask(server, "ann", CIDS[:1], size=9 * LARGE)
    assert finish(server)[0].size == 9 * LARGE


def test_a_peer_that_asks_for_everything_keeps_nobody_waiting() -> None:
    server = make(message=LARGE)
    ask(server, "greedy", CIDS)
    for peer in ("ann", "bob"):
        ask(server, peer, CIDS[:2])
    order = [task.peer for task in finish(server)]
    assert order[:6] == ["greedy", "ann", "bob", "greedy", "ann", "bob"]
    assert len(order) == len(CIDS) + 4


def test_a_peer_that_does_not_read_gets_no_second_message_and_others_go_on() -> None:
    server = make(message=LARGE)
    ask(server, "deaf", CIDS)
    assert take(server).peer == "deaf"
    ask(server, "ann", CIDS[:3])
    assert [task.peer for task in finish(server)] == ["ann", "ann", "ann"]
    assert server.in_flight == LARGE


def test_only_so_many_messages_are_under_way_to_one_peer() -> None:
    server = make(at_once=3, message=LARGE)
    ask(server, "ann", CIDS[:5])
    assert [take(server).blocks for _ in range(3)] == [[cid] for cid in CIDS[:3]]
    assert server.next_task() is None
    server.sent("ann", LARGE, 1)
    assert take(server).blocks == [CIDS[3]]
    assert server.next_task() is None
    assert server.in_flight == 3 * LARGE
    server.remove_peer("ann")
    assert server.in_flight == 0


def test_peers_that_do_not_read_hold_only_so_many_bytes_together() -> None:
    server = make(message=LARGE, in_flight=3 * LARGE)
    for number in range(10):
        ask(server, f"deaf {number}", CIDS[:4])
    for _ in range(3):
        take(server)
    assert server.next_task() is None
    server.remove_peer("deaf 0")
    assert take(server).peer == "deaf 3"
    assert server.in_flight == 3 * LARGE


def test_wants_past_the_limit_are_answered_as_missing_and_counted() -> None:
    server = make(wants=4)
    ask(server, "ann", CIDS[:6])
    (task,) = finish(server)
    assert task.blocks == CIDS[:4]
    assert task.presences == [Presence(cid, has=False) for cid in CIDS[4:6]]
    assert server.refused == 2


def test_answers_past_the_limit_are_not_given() -> None:
    server = make(answers=4)
    ask(server, "ann", CIDS, here=[])
    (task,) = finish(server)
    assert len(task.presences) == 4
    assert server.refused == len(CIDS) - 4


def test_one_message_holds_only_so_many_answers() -> None:
    server = make(presences=10)
    ask(server, "ann", CIDS[:25], here=[])
    assert [len(task.presences) for task in finish(server)] == [10, 10, 5]


def test_peers_past_the_limit_are_not_answered() -> None:
    server = make(peers=2)
    for peer in ("ann", "bob", "cas"):
        ask(server, peer, CIDS[:1])
    assert [task.peer for task in finish(server)] == ["ann", "bob"]


def test_asking_and_cancelling_without_end_piles_nothing_up() -> None:
    server = make(wants=8)
    ask(server, "ann", CIDS[:1])
    take(server)
    for _ in range(100):
        ask(server, "ann", CIDS[:8])
        server.receive_wants("ann", [Entry(cid, cancel=True) for cid in CIDS[:8]], {})
    (client,) = server._clients.values()
    assert len(client.queue) <= 17
    assert client.pending == 0


def test_a_peer_that_leaves_takes_its_wants_along_and_leaves_its_ledger() -> None:
    server = make()
    ask(server, "ann", CIDS[:1])
    finish(server)
    ask(server, "ann", CIDS[:4], here=CIDS[:2])
    server.remove_peer("ann")
    assert server.next_task() is None
    assert (server.pending, server.in_flight, server.waited_for) == (0, 0, set())
    ledger = server.ledgers.of("ann")
    assert (ledger.sent, ledger.blocks_sent, ledger.value) == (LARGE, 1, float(LARGE))


def test_only_so_many_ledgers_are_kept() -> None:
    server = make(ledgers=2)
    for peer in ("ann", "bob", "cas"):
        server.ledgers.note_received(peer, 10)
    assert [server.ledgers.of(peer).received for peer in ("cas", "bob", "ann")] == [10, 10, 0]


def test_a_block_that_is_gone_when_it_is_read_is_said_to_be_missing() -> None:
    server = make()
    ask(server, "ann", CIDS[:2])
    task = take(server)
    server.lost(task, CIDS[:1])
    server.sent("ann", task.size, 1)
    assert finish(server) == [Task("ann", [], 0, [Presence(CIDS[0], has=False)], 0)]
    assert server.peers == []


@pytest.mark.parametrize("size", [0, 1])
def test_empty_and_tiny_blocks_are_blocks(size: int) -> None:
    server = make()
    ask(server, "ann", CIDS[:2], size=size)
    assert finish(server)[0].blocks == CIDS[:2]


def test_who_takes_slowly_gets_one_block_after_the_other() -> None:
    server = Server[str]()
    ask(server, "far", CIDS[:12])
    first = [take(server) for _ in range(3)]
    assert [task.blocks for task in first] == [[cid] for cid in CIDS[:3]]  # nothing is known of it yet
    for task in first:
        server.sent("far", task.size, 1, took=6.0)
    task = take(server)
    assert task.blocks == [CIDS[3]]
    assert server.next_task() is None
    server.sent("far", task.size, 1, took=2.0)
    assert take(server).blocks == [CIDS[4]]


def test_who_takes_fast_gets_large_messages_and_several_at_once() -> None:
    server = Server[str]()
    ask(server, "near", CIDS[:20])
    task = take(server)
    server.sent("near", task.size, 1, took=0.001)
    assert [len(take(server).blocks) for _ in range(3)] == [4, 4, 4]
    assert server.next_task() is None


def test_what_a_small_message_took_says_nothing_of_the_pace() -> None:
    server = Server[str]()
    ask(server, "ann", CIDS[:1], size=1_000)
    task = take(server)
    server.sent("ann", task.size, 1, took=0.000_01)
    ask(server, "ann", CIDS[1:9])
    assert len(take(server).blocks) == 1
