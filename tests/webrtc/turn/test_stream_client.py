"""A TURN client on a stream."""

from tests.conformance.check_machine import Subject
from tests.conformance.check_stream_machine import check_stream_machine
from tests.webrtc.turn.network import ALICE, PEER, POLICY, SERVER, USERS
from zwerm.core.random import seeded
from zwerm.webrtc.stun.stream import MessageStream
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.events import Allocated, AllocationFailed, AllocationLost, ChannelBound, DataReceived, Permitted
from zwerm.webrtc.turn.server.config import FiveTuple, RelayHost, TurnServerConfig
from zwerm.webrtc.turn.server.opening import OpenRelay
from zwerm.webrtc.turn.server.server import TurnServer
from zwerm.webrtc.turn.stream_client import TurnStreamClient

CLIENT = FiveTuple(Transport.TCP, ("192.0.2.1", 1), SERVER)


class Conversation:
    """Client and server with a stream between, cut into single bytes."""

    def __init__(self) -> None:
        config = TurnServerConfig((SERVER,), (RelayHost(SERVER[0]),), peers=POLICY)
        self.server = TurnServer(config, USERS, now=0.0, random=seeded("server"))
        self.client = TurnStreamClient(SERVER, ALICE, now=0.0, random=seeded("client"))
        self._to_server = MessageStream()
        self.relays: list[tuple[str, int]] = []

    def run(self) -> list[object]:
        """Carry everything both ways; what the client tells."""
        while data := self.client.data_to_send():
            assert len(data) % 4 == 0
            self.server.receive_from_client(self._to_server.receive_untrusted(data), CLIENT, 0.0)
            while (event := self.server.next_event()) is not None:
                assert isinstance(event, OpenRelay)
                self.relays.append(event.local)
                self.server.relay_opened(event.local, 0.0)
            self.deliver()
        return list(iter(self.client.next_event, None))

    def deliver(self) -> None:
        while (item := self.server.next_stream_data()) is not None:
            for byte in item[1]:
                self.client.receive_data(bytes((byte,)), 0.0)


def test_data_goes_both_ways_over_a_stream() -> None:
    conversation = Conversation()
    assert isinstance(conversation.run()[0], Allocated)
    conversation.client.client.bind_channel(PEER, 0.0)
    assert conversation.run() == [Permitted((PEER[0],)), ChannelBound(PEER, 0x4000)]
    conversation.client.client.send(b"odd", PEER, 0.0)
    conversation.run()
    transmit = conversation.server.next_transmit()
    assert transmit is not None
    assert (transmit.data, transmit.destination) == (b"odd", PEER)
    conversation.server.receive_from_peer(conversation.relays[0], [b"one", b"seven b"], PEER, 0.0)
    conversation.deliver()
    assert conversation.run() == [DataReceived(b"one", PEER), DataReceived(b"seven b", PEER)]


def test_the_end_of_the_stream_is_the_end_of_the_allocation() -> None:
    conversation = Conversation()
    conversation.run()
    conversation.client.receive_eof(1.0)
    conversation.client.receive_eof(1.0)
    (event,) = conversation.run()
    assert isinstance(event, AllocationLost)
    assert event.failure.reason == "the server closed the connection"


def test_noise_on_the_stream_is_its_end() -> None:
    conversation = Conversation()
    conversation.client.receive_data(b"HTTP/1.1 400 Bad Request", 0.0)
    events = list(iter(conversation.client.next_event, None))
    assert events == []  # "HT" may be a channel number
    conversation.client.receive_data(b"\xff" * 70_000, 0.0)
    (event,) = iter(conversation.client.next_event, None)
    assert isinstance(event, AllocationFailed)


def test_it_obeys_the_laws_of_machines() -> None:
    check_stream_machine(
        Subject(make=lambda now, random: TurnStreamClient(SERVER, ALICE, now=now, random=random), valid=[b"\x40\0\0\0"])
    )
