"""The fast way does what the whole way does, without copying."""

from hypothesis import given
from hypothesis import strategies as st

from tests.webrtc.turn.network import PEER, SERVER, config
from zwerm.core.machine import Transmit
from zwerm.core.random import seeded
from zwerm.webrtc.stun.address import IPV4
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.server.allocation import Allocation, Relay
from zwerm.webrtc.turn.server.bucket import TokenBucket
from zwerm.webrtc.turn.server.config import FiveTuple
from zwerm.webrtc.turn.server.forwarding import HEADER_SIZE, Arrival, Departure, Forwarding
from zwerm.webrtc.turn.server.relaying import MAX_SEGMENTS, Relaying

CLIENT = ("192.0.2.1", 1_000)
RELAY = Relay((SERVER[0], 50_000), (SERVER[0], 50_000))
OTHER = (PEER[0], 7_001)
CHANNEL, SECOND = 0x4000, 0x4001


def forwarding(
    transport: Transport = Transport.UDP, bucket: TokenBucket | None = None, total: TokenBucket | None = None
) -> tuple[Forwarding, Relaying, Allocation]:
    mine = Allocation(
        FiveTuple(transport, CLIENT, SERVER), "alice", "alice", {IPV4: RELAY}, bytes(12), b"", 600.0, 0.0, bucket
    )
    mine.bind(CHANNEL, PEER, 0.0, config())
    mine.bind(SECOND, OTHER, 0.0, config())
    relaying = Relaying((), total, seeded("relaying"))
    relaying.add(mine)
    made = Forwarding(relaying)
    made.add(mine)
    return made, relaying, mine


def laid_out(batches: list[tuple[tuple[str, int], int, bytes]]) -> tuple[bytearray, list[Arrival]]:
    """Put batches (source, size of a datagram, bytes) in a buffer as a pool does."""
    buffer, arrivals = bytearray(), []
    for source, segment, data in batches:
        buffer += bytes(HEADER_SIZE)
        arrivals.append((source, len(buffer), len(data), segment))
        buffer += data
    return buffer, arrivals


def wire(departures: list[Departure]) -> list[tuple[tuple[str, int], tuple[str, int], bytes]]:
    """Every datagram of the departures: from where, to where, what."""
    return [
        (departure.local, departure.destination, data)
        for departure in departures
        for data in Transmit(
            b"".join(departure.pieces), departure.destination, departure.segment_size or None
        ).datagrams()
    ]


def message(number: int, data: bytes) -> bytes:
    return number.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data


PAYLOADS = st.lists(st.sampled_from([b"", b"a", b"b" * 8, b"c" * 8, b"d" * 8]), max_size=20)


@given(st.lists(st.tuples(st.sampled_from([CHANNEL, SECOND]), st.sampled_from([b"", b"a", b"b" * 8])), max_size=40))
def test_payloads_reach_their_peers_in_order(sent: list[tuple[int, bytes]]) -> None:
    fast, relaying, _ = forwarding()
    buffer, arrivals = laid_out([(CLIENT, len(data) + 4, message(number, data)) for number, data in sent])
    departures, rest = fast.from_clients(SERVER, buffer, memoryview(buffer), arrivals, 1.0)
    peers = {CHANNEL: PEER, SECOND: OTHER}
    assert rest == []
    assert wire(departures) == [(RELAY.local, peers[number], data) for number, data in sent]
    assert relaying.traffic.datagrams_to_peers == len(sent)
    assert relaying.traffic.bytes_to_peers == sum(len(data) for _, data in sent)


@given(PAYLOADS)
def test_data_reaches_the_client_in_order_with_its_channel_in_front(sent: list[bytes]) -> None:
    fast, relaying, _ = forwarding()
    buffer, arrivals = laid_out([(PEER, len(data), data) for data in sent])
    departures, rest = fast.from_peers(RELAY.local, buffer, memoryview(buffer), arrivals, 1.0)
    assert rest == []
    assert wire(departures) == [(SERVER, CLIENT, message(CHANNEL, data)) for data in sent]
    assert relaying.traffic.datagrams_to_clients == len(sent)


def test_what_the_kernel_merged_is_carried_as_one_run_each_way() -> None:
    fast, _, _ = forwarding()
    data = [bytes([number]) * 100 for number in range(30)] + [b"end"]
    buffer, arrivals = laid_out([(CLIENT, 104, b"".join(message(CHANNEL, each) for each in data))])
    departures, rest = fast.from_clients(SERVER, buffer, memoryview(buffer), arrivals, 1.0)
    assert (len(departures), departures[0].count, departures[0].segment_size, rest) == (1, 31, 100, [])
    assert [each for _, _, each in wire(departures)] == data
    buffer, arrivals = laid_out([(PEER, 100, b"".join(data))])
    departures, rest = fast.from_peers(RELAY.local, buffer, memoryview(buffer), arrivals, 1.0)
    assert (len(departures), departures[0].count, departures[0].segment_size, rest) == (1, 31, 104, [])
    assert [each for _, _, each in wire(departures)] == [message(CHANNEL, each) for each in data]


