"""What a TURN server gives, what it refuses, and what it is not made to do."""

import pytest

from tests.conformance.check_machine import Subject, check_machine
from tests.webrtc.turn.network import (
    ALICE,
    BOB,
    PEER,
    SERVER,
    TRANSACTION_ID,
    UDP,
    UNIX_TIME,
    USERS,
    Lab,
    allocated,
    code_of,
    config,
)
from tests.webrtc.turn.server.test_forwarding import laid_out
from tests.webrtc.turn.test_peers import REFUSED
from zwerm.core.machine import Address
from zwerm.core.random import seeded
from zwerm.webrtc.stun.address import host_text, pack_host
from zwerm.webrtc.stun.attributes import (
    ADDITIONAL_ADDRESS_FAMILY,
    ADDRESS_ERROR_CODE,
    CHANNEL_NUMBER,
    DATA,
    DONT_FRAGMENT,
    EVEN_PORT,
    LIFETIME,
    NONCE,
    REALM,
    REQUESTED_ADDRESS_FAMILY,
    REQUESTED_TRANSPORT,
    RESERVATION_TOKEN,
    SOFTWARE,
    UNKNOWN_ATTRIBUTES,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    XOR_PEER_ADDRESS,
    XOR_RELAYED_ADDRESS,
    Attribute,
    unknown_kind,
)
from zwerm.webrtc.stun.integrity import Integrity, long_term_key
from zwerm.webrtc.stun.message import Message, Method, indication, request
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.channel_data import serialize
from zwerm.webrtc.turn.credentials import Users, time_limited
from zwerm.webrtc.turn.events import DataReceived
from zwerm.webrtc.turn.peers import PeerPolicy, parse_network
from zwerm.webrtc.turn.server.config import FiveTuple, RelayHost
from zwerm.webrtc.turn.server.relaying import MAX_WAITING
from zwerm.webrtc.turn.server.server import TurnServer

# Allocations.


def test_an_allocation_says_where_how_long_and_who_asked() -> None:
    raw = Lab(software="zwerm").raw()
    response = raw.allocate()
    assert response is not None
    relayed = response.find(XOR_RELAYED_ADDRESS)
    assert relayed is not None
    assert relayed[0] == SERVER[0]
    assert relayed[1] in range(50_000, 51_000)
    assert response.find(LIFETIME) == 600
    assert response.find(XOR_MAPPED_ADDRESS) == ("192.0.2.20", 4_000)
    assert response.find(SOFTWARE) == "zwerm"
    assert response.integrity is Integrity.SHA256


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ([], 400),
        ([REQUESTED_TRANSPORT(6)], 442),
        ([UDP, REQUESTED_ADDRESS_FAMILY(9)], 440),
        ([UDP, unknown_kind(0x7777)(b"")], 420),
        ([UDP, RESERVATION_TOKEN(bytes(8)), EVEN_PORT(value=False)], 400),
        ([UDP, RESERVATION_TOKEN(bytes(8))], 508),
        ([UDP, ADDITIONAL_ADDRESS_FAMILY(2), REQUESTED_ADDRESS_FAMILY(1)], 400),
        ([UDP, ADDITIONAL_ADDRESS_FAMILY(1)], 400),
        ([UDP, ADDITIONAL_ADDRESS_FAMILY(2), EVEN_PORT(value=True)], 400),
        ([UDP], 0),
        ([UDP, EVEN_PORT(value=True)], 0),
        ([UDP, DONT_FRAGMENT()], 0),
        ([UDP, ADDITIONAL_ADDRESS_FAMILY(2)], 0),
    ],
    ids=lambda value: "+".join(kind.name for kind, _ in value) or "nothing" if isinstance(value, list) else None,
)
def test_wishes_are_met_or_refused_as_rfc_8656_section_7_2_says(attributes: list[Attribute], code: int) -> None:
    lab = Lab()
    raw = lab.raw()
    raw.log_in()
    assert code_of(raw.ask(Method.ALLOCATE, *attributes)) == code
    assert bool(lab.host.relays) is (code == 0)


def test_what_is_not_known_is_named() -> None:
    """The bit that forbids fragments among it, where the system cannot set it (RFC 8656 section 7.2, step 4)."""
    raw = Lab(dont_fragment=False).raw()
    response = raw.allocate(UDP, unknown_kind(0x7777)(b""), DONT_FRAGMENT())
    assert response is not None
    assert response.find(UNKNOWN_ATTRIBUTES) == (0x7777, DONT_FRAGMENT.number)


