"""Networks: who reaches whom, through no translator, one, two, and round the corner."""

import pytest

from tests.sim.clock import VirtualClock
from tests.sim.nat import FULL_CONE, PORT_RESTRICTED_CONE, SYMMETRIC, Nat, NatKind
from tests.sim.network import MAX_HOPS, Datagram, Lan, Socket, Wan
from tests.sim.profile import Profile


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def wan(clock: VirtualClock) -> Wan:
    return Wan(clock, seed=1)


def home(wan: Wan, number: int, kind: NatKind = PORT_RESTRICTED_CONE) -> Lan:
    return wan.lan(Nat((f"203.0.113.{number}",), kind, seed=number))


def received(clock: VirtualClock, socket: Socket) -> list[bytes]:
    clock.run_out(limit=60.0)
    data = [data for data, _ in socket.received]
    socket.received.clear()
    return data


def test_two_hosts_of_one_network_reach_each_other(clock: VirtualClock, wan: Wan) -> None:
    alice, bob = wan.host("192.0.2.1").socket(), wan.host("192.0.2.2").socket(4_001)
    alice.send(b"hello", ("192.0.2.2", 4_001))
    clock.run_out(limit=1.0)
    assert bob.received == [(b"hello", alice.address)]


def test_a_datagram_takes_the_time_of_both_links(clock: VirtualClock, wan: Wan) -> None:
    alice = wan.host("192.0.2.1", profile=Profile(latency=0.1)).socket()
    bob = wan.host("192.0.2.2", profile=Profile(latency=0.05)).socket(1)
    times: list[float] = []
    bob.on_receive = lambda data, source: times.append(clock.now)
    alice.send(b"hello", bob.address)
    clock.run_out(limit=1.0)
    assert times == pytest.approx([0.15])


def test_nobody_home_is_counted(clock: VirtualClock, wan: Wan) -> None:
    alice, bob = wan.host("192.0.2.1").socket(), wan.host("192.0.2.2")
    alice.send(b"?", ("192.0.2.2", 9))
    alice.send(b"?", ("192.0.2.99", 9))
    clock.run_out(limit=1.0)
    assert bob.refused == 1
    assert wan.dropped == {"no host 192.0.2.99": 1}


def test_ports_and_addresses_are_given_once(wan: Wan) -> None:
    host = wan.host("192.0.2.1")
    first, second = host.socket(), host.socket()
    assert first.address[1] != second.address[1]
    with pytest.raises(ValueError, match="taken"):
        host.socket(first.address[1])
    first.close()
    assert host.socket(first.address[1]).address == first.address
    with pytest.raises(ValueError, match="taken"):
        wan.host("192.0.2.1")


def test_from_behind_a_translator_a_server_is_reached_and_answers(clock: VirtualClock, wan: Wan) -> None:
    server = wan.host("198.51.100.1").socket(3_478)
    server.on_receive = lambda data, source: server.send(f"you are {source[0]}".encode(), source)
    phone = home(wan, 1).host("192.168.0.2").socket()
    phone.send(b"who am I?", server.address)
    assert received(clock, phone) == [b"you are 203.0.113.1"]


def test_an_uninvited_stranger_is_filtered(clock: VirtualClock, wan: Wan) -> None:
    lan, server = home(wan, 1), wan.host("198.51.100.1").socket(3_478)
    stranger = wan.host("198.51.100.2").socket()
    phone = lan.host("192.168.0.2").socket()
    phone.send(b"hello", server.address)
    clock.run_out(limit=1.0)
    _, outside = server.received[0]
    stranger.send(b"psst", outside)
    assert received(clock, phone) == []
    assert lan.dropped == {"filtered": 1}


def test_hosts_of_one_home_talk_without_the_translator(clock: VirtualClock, wan: Wan) -> None:
    lan = home(wan, 1)
    phone, desk = lan.host("192.168.0.2").socket(), lan.host("192.168.0.3").socket()
    phone.send(b"hi", desk.address)
    assert received(clock, desk) == [b"hi"]
    assert lan.uplink.up.statistics.sent == 0


@pytest.mark.parametrize("hairpinning", [True, False])
def test_hairpinning_lets_a_home_reach_itself_by_its_outside_address(
    clock: VirtualClock, wan: Wan, hairpinning: bool
) -> None:
    """RFC 4787 section 6."""
    lan = home(wan, 1, NatKind(filtering=FULL_CONE.filtering, hairpinning=hairpinning))
    server = wan.host("198.51.100.1").socket(3_478)
    phone, desk = lan.host("192.168.0.2").socket(5_000), lan.host("192.168.0.3").socket(6_000)
    desk.send(b"hello", server.address)
    clock.run_out(limit=1.0)
    _, outside = server.received[0]
    phone.send(b"round the corner", outside)
    clock.run_out(limit=1.0)
    assert desk.received == ([(b"round the corner", ("203.0.113.1", 5_000))] if hairpinning else [])
    assert lan.dropped == ({} if hairpinning else {"no hairpinning": 1})