def test_runs_end_where_the_kernel_takes_no_more() -> None:
    fast, _, _ = forwarding()
    buffer, arrivals = laid_out([(CLIENT, 14, message(CHANNEL, b"0123456789"))] * (MAX_SEGMENTS + 1))
    departures, _ = fast.from_clients(SERVER, buffer, memoryview(buffer), arrivals, 1.0)
    assert [departure.count for departure in departures] == [MAX_SEGMENTS, 1]


def test_what_is_not_of_the_plain_kind_is_left_for_the_server() -> None:
    fast, _, mine = forwarding()
    batches = [
        (("192.0.2.9", 1), 9, message(CHANNEL, b"hello")),  # a stranger
        (CLIENT, 20, bytes(20)),  # STUN
        (CLIENT, 9, message(0x4009, b"hello")),  # a channel that is not bound
        (CLIENT, 6, message(CHANNEL, b"hello")[:6]),  # shorter than it says
        (CLIENT, 2, b"\x40\x00"),
    ]
    buffer, arrivals = laid_out(batches)
    departures, rest = fast.from_clients(SERVER, buffer, memoryview(buffer), arrivals, 1.0)
    assert (departures, rest) == ([], arrivals)
    mine.channels[CHANNEL].is_inside = True
    buffer, arrivals = laid_out([(CLIENT, 9, message(CHANNEL, b"hello"))])
    assert fast.from_clients(SERVER, buffer, memoryview(buffer), arrivals, 1.0) == ([], arrivals)
    assert fast.from_clients(("192.0.2.200", 1), buffer, memoryview(buffer), arrivals, 1.0) == ([], arrivals)


def test_padding_behind_the_payload_is_left_off() -> None:
    fast, _, _ = forwarding()
    buffer, arrivals = laid_out([(CLIENT, 12, message(CHANNEL, b"hello") + bytes(3))])
    departures, _ = fast.from_clients(SERVER, buffer, memoryview(buffer), arrivals, 1.0)
    assert [data for _, _, data in wire(departures)] == [b"hello"]


def test_a_channel_or_permission_that_has_ended_is_left_for_the_server() -> None:
    fast, _, _ = forwarding()
    buffer, arrivals = laid_out([(CLIENT, 9, message(CHANNEL, b"hello"))])
    assert fast.from_clients(SERVER, buffer, memoryview(buffer), arrivals, 600.0)[1] == arrivals
    buffer, arrivals = laid_out([(PEER, 5, b"hello"), ((PEER[0], 1), 5, b"other")])
    assert fast.from_peers(RELAY.local, buffer, memoryview(buffer), arrivals, 300.0)[1] == arrivals
    assert fast.from_peers(RELAY.local, buffer, memoryview(buffer), arrivals, 299.0)[1] == arrivals[1:]


def test_a_channel_to_an_address_of_the_servers_own_is_left_for_the_server() -> None:
    fast, _, mine = forwarding()
    mine.channels[CHANNEL].is_inside = True
    buffer, arrivals = laid_out([(CLIENT, 9, message(CHANNEL, b"hello"))])
    assert fast.from_clients(SERVER, buffer, memoryview(buffer), arrivals, 1.0) == ([], arrivals)


def test_a_client_on_a_stream_is_left_for_the_server() -> None:
    fast, _, mine = forwarding(Transport.TCP)
    buffer, arrivals = laid_out([(PEER, 5, b"hello")])
    assert fast.from_peers(RELAY.local, buffer, memoryview(buffer), arrivals, 1.0)[1] == arrivals
    fast.remove(mine)


def test_budgets_hold_on_the_fast_way_too() -> None:
    for own, total in ((TokenBucket(10, 10, 0.0), None), (None, TokenBucket(10, 10, 0.0))):
        fast, relaying, _ = forwarding(bucket=own, total=total)
        buffer, arrivals = laid_out([(CLIENT, 8, message(CHANNEL, b"1234") * 3)])
        departures, _ = fast.from_clients(SERVER, buffer, memoryview(buffer), arrivals, 0.0)
        assert [data for _, _, data in wire(departures)] == [b"1234"] * 2
        buffer, arrivals = laid_out([(PEER, 4, b"12345678")])
        departures, _ = fast.from_peers(RELAY.local, buffer, memoryview(buffer), arrivals, 0.1)
        assert departures == []
        assert relaying.traffic.dropped_over_rate == 3


def test_an_allocation_that_ended_is_not_known_any_more() -> None:
    fast, relaying, mine = forwarding()
    fast.remove(mine)
    relaying.remove(mine)
    buffer, arrivals = laid_out([(CLIENT, 9, message(CHANNEL, b"hello"))])
    assert fast.from_clients(SERVER, buffer, memoryview(buffer), arrivals, 1.0) == ([], arrivals)
    assert fast.from_peers(RELAY.local, buffer, memoryview(buffer), arrivals, 1.0) == ([], arrivals)