def test_a_second_family_that_is_not_there_is_no_reason_to_refuse_the_first() -> None:
    response = Lab(relays=(RelayHost(SERVER[0]),)).raw().allocate(UDP, ADDITIONAL_ADDRESS_FAMILY(2))
    assert response is not None
    assert code_of(response) == 0
    error = response.find(ADDRESS_ERROR_CODE)
    assert error is not None
    assert (error.family, error.code) == (2, 440)


def test_a_request_that_was_resent_is_answered_again_and_another_is_not() -> None:
    lab = Lab()
    raw = lab.raw()
    raw.log_in()
    first = raw.ask(Method.ALLOCATE, UDP, transaction_id=TRANSACTION_ID)
    assert code_of(first) == 0
    assert raw.ask(Method.ALLOCATE, UDP, transaction_id=TRANSACTION_ID) == first
    assert code_of(raw.ask(Method.ALLOCATE, UDP)) == 437
    assert len(lab.host.relays) == 1


@pytest.mark.parametrize(("wanted", "granted"), [(None, 600), (1, 600), (1_800, 1_800), (999_999, 3_600), (0, 0)])
def test_a_lifetime_lies_between_the_default_and_the_limit(wanted: int | None, granted: int) -> None:
    raw = allocated(Lab())
    response = raw.ask(Method.REFRESH, *([] if wanted is None else [LIFETIME(wanted)]))
    assert response is not None
    assert response.find(LIFETIME) == granted


def test_an_allocation_that_nobody_refreshes_ends() -> None:
    lab = Lab()
    raw = allocated(lab)
    lab.clock.run_for(599.0)
    assert lab.host.relays
    lab.clock.run_for(1.5)
    assert lab.host.relays == []
    assert lab.host.server.next_timeout() is None
    raw.log_in()
    assert code_of(raw.ask(Method.REFRESH)) == 437


def test_a_refresh_moves_the_end() -> None:
    lab = Lab()
    raw = allocated(lab)
    raw.ask(Method.REFRESH, LIFETIME(1_200))
    lab.clock.run_for(1_100.0)
    assert lab.host.relays
    raw.log_in()
    assert code_of(raw.ask(Method.REFRESH, LIFETIME(600))) == 0
    lab.clock.run_for(601.0)
    assert lab.host.relays == []


def test_ports_that_are_taken_are_passed_over() -> None:
    lab = Lab(ports=range(50_000, 50_004))
    lab.host.taken_ports = {50_000, 50_001, 50_003}
    response = lab.raw().allocate()
    assert response is not None
    assert (response.find(XOR_RELAYED_ADDRESS) or ("", 0))[1] == 50_002


def test_when_no_port_is_to_be_had_the_client_is_told() -> None:
    lab = Lab()
    lab.host.taken_ports = set(range(50_000, 51_000))
    assert code_of(lab.raw().allocate()) == 508
    assert lab.host.opened == []
    assert lab.host.server._persons == {}


def test_a_reserved_port_is_kept_for_half_a_minute() -> None:
    lab = Lab()
    response = lab.raw().allocate(UDP, EVEN_PORT(value=True))
    assert response is not None
    token, relayed = response.find(RESERVATION_TOKEN), response.find(XOR_RELAYED_ADDRESS)
    assert token is not None
    assert relayed is not None
    assert len(lab.host.relays) == 2
    lab.clock.run_for(31.0)
    assert lab.host.relays == [relayed]
    assert code_of(lab.raw("192.0.2.21").allocate(UDP, RESERVATION_TOKEN(token))) == 508


def test_an_allocation_behind_a_one_to_one_nat_is_called_by_its_outside_address() -> None:
    lab = Lab(relays=(RelayHost(SERVER[0], "203.0.113.200"),))
    response = lab.raw().allocate()
    assert response is not None
    assert (response.find(XOR_RELAYED_ADDRESS) or ("", 0))[0] == "203.0.113.200"


# Permissions, channels, data.


def test_who_was_not_permitted_is_not_heard() -> None:
    lab = Lab()
    client = lab.client()
    client.take()
    lab.peer.send(b"hello?", client.relayed)
    assert client.take() == []
    client.permit(PEER[0])
    client.take()
    lab.peer.send(b"hello", client.relayed)
    assert client.take() == [DataReceived(b"hello", PEER)]