@pytest.mark.parametrize(
    ("kinds", "meet"),
    [
        ((FULL_CONE, FULL_CONE), True),
        ((PORT_RESTRICTED_CONE, PORT_RESTRICTED_CONE), True),
        ((FULL_CONE, SYMMETRIC), True),
        ((PORT_RESTRICTED_CONE, SYMMETRIC), False),
        ((SYMMETRIC, SYMMETRIC), False),
    ],
)
def test_hole_punching_works_where_the_literature_says_so(
    clock: VirtualClock, wan: Wan, kinds: tuple[NatKind, NatKind], meet: bool
) -> None:
    server = wan.host("198.51.100.1").socket(3_478)
    sockets = [home(wan, number, kind).host("192.168.0.2").socket(5_000) for number, kind in enumerate(kinds, 1)]
    for socket in sockets:
        socket.send(b"register", server.address)
    clock.run_out(limit=1.0)
    seen = [source for _, source in server.received]
    for _ in range(3):
        sockets[0].send(b"punch", seen[1])
        sockets[1].send(b"punch", seen[0])
        clock.run_out(limit=1.0)
        for socket in sockets:  # answer to where it came from, as a peer-reflexive candidate
            for _, source in list(socket.received):
                socket.send(b"punch", source)
        clock.run_out(limit=1.0)
    assert all(socket.received for socket in sockets) == meet


def test_a_home_behind_a_carrier_is_translated_twice(clock: VirtualClock, wan: Wan) -> None:
    carrier = wan.lan(Nat(("203.0.113.1",)))
    lan = carrier.lan(Nat(("100.64.0.7",)))
    server = wan.host("198.51.100.1").socket(3_478)
    server.on_receive = server.send
    phone = lan.host("192.168.0.2").socket()
    phone.send(b"echo", server.address)
    assert received(clock, phone) == [b"echo"]
    assert server.address[0] not in lan.nat.addresses


def test_a_cut_host_is_gone_until_it_is_mended(clock: VirtualClock, wan: Wan) -> None:
    host = wan.host("192.0.2.1", profile=Profile(latency=0.01))
    alice, bob = host.socket(), wan.host("192.0.2.2").socket()
    host.interface.cut()
    host.interface.cut()
    alice.send(b"lost", bob.address)
    bob.send(b"lost too", alice.address)
    assert received(clock, bob) == received(clock, alice) == []
    host.interface.mend()
    host.interface.mend()
    alice.send(b"back", bob.address)
    assert received(clock, bob) == [b"back"]
    assert host.interface.up.profile == Profile(latency=0.01)


def test_a_host_that_left_is_not_found(clock: VirtualClock, wan: Wan) -> None:
    alice, bob = wan.host("192.0.2.1").socket(), wan.host("192.0.2.2").socket()
    wan.detach("192.0.2.2")
    alice.send(b"?", bob.address)
    assert received(clock, bob) == []
    wan.host("192.0.2.2")


def test_a_datagram_that_goes_in_circles_ends(wan: Wan, clock: VirtualClock) -> None:
    lan = home(wan, 1)
    lan.route(Datagram(("192.168.0.2", 1), ("198.51.100.1", 1), b"", hops=MAX_HOPS))
    assert lan.dropped == {"too many networks": 1}


def test_a_home_out_of_ports_says_so(clock: VirtualClock, wan: Wan, monkeypatch: pytest.MonkeyPatch) -> None:
    lan = home(wan, 1)
    monkeypatch.setattr(lan.nat, "outbound", lambda *arguments: None)
    lan.host("192.168.0.2").socket().send(b"?", ("198.51.100.1", 1))
    clock.run_out(limit=1.0)
    assert lan.dropped == {"no port left": 1}


def test_a_network_of_thousands_repeats_by_its_seed() -> None:
    def run(seed: int) -> list[tuple[float, int]]:
        clock, arrivals = VirtualClock(), []
        wan = Wan(clock, seed=seed)
        profile = Profile(latency=0.02, jitter=0.05, loss=0.1)
        sockets = [wan.host(f"10.0.{number // 250}.{number % 250}", profile=profile).socket(1) for number in range(500)]
        for number, socket in enumerate(sockets):
            socket.on_receive = lambda data, source, number=number: arrivals.append((clock.now, number))
            for step in (1, 7, 31):
                socket.send(b"x", sockets[(number + step) % 500].address)
        clock.run_out(limit=10.0)
        return arrivals

    assert run(1) == run(1)
    assert run(1) != run(2)
