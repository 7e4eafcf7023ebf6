"""A TURN client against our server on the virtual network, and against servers that misbehave."""

import pytest

from tests.conformance.check_machine import Subject, check_machine
from tests.sim.nat import SYMMETRIC, Nat
from tests.webrtc.turn.network import ALICE, PEER, RELAY_IPV6, SERVER, Client, Lab, family
from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.core.random import seeded
from zwerm.webrtc.stun.address import IPV4, IPV6
from zwerm.webrtc.stun.attributes import (
    ALTERNATE_SERVER,
    DATA,
    ICMP,
    LIFETIME,
    NONCE,
    PASSWORD_ALGORITHM,
    PASSWORD_ALGORITHMS,
    REALM,
    USERHASH,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    XOR_PEER_ADDRESS,
    XOR_RELAYED_ADDRESS,
    Algorithm,
    Attribute,
    Icmp,
)
from zwerm.webrtc.stun.integrity import Integrity, PasswordAlgorithm, long_term_key, userhash
from zwerm.webrtc.stun.message import Message, MessageClass, Method, indication
from zwerm.webrtc.stun.nonce import SecurityFeatures, with_features
from zwerm.webrtc.turn.client import MAX_WAITING, State, TurnClient
from zwerm.webrtc.turn.config import AllocationConfig
from zwerm.webrtc.turn.credentials import Credential, Users
from zwerm.webrtc.turn.events import (
    Allocated,
    AllocationFailed,
    AllocationLost,
    ChannelBound,
    ChannelRefused,
    DataReceived,
    PeerUnreachable,
    PermissionRefused,
    Permitted,
    Released,
    Remedy,
)

RELAYED = ("198.51.100.1", 50_000)
KEY = long_term_key("alice", "zwerm", "wonder")


def test_data_goes_both_ways_by_indications_and_then_by_a_channel() -> None:
    lab = Lab()
    client = lab.client()
    assert isinstance(client.take()[0], Allocated)
    client.send(b"one", PEER)
    assert client.take() == [Permitted((PEER[0],))]
    lab.peer.send(b"two", client.relayed)
    assert client.take() == [DataReceived(b"two", PEER)]
    client.bind(PEER)
    assert client.take() == [ChannelBound(PEER, 0x4000)]
    client.send(b"three", PEER)
    lab.peer.send(b"four", client.relayed)
    assert client.take() == [DataReceived(b"four", PEER)]
    assert lab.peer.received == [(b"one", client.relayed), (b"three", client.relayed)]


def test_a_client_behind_a_symmetric_nat_is_told_its_outside_address() -> None:
    lab = Lab()
    home = lab.wan.lan(Nat(("192.0.2.1",), SYMMETRIC))
    client = Client(home, "192.168.0.2")
    event = client.take()[0]
    assert isinstance(event, Allocated)
    assert event.mapped is not None
    assert event.mapped[0] == "192.0.2.1"
    client.send(b"hello", PEER)
    client.take()
    assert lab.peer.received == [(b"hello", client.relayed)]


def test_everything_is_kept_alive_for_hours() -> None:
    lab = Lab()
    client = lab.client()
    client.bind(PEER)
    client.permit("203.0.113.8")
    lab.clock.run_for(3 * 3_600)
    client.take()
    client.send(b"still", PEER)
    lab.peer.send(b"here", client.relayed)
    assert client.take() == [DataReceived(b"here", PEER)]
    assert lab.peer.received == [(b"still", client.relayed)]


def test_closing_gives_the_allocation_back() -> None:
    lab = Lab()
    client = lab.client()
    assert lab.host.relays
    client.take()
    client.close()
    assert client.take() == [Released()]
    assert lab.host.relays == []
    assert client.machine.next_timeout() is None


def test_closing_ends_soon_even_when_the_server_is_gone() -> None:
    lab = Lab()
    client = lab.client()
    client.take()
    lab.wan.detach(SERVER[0])
    client.close()
    lab.clock.run_for(3.0)
    assert client.take() == [Released()]


def test_a_wrong_password_is_a_failure_that_names_it() -> None:
    client = Lab().client(credential=Credential("alice", "wrong"))
    (event,) = client.take()
    assert isinstance(event, AllocationFailed)
    assert event.failure.code == 401
    assert "password is wrong" in event.failure.reason