def test_a_permission_ends_after_five_minutes_and_a_channel_after_ten() -> None:
    lab = Lab()
    raw = allocated(lab)
    relayed = lab.host.relays[0]
    raw.ask(Method.CHANNEL_BIND, XOR_PEER_ADDRESS(PEER), CHANNEL_NUMBER(0x4000))
    raw.ask(Method.REFRESH, LIFETIME(3_000))
    lab.clock.run_for(299.0)
    lab.peer.send(b"heard", relayed)
    lab.clock.run_for(2.0)
    lab.peer.send(b"not heard", relayed)
    lab.clock.run_for(0.0)
    assert raw.take() == [serialize(0x4000, b"heard")]
    raw.send(serialize(0x4000, b"still sent"))
    lab.clock.run_for(300.0)
    raw.send(serialize(0x4000, b"not sent"))
    assert [data for data, _ in lab.peer.received] == [b"still sent"]


@pytest.mark.parametrize("name", REFUSED)
def test_no_address_behind_the_relay_is_reached_in_any_spelling(name: str) -> None:
    lab = Lab(peers=PeerPolicy())
    raw = allocated(lab) if ":" not in REFUSED[name] else lab.raw()
    if not raw.authentication.is_challenged:
        assert code_of(raw.allocate(UDP, REQUESTED_ADDRESS_FAMILY(2))) == 0
    peer = (host_text(pack_host(REFUSED[name])), 80)
    assert code_of(raw.ask(Method.CREATE_PERMISSION, XOR_PEER_ADDRESS(peer))) == 403
    assert code_of(raw.ask(Method.CHANNEL_BIND, XOR_PEER_ADDRESS(peer), CHANNEL_NUMBER(0x4000))) == 403
    raw.send(indication(Method.SEND, TRANSACTION_ID, XOR_PEER_ADDRESS(peer), DATA(b"x")).serialize())
    assert lab.host.server.next_transmit() is None
    assert lab.host.server.statistics().traffic.datagrams_to_peers == 0


@pytest.mark.parametrize("can", [True, False], ids=["it can be forbidden", "it cannot"])
def test_what_must_stay_whole_goes_out_apart_from_the_rest_or_not_at_all(*, can: bool) -> None:
    lab = Lab(dont_fragment=can)
    raw = allocated(lab)
    raw.ask(Method.CREATE_PERMISSION, XOR_PEER_ADDRESS(PEER))
    for data, extra in ((b"whole", [DONT_FRAGMENT()]), (b"may be cut", [])):
        raw.send(indication(Method.SEND, TRANSACTION_ID, XOR_PEER_ADDRESS(PEER), *extra, DATA(data)).serialize())
    lab.clock.run_for(1.0)
    assert lab.host.whole == ([b"whole"] if can else [])
    assert sorted(data for data, _ in lab.peer.received) == [b"may be cut", b"whole"][: 1 + can]


def test_one_refused_peer_refuses_the_whole_request() -> None:
    lab = Lab()
    raw = allocated(lab)
    peers = [XOR_PEER_ADDRESS(PEER), XOR_PEER_ADDRESS(("10.0.0.1", 1))]
    assert code_of(raw.ask(Method.CREATE_PERMISSION, *peers)) == 403
    raw.send(indication(Method.SEND, TRANSACTION_ID, XOR_PEER_ADDRESS(PEER), DATA(b"x")).serialize())
    assert lab.peer.received == []


def test_the_servers_own_ports_are_not_reached_through_it() -> None:
    """What listens on this host may trust this host: only other allocations are behind its address."""
    lab = Lab(peers=PeerPolicy([parse_network("203.0.113.0/24")]), own=frozenset({"198.51.100.250"}))
    raw = allocated(lab)
    secret = lab.host.hosts[SERVER[0]].socket(6_379)
    assert code_of(raw.ask(Method.CREATE_PERMISSION, XOR_PEER_ADDRESS((SERVER[0], 6_379)))) == 0
    raw.send(indication(Method.SEND, TRANSACTION_ID, XOR_PEER_ADDRESS((SERVER[0], 6_379)), DATA(b"x")).serialize())
    raw.ask(Method.CHANNEL_BIND, XOR_PEER_ADDRESS((SERVER[0], 6_379)), CHANNEL_NUMBER(0x4000))
    raw.send(serialize(0x4000, b"x"))
    buffer, arrivals = laid_out([(raw.socket.address, 5, serialize(0x4000, b"x"))])
    fast = lab.host.server.forwarding.from_clients(SERVER, buffer, memoryview(buffer), arrivals, lab.clock.now)
    assert fast == ([], arrivals)
    lab.clock.run_for(1.0)
    assert secret.received == []
    assert code_of(raw.ask(Method.CREATE_PERMISSION, XOR_PEER_ADDRESS(("198.51.100.250", 1)))) == 403


