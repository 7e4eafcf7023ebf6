"""Strangers and peers that mean harm, at a whole connection: what each layer refuses, the joined ones refuse too.

What one layer alone has to stand is in the `test_hostile.py` of its folder. Each test here fails without its defence.
"""

from __future__ import annotations

import pytest

from tests.sim.pair import LEFT, RIGHT, Pair
from tests.webrtc.connection.test_transport import connect
from zwerm.core.machine import Address, drain
from zwerm.webrtc.connection.transport import Event, Transport
from zwerm.webrtc.datachannel.channel import BinaryReceived, Channel, ChannelAnnounced, TextReceived
from zwerm.webrtc.dtls.event import ApplicationData
from zwerm.webrtc.dtls.statistics import DTLSStatistics
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.events import ConnectionState
from zwerm.webrtc.sctp.chunks import error
from zwerm.webrtc.sctp.codes import Cause
from zwerm.webrtc.sctp.packet import Header, serialize

STRANGER: Address = ("203.0.113.66", 666)
CONSENT = 30.0  # seconds, RFC 7675 section 5.1


def opened() -> tuple[Pair[Event], Transport, Transport, Channel]:
    """A channel that has been used, so that DTLS writes its own records on both sides."""
    pair, left, right = connect()
    channel = left.channels.open("chat", now=pair.clock.now)
    pair.pump()
    theirs = pair.drive_until(ChannelAnnounced, limit=30.0).channel
    right.channels.send_text(theirs, "warm", pair.clock.now)
    pair.pump()
    pair.run_for(1.0)
    pair.left.events.clear()
    pair.right.events.clear()
    return pair, left, right, channel


def records(pair: Pair[Event], sender: Transport, channel: Channel, *messages: str) -> list[bytes]:
    """Genuine datagrams with messages in them, which do not arrive."""
    for message in messages:
        sender.channels.send_text(channel, message, pair.clock.now)
    datagrams = [datagram for transmit in drain(sender).transmits for datagram in transmit.datagrams()]
    return [datagram for datagram in datagrams if 20 <= datagram[0] <= 63]


def texts(machine: Transport) -> list[str]:
    return [event.text for event in drain(machine).events if isinstance(event, TextReceived)]


def dtls_of(transport: Transport) -> DTLSStatistics:
    statistics = transport.statistics().dtls
    assert statistics is not None
    return statistics


def test_genuine_records_from_an_address_that_ice_did_not_validate_are_not_looked_at() -> None:
    """A stranger who overheard them, and sends them first: the peer's own still count."""
    pair, left, right, channel = opened()
    stolen = records(pair, left, channel, "one", "two")
    before = right.statistics()
    assert right.receive_datagrams(stolen, STRANGER, pair.clock.now) == 0
    assert right.receive_datagram(stolen[0], (LEFT[0], LEFT[1] + 1), pair.clock.now) is False
    assert right.statistics().dtls == before.dtls
    assert right.statistics().traffic == before.traffic
    assert texts(right) == []
    assert right.receive_datagrams(stolen, LEFT, pair.clock.now) == len(stolen)
    assert texts(right) == ["one", "two"]


def test_a_batch_played_again_brings_nothing_new() -> None:
    pair, left, right, channel = opened()
    heard = records(pair, left, channel, "one", "two")
    for _ in range(3):
        right.receive_datagrams(heard, LEFT, pair.clock.now)
    assert texts(right) == ["one", "two"]
    assert dtls_of(right).replayed == 2 * len(heard)


def test_sctp_that_is_not_sealed_is_not_heard_even_from_the_peers_address() -> None:
    """Off path, the tag and the address may be guessed; an ABORT beside DTLS ends nothing."""
    pair, left, right, channel = opened()
    tag = right.channels.association._handshake.local_tag
    plain = serialize(Header(5_000, 5_000, tag), [error.abort(Cause.USER_INITIATED, "die")])
    heard = records(pair, left, channel, "one")
    right.receive_datagrams([plain, *heard, plain], LEFT, pair.clock.now)
    right.receive_datagram(plain, LEFT, pair.clock.now)
    assert texts(right) == ["one"]
    assert right.statistics().channels.association.state == "established"


def test_without_consent_nothing_is_sent_whatever_waits() -> None:
    """RFC 7675 section 5.1: 30 s after the last answer, no data, no repetition, no alert."""
    pair, left, _right, channel = opened()
    left.channels.send_binary(channel, bytes(60_000), pair.clock.now)
    drain(left)  # lost
    sent: list[float] = []
    start = now = pair.clock.now  # which stands still from here on: nobody answers
    while (due := left.next_timeout()) is not None and due < start + 10 * CONSENT:
        now = max(now, due)
        left.handle_timeout(now)
        sent += [now for transmit in drain(left).transmits if 20 <= transmit.data[0] <= 63]
    assert left.agent.state is ConnectionState.FAILED
    assert sent
    assert max(sent) <= start + CONSENT
    left.close(start + 10 * CONSENT)
    assert drain(left).transmits == []


FORBIDDEN = [
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "0.0.0.0",
    "169.254.169.254",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1:a9fe:a9:fe00::",
    "2002:a9fe:a9fe::1",
    "224.0.0.1",
    "255.255.255.255",
    "fe80::1",
]


@pytest.mark.parametrize("host", FORBIDDEN)
def test_no_datagram_goes_to_where_a_candidate_must_not_point(host: str) -> None:
    pair, left, _, _ = opened()
    candidate = Candidate.from_text(f"candidate:9 1 udp 2130706431 {host} 80 typ host")
    assert left.agent.add_remote_candidate(candidate, pair.clock.now) is False
    targets: set[str] = set()
    now = pair.clock.now
    for _ in range(100):
        now += 0.05
        left.handle_timeout(now)
        targets |= {transmit.destination[0] for transmit in drain(left).transmits}
    assert targets <= {RIGHT[0]}


def test_data_never_comes_out_before_the_certificate_was_proved() -> None:
    """Whoever answers checks may be anybody who read the signaling: the certificate decides."""
    pair, left, right = connect(expected=(2, 1))  # the right side expects another one of the left
    channel = left.channels.open("chat", now=pair.clock.now)
    left.channels.close(channel, pair.clock.now)
    pair.run_for(40.0)
    told = (ChannelAnnounced, TextReceived, BinaryReceived, ApplicationData)
    assert not any(isinstance(event, told) for event in pair.right.events)
    assert right.statistics().channels.opened == 0
    assert right.statistics().channels.association.state == "closed"