def test_a_server_that_is_not_there_is_given_up_in_forty_seconds() -> None:
    lab = Lab()
    client = lab.client(server=("198.51.100.99", 3478))
    lab.clock.run_for(40.0)
    (event,) = client.take()
    assert isinstance(event, AllocationFailed)
    assert event.failure.remedy is Remedy.OTHER_SERVER


def test_stale_nonces_are_replaced_on_the_way() -> None:
    lab = Lab(nonce_lifetime=30.0)
    client = lab.client()
    client.take()
    lab.clock.run_for(100.0)
    client.permit(PEER[0])
    assert client.take() == [Permitted((PEER[0],))]


def test_both_families_in_one_allocation() -> None:
    lab = Lab()
    client = lab.client(allocation=AllocationConfig(both_families=True))
    event = client.take()[0]
    assert isinstance(event, Allocated)
    assert [family(relayed) for relayed in event.relayed] == [IPV4, IPV6]
    peer = lab.wan.host("2001:db8:1::9").socket(9)
    client.send(b"six", (peer.address[0], 9))
    client.take()
    assert peer.received == [(b"six", event.relayed[1])]


def test_one_family_is_asked_for_by_name() -> None:
    client = Lab().client(allocation=AllocationConfig(family=IPV6))
    event = client.take()[0]
    assert isinstance(event, Allocated)
    assert [relayed[0] for relayed in event.relayed] == [RELAY_IPV6]
    with pytest.raises(LocalProtocolError, match=r"peer 203\.0\.113\.7, but the relayed address is IPv6"):
        client.permit(PEER[0])


def test_an_even_port_and_the_one_after_it() -> None:
    lab = Lab()
    first = lab.client(allocation=AllocationConfig(even_port=True, reserve_next=True)).take()[0]
    assert isinstance(first, Allocated)
    assert first.relayed[0][1] % 2 == 0
    second = lab.client("192.0.2.10", allocation=AllocationConfig(reservation_token=first.reservation_token)).take()[0]
    assert isinstance(second, Allocated)
    assert second.relayed[0][1] == first.relayed[0][1] + 1


@pytest.mark.parametrize(
    "wishes",
    [
        {"reserve_next": True},
        {"reservation_token": bytes(8), "even_port": True},
        {"both_families": True, "family": IPV4},
    ],
    ids=["next without even", "token and even", "both and one"],
)
def test_wishes_that_exclude_each_other_are_the_callers_fault(wishes: dict[str, object]) -> None:
    with pytest.raises(LocalProtocolError):
        AllocationConfig(**wishes)  # type: ignore[arg-type]


def test_data_waits_for_its_permission_and_not_without_end() -> None:
    lab = Lab()
    client = lab.client()
    for number in range(MAX_WAITING + 3):
        client.machine.send(b"%d" % number, PEER, lab.clock.now)
    client.driver.pump()
    client.take()
    assert [data for data, _ in lab.peer.received] == [b"%d" % number for number in range(3, MAX_WAITING + 3)]


def test_peers_that_the_server_refuses_are_named() -> None:
    lab = Lab()
    client = lab.client()
    client.take()
    client.send(b"metadata?", ("169.254.169.254", 80))
    (event,) = client.take()
    assert isinstance(event, PermissionRefused)
    assert (event.hosts, event.failure.code) == (("169.254.169.254",), 403)
    client.bind(("127.0.0.1", 80))
    assert {type(event) for event in client.take()} == {PermissionRefused, ChannelRefused}


def test_a_forgotten_peer_is_heard_no_more() -> None:
    lab = Lab()
    client = lab.client()
    client.bind(PEER)
    client.take()
    client.machine.forget(PEER[0])
    lab.peer.send(b"hello?", client.relayed)
    assert client.take() == []
    lab.clock.run_for(310.0)
    assert lab.host.server.statistics().traffic.dropped_unknown == 0
    lab.peer.send(b"hello?", client.relayed)
    assert client.take() == []
    assert lab.host.server.statistics().traffic.dropped_unknown == 1