@pytest.mark.parametrize("announced", ["", "203.0.113.200"], ids=["plain", "behind a NAT"])
def test_two_clients_of_one_server_reach_each_other(announced: str) -> None:
    lab = Lab(peers=PeerPolicy(), relays=(RelayHost(SERVER[0], announced),))
    alice, bob = lab.client("192.0.2.1"), lab.client("192.0.2.2", credential=BOB)
    alice.permit(bob.relayed[0])
    bob.permit(alice.relayed[0])
    alice.take()
    bob.take()
    alice.send(b"hello", bob.relayed)
    assert bob.take() == [DataReceived(b"hello", alice.relayed)]
    bob.bind(alice.relayed)
    bob.take()
    bob.send(b"hello back", alice.relayed)
    assert alice.take() == [DataReceived(b"hello back", bob.relayed)]


@pytest.mark.parametrize(
    ("number", "peer", "code"),
    [
        (0x4000, PEER, 0),
        (0x4FFF, PEER, 0),
        (0x7FFF, PEER, 0),
        (0x3FFF, PEER, 400),
        (0x8000, PEER, 400),
        (0x4000, ("2001:db8:1::9", 1), 443),
    ],
)
def test_channel_numbers_and_families(number: int, peer: Address, code: int) -> None:
    raw = allocated(Lab())
    assert code_of(raw.ask(Method.CHANNEL_BIND, XOR_PEER_ADDRESS(peer), CHANNEL_NUMBER(number))) == code


def test_a_channel_stands_for_one_peer_and_a_peer_for_one_channel() -> None:
    raw = allocated(Lab())
    other = (PEER[0], 7_001)

    def bind(number: int, peer: Address) -> int:
        return code_of(raw.ask(Method.CHANNEL_BIND, XOR_PEER_ADDRESS(peer), CHANNEL_NUMBER(number)))

    assert bind(0x4000, PEER) == 0
    assert bind(0x4000, PEER) == 0
    assert bind(0x4000, other) == 400
    assert bind(0x4001, PEER) == 400
    assert bind(0x4001, other) == 0


@pytest.mark.parametrize(
    "method", [Method.REFRESH, Method.CREATE_PERMISSION, Method.CHANNEL_BIND], ids=lambda m: m.name
)
def test_without_an_allocation_there_is_nothing_to_ask_for(method: Method) -> None:
    raw = Lab().raw()
    raw.log_in()
    assert code_of(raw.ask(method, XOR_PEER_ADDRESS(PEER))) == 437


def test_a_permission_request_names_somebody() -> None:
    assert code_of(allocated(Lab()).ask(Method.CREATE_PERMISSION)) == 400


def test_a_refresh_of_a_family_that_is_not_there() -> None:
    assert code_of(allocated(Lab()).ask(Method.REFRESH, REQUESTED_ADDRESS_FAMILY(2))) == 443


# Limits.


def test_a_user_has_so_many_allocations() -> None:
    lab = Lab(max_allocations_per_user=2)
    raws = [allocated(lab, f"192.0.2.{number}") for number in (1, 2)]
    assert code_of(lab.raw("192.0.2.3").allocate()) == 486
    assert code_of(lab.raw("192.0.2.4", BOB).allocate()) == 0
    raws[0].ask(Method.REFRESH, LIFETIME(0))
    assert code_of(lab.raw("192.0.2.5").allocate()) == 0


def test_a_new_time_limited_name_is_no_new_quota() -> None:
    lab = Lab(Users("zwerm", {}, ("secret",)), max_allocations_per_user=1)
    names = [time_limited("secret", "carol", int(UNIX_TIME) + later) for later in (100, 200)]
    assert code_of(lab.raw("192.0.2.1", names[0]).allocate()) == 0
    assert code_of(lab.raw("192.0.2.2", names[1]).allocate()) == 486


def test_the_server_has_so_many_allocations() -> None:
    lab = Lab(max_allocations=2)
    for number, credential in ((1, ALICE), (2, BOB)):
        allocated(lab, f"192.0.2.{number}", credential)
    assert code_of(lab.raw("192.0.2.3").allocate()) == 508
    assert len(lab.host.relays) == 2


