"""Allocations that worker processes count together."""

from zwerm.webrtc.turn.server.shared import SharedCounts, forget, table_size

KEY = b"k" * 32


def test_each_worker_sees_what_the_others_have() -> None:
    memory = memoryview(bytearray(table_size(3)))
    workers = [SharedCounts(memory, number, 3, KEY) for number in range(3)]
    workers[0].enter("alice")
    workers[1].enter("alice")
    workers[1].enter("bob")
    assert [worker.of_others("alice") for worker in workers] == [1, 1, 2]
    assert [worker.total_of_others() for worker in workers] == [2, 1, 3]
    workers[1].leave("alice")
    assert workers[0].of_others("alice") == 0
    for worker in workers:
        worker.close()


def test_what_a_dead_worker_had_is_forgotten() -> None:
    memory = memoryview(bytearray(table_size(2)))
    first, second = (SharedCounts(memory, number, 2, KEY) for number in range(2))
    first.enter("alice")
    second.enter("alice")
    forget(memory, 0)
    assert second.of_others("alice") == second.total_of_others() == 0
    assert first.of_others("alice") == 1
    first.close()
    second.close()