def test_limits_of_this_side() -> None:
    lab = Lab()
    client = lab.client(allocation=AllocationConfig(max_permissions=2, max_channels=1))
    client.permit("203.0.113.1", "203.0.113.2")
    with pytest.raises(ResourceLimitError, match="3 permissions, the limit is 2"):
        client.permit("203.0.113.3")
    client.bind(("203.0.113.1", 1))
    with pytest.raises(ResourceLimitError, match="2 channels, the limit is 1"):
        client.bind(("203.0.113.2", 1))


def test_before_and_after_the_allocation_there_is_nothing_to_send_with() -> None:
    client = TurnClient(SERVER, ALICE, now=0.0, random=seeded(1))
    with pytest.raises(LocalProtocolError, match="the allocation is asked for"):
        client.send(b"", PEER, 0.0)
    client.close(0.0)
    assert client.next_event() == Released()
    with pytest.raises(LocalProtocolError, match="gone, or never there"):
        client.permit(["203.0.113.1"], 0.0)


def test_a_lost_connection_is_a_lost_allocation() -> None:
    lab = Lab()
    client = lab.client()
    client.take()
    client.machine.connection_lost("reset by peer")
    (event,) = [client.machine.next_event()]
    assert isinstance(event, AllocationLost)
    assert client.machine.state is State.OVER


def test_a_server_that_forgot_us_is_noticed_at_the_next_request() -> None:
    lab = Lab()
    client = lab.client()
    client.take()
    for allocation in list(lab.host.server._allocations):
        lab.host.server.client_gone(allocation)
    client.permit(PEER[0])
    events = client.take()
    assert isinstance(events[-1], AllocationLost)
    assert events[-1].failure.code == 437


class Scripted:
    """A client whose server is played by the test."""

    def __init__(self, allocation: AllocationConfig | None = None) -> None:
        self.machine = TurnClient(SERVER, ALICE, now=0.0, random=seeded("scripted"), config=allocation)

    def sent(self) -> Message:
        messages = [Message.parse(transmit.data) for transmit in iter(self.machine.next_transmit, None)]
        return messages[-1]

    def nothing_sent(self) -> bool:
        return self.machine.next_transmit() is None

    def error(self, code: int, *attributes: Attribute) -> None:
        data = self.sent().error(code, "because", *attributes).serialize()
        assert self.machine.receive_datagram(data, SERVER, 0.1)

    def challenge(self, nonce: bytes = b"nonce", *attributes: Attribute, code: int = 401) -> None:
        self.error(code, REALM("zwerm"), NONCE(nonce), *attributes)

    def allocate(self) -> None:
        self.challenge()
        response = self.sent().success(
            XOR_RELAYED_ADDRESS(RELAYED), LIFETIME(600), XOR_MAPPED_ADDRESS(("192.0.2.9", 1))
        )
        assert self.machine.receive_datagram(response.serialize(KEY), SERVER, 0.1)
        assert isinstance(self.machine.next_event(), Allocated)


OFFER = PASSWORD_ALGORITHMS((Algorithm(PasswordAlgorithm.SHA256), Algorithm(PasswordAlgorithm.MD5)))
FEATURED = with_features(SecurityFeatures.PASSWORD_ALGORITHMS, b"nonce")


def test_the_first_request_is_bare_and_the_second_proves_who_sends_it() -> None:
    scripted = Scripted()
    first = scripted.sent()
    assert first.integrity is None
    assert first.find(USERNAME) is None
    scripted.machine.receive_datagram(first.error(401, "", REALM("zwerm"), NONCE(b"n")).serialize(), SERVER, 0.1)
    second = scripted.sent()
    assert (second.find(USERNAME), second.find(REALM), second.find(NONCE)) == ("alice", "zwerm", b"n")
    assert second.has_integrity(KEY)
    assert second.transaction_id != first.transaction_id


def test_what_the_server_offers_is_taken_and_repeated() -> None:
    scripted = Scripted()
    scripted.challenge(FEATURED, OFFER)
    request = scripted.sent()
    assert request.find(PASSWORD_ALGORITHMS) == OFFER.value
    assert request.find(PASSWORD_ALGORITHM) == Algorithm(PasswordAlgorithm.SHA256)
    assert request.integrity is Integrity.SHA256
    assert request.has_integrity(long_term_key("alice", "zwerm", "wonder", PasswordAlgorithm.SHA256))