def test_an_allocation_has_so_many_permissions_and_channels() -> None:
    lab = Lab(max_permissions=3, max_channels=2)
    raw = allocated(lab)

    def permit(number: int) -> int:
        return code_of(raw.ask(Method.CREATE_PERMISSION, XOR_PEER_ADDRESS((f"203.0.113.{number}", 0))))

    def bind(number: int) -> int:
        peer = XOR_PEER_ADDRESS(("203.0.113.1", number))
        return code_of(raw.ask(Method.CHANNEL_BIND, peer, CHANNEL_NUMBER(0x4000 + number)))

    assert [permit(number) for number in (1, 2, 3, 4)] == [0, 0, 0, 508]
    assert [bind(number) for number in (1, 2, 3)] == [0, 0, 508]
    raw.ask(Method.REFRESH, LIFETIME(3_600))
    lab.clock.run_for(601.0)
    raw.log_in()
    assert permit(4) == 0
    assert bind(3) == 0


def test_a_user_and_all_together_have_so_many_bytes_a_second() -> None:
    for limits in ({"bytes_per_second": 1_000.0}, {"total_bytes_per_second": 1_000.0}):
        lab = Lab(**limits)
        raw = allocated(lab)
        raw.ask(Method.CHANNEL_BIND, XOR_PEER_ADDRESS(PEER), CHANNEL_NUMBER(0x4000))
        for _ in range(30):
            raw.send(serialize(0x4000, bytes(100)))
        assert len(lab.peer.received) == 10
        lab.clock.run_for(0.5)
        for _ in range(30):
            raw.send(serialize(0x4000, bytes(100)))
        assert len(lab.peer.received) == 15
        lab.peer.send(bytes(100), lab.host.relays[0])
        lab.clock.run_for(0.0)
        assert raw.take() == []
        assert lab.host.server.statistics().traffic.dropped_over_rate == 46


def test_requests_of_strangers_leave_nothing_behind() -> None:
    """Ten thousand hosts ask for allocations and never say who they are."""
    server = TurnServer(config(max_watched_hosts=100), USERS, now=0.0, random=seeded("flood"))
    data = request(Method.ALLOCATE, TRANSACTION_ID, UDP).serialize()
    for number in range(10_000):
        server.receive_datagram(data, (f"192.0.{number >> 8}.{number & 255}", 1), 0.0)
    assert server.statistics().allocations == 0
    assert server.next_event() is None
    assert server.next_timeout() is None
    assert sum(1 for _ in iter(server.next_transmit, None)) == MAX_WAITING
    assert len(server._authenticator._challenges) == 100


# Batches and streams.


def test_equal_payloads_of_a_batch_leave_in_one_run() -> None:
    lab = Lab()
    client = allocated(lab)
    client.ask(Method.CHANNEL_BIND, XOR_PEER_ADDRESS(PEER), CHANNEL_NUMBER(0x4000))
    five_tuple = FiveTuple(Transport.UDP, client.socket.address, SERVER)
    batch = [serialize(0x4000, bytes((number,)) * 100) for number in range(5)]
    assert lab.host.server.receive_from_client([*batch, serialize(0x4000, b"short")], five_tuple, 1.0) == 6
    transmit = lab.host.server.next_transmit()
    assert transmit is not None
    assert transmit.segment_size == 100
    assert [data[:1] for data in transmit.datagrams()] == [b"\0", b"\1", b"\2", b"\3", b"\4", b"s"]
    assert transmit.source == lab.host.relays[0]
    lab.host.server.receive_from_peer(lab.host.relays[0], [bytes(50), bytes(50)], PEER, 1.0)
    transmit = lab.host.server.next_transmit()
    assert transmit is not None
    assert (transmit.segment_size, transmit.destination) == (54, client.socket.address)


def test_a_batch_of_all_kinds_comes_to_the_same_as_its_parts() -> None:
    parts = [serialize(0x4000, b"a"), b"?", serialize(0x4001, b"b"), serialize(0x4000, b"c"), serialize(0x4000, b"dd")]
    results = []
    for is_batch in (True, False):
        lab = Lab()
        client = allocated(lab)
        client.ask(Method.CHANNEL_BIND, XOR_PEER_ADDRESS(PEER), CHANNEL_NUMBER(0x4000))
        five_tuple = FiveTuple(Transport.UDP, client.socket.address, SERVER)
        batches = [parts] if is_batch else [[part] for part in parts]
        taken = sum(lab.host.server.receive_from_client(batch, five_tuple, 1.0) for batch in batches)
        sent = [data for run in iter(lab.host.server.next_transmit, None) for data in run.datagrams()]
        results.append((taken, sent))
    assert results[0] == results[1] == (3, [b"a", b"c", b"dd"])


