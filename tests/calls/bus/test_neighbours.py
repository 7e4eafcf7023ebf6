"""Processes on a bus that loses, doubles and reorders: what one says comes out at the other once and in order."""

from __future__ import annotations

from random import Random

import pytest

from zwerm.calls.bus.neighbours import BusConfig, Died, Heard, Joined, NeighbourEvent, Neighbours
from zwerm.calls.bus.packet import MAX_NOTE, MAX_PIECE, Packet

A, B, C = "0000000a", "0000000b", "0000000c"


class Net:
    """A bus with the virtual time, and everything that came out."""

    def __init__(self, *processes: str, config: BusConfig | None = None, seed: int = 0, loss: float = 0.0) -> None:
        self.now = 0.0
        self.random = Random(seed)
        self.loss = loss
        self.all = {each: Neighbours(each, 0.0, config) for each in processes}
        self.events: dict[str, list[NeighbourEvent]] = {each: [] for each in processes}
        self.cut: set[str] = set()
        self.largest = 0
        for each in self.all.values():
            each.linked(0.0, is_linked=True)

    def carry(self) -> None:
        """Carry packets until there are none."""
        is_moving = True
        while is_moving:
            is_moving = False
            packets = []
            for name, each in self.all.items():
                while (packet := each.next_transmit(self.now)) is not None:
                    packets.append((name, *packet))
                while (event := each.next_event()) is not None:
                    self.events[name].append(event)
            if self.loss:
                self.random.shuffle(packets)
            for sender, to, data in packets:
                self.largest = max(self.largest, len(data))
                for name, each in self.all.items():
                    if name == sender or to not in (None, name) or self.cut & {name, sender}:
                        continue
                    for _ in range(self.random.choice((0, 1, 2)) if self.random.random() < self.loss else 1):
                        each.receive(data, self.now)
                        is_moving = True

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        self.carry()
        while self.now < until:
            self.now = min(until, self.now + 0.25)
            for each in self.all.values():
                each.handle_timeout(self.now)
            self.carry()

    def heard(self, name: str) -> list[str]:
        return [event.note["endpoint"] for event in self.events[name] if isinstance(event, Heard)]


def say(word: str) -> dict[str, str]:
    return {"kind": "gone", "endpoint": word}


def test_processes_find_each_other_and_talk() -> None:
    net = Net(A, B, C)
    net.pass_time(2.0)
    assert net.all[A].processes == {B, C}
    assert any(isinstance(event, Joined) for event in net.events[B])
    net.all[A].send(B, say("one"))
    net.all[A].spread(say("two"))
    net.carry()
    assert net.heard(B) == ["one", "two"]
    assert net.heard(C) == ["two"]
    assert not net.all[A].send("0000000d", say("nobody"))


@pytest.mark.parametrize("seed", range(20))
def test_what_is_lost_doubled_and_reordered_comes_once_and_in_order(seed: int) -> None:
    net = Net(A, B, seed=seed, loss=0.4)
    net.pass_time(3.0)
    said = [f"e{number}" for number in range(60)]
    for word in said:
        net.all[A].send(B, say(word))
        net.pass_time(0.25)
    net.pass_time(60.0)
    assert net.heard(B) == said


def test_who_is_silent_is_dead_in_under_ten_seconds_and_never_comes_back() -> None:
    net = Net(A, B)
    net.pass_time(2.0)
    net.cut.add(B)
    net.pass_time(8.0)
    assert isinstance(net.events[A][-1], Died)
    assert net.all[A].processes == frozenset()
    net.cut.clear()
    net.pass_time(5.0)
    assert net.all[A].processes == frozenset()


def test_nobody_is_called_dead_while_our_own_way_is_cut_and_nothing_said_meanwhile_is_lost() -> None:
    net = Net(A, B)
    net.pass_time(2.0)
    for each in net.all.values():
        each.linked(net.now, is_linked=False)
    net.all[A].send(B, say("kept"))
    net.pass_time(60.0)
    assert net.heard(B) == []
    for each in net.all.values():
        each.linked(net.now, is_linked=True)
    net.pass_time(3.0)
    assert net.heard(B) == ["kept"]
    assert not any(isinstance(event, Died) for event in net.events[B])


def test_who_says_goodbye_is_gone_at_once() -> None:
    net = Net(A, B)
    net.pass_time(2.0)
    net.all[A].leave()
    net.carry()
    assert isinstance(net.events[B][-1], Died)


def test_a_neighbour_for_whom_too_much_waits_is_given_up() -> None:
    net = Net(A, B, config=BusConfig(kept=10))
    net.pass_time(2.0)
    net.cut.add(B)
    for number in range(10):
        assert net.all[A].send(B, say(str(number)))
    assert net.all[A].processes == {B}
    net.all[A].send(B, say("one too many"))
    assert net.all[A].processes == frozenset()


def test_many_and_long_notes_go_in_packets_that_a_bus_takes() -> None:
    net = Net(A, B)
    net.pass_time(2.0)
    said = [f"{number}" + "é" * (3 * MAX_PIECE) for number in range(5)]
    for word in said:
        net.all[A].send(B, say(word))
    net.pass_time(3.0)
    assert net.heard(B) == said
    assert net.largest <= 524_288


def test_noise_is_counted_and_an_endless_note_forgotten() -> None:
    net = Net(A, B)
    net.pass_time(2.0)
    machine = net.all[A]
    machine.receive(b"noise", net.now)
    machine.receive(Packet(B, {}, 1, [".[]"]).serialize(), net.now)
    assert machine.refused == 2
    piece = "+" + "x" * MAX_PIECE
    for number in range(2, 3 + MAX_NOTE // MAX_PIECE):
        machine.receive(Packet(B, {}, number, [piece]).serialize(), net.now)
    assert machine.refused == 3
    machine.receive(Packet(A, {}, 1, []).serialize(), net.now)
    assert machine.processes == {B}