def test_a_name_is_hidden_from_those_on_the_way_when_the_server_can_find_it() -> None:
    scripted = Scripted()
    scripted.challenge(with_features(SecurityFeatures.USERNAME_ANONYMITY, b"nonce"))
    request = scripted.sent()
    assert request.find(USERNAME) is None
    assert request.find(USERHASH) == userhash("alice", "zwerm")


@pytest.mark.parametrize("attributes", [[], [PASSWORD_ALGORITHMS((Algorithm(99),))]], ids=["taken out", "none known"])
def test_a_challenge_that_was_tampered_with_is_not_answered(attributes: list[Attribute]) -> None:
    """Otherwise who takes PASSWORD-ALGORITHMS out has the weaker key used."""
    scripted = Scripted()
    scripted.challenge(FEATURED, *attributes)
    assert scripted.nothing_sent()
    assert isinstance(scripted.machine.next_event(), AllocationFailed)


def test_after_an_offer_a_weaker_seal_is_not_taken() -> None:
    scripted = Scripted()
    scripted.challenge(FEATURED, OFFER)
    key = long_term_key("alice", "zwerm", "wonder", PasswordAlgorithm.SHA256)
    response = scripted.sent().success(XOR_RELAYED_ADDRESS(RELAYED), LIFETIME(600))
    scripted.machine.receive_datagram(response.serialize(key), SERVER, 0.1)
    assert scripted.machine.next_event() is None
    scripted.machine.receive_datagram(response.serialize(key, integrity=Integrity.SHA256), SERVER, 0.1)
    assert isinstance(scripted.machine.next_event(), Allocated)


def test_a_success_that_nobody_sealed_is_not_taken() -> None:
    scripted = Scripted()
    scripted.challenge()
    response = scripted.sent().success(XOR_RELAYED_ADDRESS(RELAYED), LIFETIME(600))
    for forged in (response.serialize(), response.serialize(b"other key")):
        assert scripted.machine.receive_datagram(forged, SERVER, 0.1)
    assert scripted.machine.next_event() is None
    assert scripted.machine.state is State.ALLOCATING


def test_a_server_whose_nonces_are_always_stale_is_given_up() -> None:
    scripted = Scripted()
    scripted.challenge()
    for number in range(10):
        if scripted.machine.state is State.OVER:
            break
        scripted.challenge(b"nonce%d" % number, code=438)
    event = scripted.machine.next_event()
    assert isinstance(event, AllocationFailed)
    assert event.failure.code == 438


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (400, Remedy.NONE),
        (403, Remedy.NONE),
        (420, Remedy.NONE),
        (437, Remedy.OTHER_PORT),
        (440, Remedy.NONE),
        (441, Remedy.NONE),
        (442, Remedy.NONE),
        (486, Remedy.LATER),
        (500, Remedy.LATER),
        (508, Remedy.LATER),
    ],
)
def test_each_refusal_says_what_may_help(code: int, remedy: Remedy) -> None:
    scripted = Scripted()
    scripted.challenge()
    scripted.error(code)
    event = scripted.machine.next_event()
    assert isinstance(event, AllocationFailed)
    assert (event.failure.code, event.failure.reason, event.failure.remedy) == (code, "because", remedy)


def test_another_server_is_named_and_not_gone_to() -> None:
    scripted = Scripted()
    scripted.error(300, ALTERNATE_SERVER(("198.51.100.2", 3478)))
    event = scripted.machine.next_event()
    assert isinstance(event, AllocationFailed)
    assert event.failure.alternate == ("198.51.100.2", 3478)


@pytest.mark.parametrize(
    "attributes", [[], [XOR_RELAYED_ADDRESS(RELAYED)], [LIFETIME(600)]], ids=["nothing", "no lifetime", "no address"]
)
def test_a_success_without_what_matters_is_a_failure(attributes: list[Attribute]) -> None:
    scripted = Scripted()
    scripted.challenge()
    scripted.machine.receive_datagram(scripted.sent().success(*attributes).serialize(KEY), SERVER, 0.1)
    assert isinstance(scripted.machine.next_event(), AllocationFailed)