def test_a_client_on_a_stream_gets_its_bytes_there_padded() -> None:
    server = TurnServer(config(), USERS, now=0.0, random=seeded("stream"))
    client = FiveTuple(Transport.TCP, ("192.0.2.1", 1), SERVER)
    server.receive_from_client([request(Method.BINDING, TRANSACTION_ID).serialize()], client, 0.0)
    answer = server.next_stream_data()
    assert answer is not None
    assert answer[0] == client
    assert Message.parse(answer[1]).find(XOR_MAPPED_ADDRESS) == ("192.0.2.1", 1)
    assert server.next_transmit() is None


def test_a_client_that_hangs_up_takes_its_allocation_along() -> None:
    lab = Lab()
    raw = allocated(lab)
    five_tuple = FiveTuple(Transport.UDP, raw.socket.address, SERVER)
    for _ in range(2):
        lab.host.server.client_gone(five_tuple)
    lab.host.pump()
    assert lab.host.relays == []
    assert lab.host.server._persons == {}


def test_a_client_that_hangs_up_while_its_socket_is_opened_leaves_nothing() -> None:
    lab = Lab()
    raw = lab.raw()
    raw.log_in()
    five_tuple = FiveTuple(Transport.UDP, raw.socket.address, SERVER)
    sealed = raw.authentication.seal(request(Method.ALLOCATE, TRANSACTION_ID, UDP))
    server = lab.host.server
    server.receive_from_client([sealed], five_tuple, 0.0)
    server.receive_from_client([sealed], five_tuple, 0.0)
    opening = server.next_event()
    assert opening is not None
    assert server.next_event() is None
    server.client_gone(five_tuple)
    server.relay_opened(opening.local, 0.0)
    assert type(server.next_event()).__name__ == "CloseRelay"
    assert server._persons == {}
    assert server.statistics().allocations == 0


@pytest.mark.parametrize(
    "data",
    [b"", b"?", b"\x40", b"\x40\x00\x00\x05x", request(Method.DATA, TRANSACTION_ID).serialize(), bytes(100)],
    ids=["nothing", "noise", "cut", "too long", "no such request", "zeros"],
)
def test_what_is_not_for_a_relay_gets_no_answer(data: bytes) -> None:
    server = TurnServer(config(), USERS, now=0.0, random=seeded("noise"))
    assert not server.receive_datagram(data, PEER, 0.0)
    assert server.next_transmit() is None


def test_it_obeys_the_laws_of_machines() -> None:
    key = long_term_key("alice", "zwerm", "wonder")

    def answers(transmit):  # type: ignore[no-untyped-def]
        """Log in with the nonce that came, and then do everything."""
        if transmit.data[0] >= 0x40:
            return []
        nonce = Message.parse(transmit.data).find(NONCE)
        if nonce is None:
            return []
        sealed = [USERNAME("alice"), REALM("zwerm"), NONCE(nonce)]
        asked = [
            (Method.ALLOCATE, [UDP, *sealed]),
            (Method.CREATE_PERMISSION, [XOR_PEER_ADDRESS(PEER), *sealed]),
            (Method.CHANNEL_BIND, [XOR_PEER_ADDRESS(PEER), CHANNEL_NUMBER(0x4000), *sealed]),
            (Method.REFRESH, sealed),
        ]
        return [request(method, TRANSACTION_ID, *attributes).serialize(key) for method, attributes in asked]

    def make(now: float, random) -> TurnServer:  # type: ignore[no-untyped-def]
        return TurnServer(config(), USERS, now=now, random=random)

    def open_all(server: TurnServer) -> None:
        server.relay_opened((SERVER[0], 50_001), 0.0)

    check_machine(
        Subject(
            make=make,
            peer=("192.0.2.30", 1),
            answers=answers,
            valid=[
                request(Method.ALLOCATE, TRANSACTION_ID, UDP).serialize(),
                request(Method.BINDING, TRANSACTION_ID).serialize(),
                serialize(0x4000, b"x"),
            ],
            commands=[open_all],
            outputs_after_flood=2_048,
            memory_after_flood=1_048_576,  # up to MAX_WAITING answers of 300 bytes
        )
    )