def test_data_of_peers_that_were_not_permitted_is_dropped() -> None:
    scripted = Scripted()
    scripted.allocate()
    data = indication(Method.DATA, bytes(12), XOR_PEER_ADDRESS(PEER), DATA(b"x")).serialize()
    assert not scripted.machine.receive_datagram(data, SERVER, 0.2)
    assert not scripted.machine.receive_datagram(b"\x40\x00\x00\x01x", SERVER, 0.2)
    scripted.machine.permit([PEER[0]], 0.2)
    assert scripted.machine.receive_datagram(data, SERVER, 0.2)
    assert not scripted.machine.receive_datagram(data, ("203.0.113.66", 3478), 0.2)
    assert scripted.machine.next_event() == DataReceived(b"x", PEER)


def test_an_icmp_error_is_passed_on() -> None:
    scripted = Scripted()
    scripted.allocate()
    scripted.machine.permit([PEER[0]], 0.2)
    icmp = Icmp(3, 4, 1_280)
    message = indication(Method.DATA, bytes(12), XOR_PEER_ADDRESS(PEER), ICMP(icmp))
    assert scripted.machine.receive_datagram(message.serialize(), SERVER, 0.2)
    assert scripted.machine.next_event() == PeerUnreachable(PEER, icmp)


def test_silence_is_broken_so_that_nats_do_not_forget() -> None:
    scripted = Scripted()
    scripted.allocate()
    scripted.machine.handle_timeout(15.2)
    message = scripted.sent()
    assert (message.method, message.message_class) == (Method.BINDING, MessageClass.INDICATION)


def test_a_batch_is_many_datagrams() -> None:
    scripted = Scripted()
    scripted.allocate()
    scripted.machine.bind_channel(PEER, 0.2)
    frames = [b"\x40\x00\x00\x01" + bytes((number,)) for number in range(3)]
    assert scripted.machine.receive_datagrams([*frames, b"?"], SERVER, 0.2) == 3
    assert [scripted.machine.next_event() for _ in range(4)] == [
        *(DataReceived(bytes((number,)), PEER) for number in range(3)),
        None,
    ]


def test_a_refresh_that_is_refused_is_a_lost_allocation() -> None:
    scripted = Scripted(AllocationConfig(keep_alive=None))
    scripted.allocate()
    deadline = scripted.machine.next_timeout()
    assert deadline == pytest.approx(540.1)
    assert deadline is not None
    scripted.machine.handle_timeout(deadline)
    request = scripted.sent()
    assert request.method == Method.REFRESH
    scripted.machine.receive_datagram(request.error(500, "no").serialize(KEY), SERVER, deadline)
    assert isinstance(scripted.machine.next_event(), AllocationLost)


def test_it_obeys_the_laws_of_machines() -> None:
    def answers(transmit):  # type: ignore[no-untyped-def]
        if transmit.data[0] >= 0x40:
            return []
        message = Message.parse(transmit.data)
        if message.message_class is not MessageClass.REQUEST:
            return []
        if message.integrity is None:
            return [message.error(401, "", REALM("zwerm"), NONCE(b"n")).serialize()]
        success = message.success(XOR_RELAYED_ADDRESS(RELAYED), LIFETIME(600)).serialize(KEY)
        return [success, message.error(438, "", REALM("zwerm"), NONCE(b"m")).serialize(), success]

    check_machine(
        Subject(
            make=lambda now, random: TurnClient(SERVER, ALICE, now=now, random=random),
            peer=SERVER,
            answers=answers,
            valid=[indication(Method.DATA, bytes(12), XOR_PEER_ADDRESS(PEER), DATA(b"x")).serialize()],
            commands=[lambda machine: machine.forget(PEER[0])],
            steps=100,
        )
    )


def test_a_flood_of_data_is_kept_only_so_far() -> None:
    scripted = Scripted()
    scripted.allocate()
    scripted.machine.bind_channel(PEER, 0.2)
    for _ in range(5_000):
        scripted.machine.receive_datagram(b"\x40\x00\x00\x01x", SERVER, 0.2)
    assert sum(1 for _ in iter(scripted.machine.next_event, None)) == 512


def test_errors_of_a_time_limited_name() -> None:
    users = Users("zwerm", {}, ("secret",))
    ended = Credential("1600000000:alice", "whatever")
    (event,) = Lab(users).client(credential=ended).take()
    assert isinstance(event, AllocationFailed)
    assert event.failure.code == 401
