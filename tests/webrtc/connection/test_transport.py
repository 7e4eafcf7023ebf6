"""Two transports on virtual paths: ICE, DTLS, SCTP and data channels together, with loss and without."""

from __future__ import annotations

import dataclasses
import datetime as dt
from random import Random

import pytest

from tests.conformance.check_machine import Subject, check_machine
from tests.sim.clock import VirtualClock
from tests.sim.pair import LEFT, RIGHT, Pair
from tests.sim.profile import CELLULAR, PERFECT, SATELLITE, WIFI, Profile
from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Address, Instant, drain
from zwerm.core.random import seeded
from zwerm.webrtc.connection.description import Remote
from zwerm.webrtc.connection.transport import Event, Transport
from zwerm.webrtc.datachannel.channel import (
    BinaryReceived,
    Channel,
    ChannelAnnounced,
    ChannelClosed,
    ChannelOpened,
    TextReceived,
)
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.dtls.event import Cause, Closed, ConnectionFailed, Handshaked, Role
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.config import Config
from zwerm.webrtc.ice.config import Role as ICERole
from zwerm.webrtc.ice.events import ConnectionState
from zwerm.webrtc.sdp.values import Setup

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CERTIFICATES = [Certificate.generate(now=NOW) for _ in range(3)]
LOSSY = Profile(latency=0.02, jitter=0.01, loss=0.1)
# A ClientHello as OpenSSL sends it would do as well: the first byte of a handshake record is all that is looked at.
HELLO = b"\x16\xfe\xff" + bytes(60)


def make(index: int, address: Address, now: Instant, random: Random) -> Transport:
    """A transport that has gathered."""
    transport = Transport(CERTIFICATES[index], random=random, now=now)
    transport.configure(ICERole.CONTROLLED if index else ICERole.CONTROLLING, Config())
    transport.agent.add_local_address(address, now)
    transport.agent.gather(now)
    return transport


def described(transport: Transport, certificate: Certificate, address: Address) -> Remote:
    """What the description of a transport tells the other side."""
    agent = transport.agent
    return Remote(
        mid="0",
        credentials=agent.local_credentials,
        ice_options=agent.options,
        is_lite=False,
        fingerprints=(certificate.fingerprint(),),
        setup=Setup.ACTPASS,
        max_message_size=65_536,
        candidates=(Candidate.from_text(f"candidate:1 1 udp 2130706431 {address[0]} {address[1]} typ host"),),
        has_ended=False,
    )


def begin(transport: Transport, remote: Remote, role: Role, now: Instant) -> None:
    transport.agent.set_remote(remote.credentials, now, options=remote.ice_options)
    for candidate in remote.candidates:
        transport.agent.add_remote_candidate(candidate, now)
    transport.agent.end_of_candidates(now)
    transport.start(remote, role, now)


def connect(
    *, profile: Profile = PERFECT, seed: int = 0, expected: tuple[int, int] = (0, 1), client: int = 0
) -> tuple[Pair[Event], Transport, Transport]:
    """Two transports that know each other's descriptions, about to connect; `expected` are the certificates."""
    clock = VirtualClock()
    left = make(0, LEFT, clock.now, seeded(seed, "left"))
    right = make(1, RIGHT, clock.now, seeded(seed, "right"))
    roles = (Role.CLIENT, Role.SERVER) if client == 0 else (Role.SERVER, Role.CLIENT)
    to_left = described(right, CERTIFICATES[expected[1]], RIGHT)
    to_right = described(left, CERTIFICATES[expected[0]], LEFT)
    begin(left, to_left, roles[0], clock.now)
    begin(right, to_right, roles[1], clock.now)
    return Pair[Event](left, right, profile=profile, seed=seed, clock=clock), left, right


@pytest.mark.parametrize("client", [0, 1], ids=["who waits is client", "who waits is server"])
@pytest.mark.parametrize("minutes", [1, 10])
def test_a_description_that_people_carry_may_take_minutes(minutes: int, client: int) -> None:
    clock = VirtualClock()
    left = make(0, LEFT, clock.now, seeded(1, "left"))
    right = make(1, RIGHT, clock.now, seeded(1, "right"))
    roles = (Role.CLIENT, Role.SERVER) if client == 0 else (Role.SERVER, Role.CLIENT)
    to_left, to_right = described(right, CERTIFICATES[1], RIGHT), described(left, CERTIFICATES[0], LEFT)
    pair = Pair[Event](left, right, seed=1, clock=clock)
    begin(left, to_left, roles[0], clock.now)
    pair.pump()
    pair.run_for(minutes * 60)
    begin(right, to_right, roles[1], clock.now)
    pair.pump()
    pair.drive_until(Handshaked, limit=40.0)


@pytest.mark.parametrize("ports", [(5_000, 7), (65_535, 5_000), (1, 2)], ids=str)
def test_the_ports_of_sctp_are_those_that_descriptions_tell(ports: tuple[int, int]) -> None:
    clock = VirtualClock()
    left = make(0, LEFT, clock.now, seeded(1, "left"))
    right = make(1, RIGHT, clock.now, seeded(1, "right"))
    for side, port in ((left, ports[0]), (right, ports[1])):
        side.channels.association.use_ports(port, 5_000)
    begin(left, dataclasses.replace(described(right, CERTIFICATES[1], RIGHT), sctp_port=ports[1]), Role.CLIENT, 0.0)
    begin(right, dataclasses.replace(described(left, CERTIFICATES[0], LEFT), sctp_port=ports[0]), Role.SERVER, 0.0)
    pair = Pair[Event](left, right, seed=1, clock=clock)
    left.channels.open("chat", now=clock.now)
    pair.pump()
    assert pair.drive_until(ChannelAnnounced, limit=30.0).channel.label == "chat"
    with pytest.raises(LocalProtocolError):
        left.channels.association.use_ports(5_000, 5_000)


@pytest.mark.parametrize("client", [0, 1], ids=["the controlling side is client", "the controlled side is client"])
@pytest.mark.parametrize(
    "profile", [PERFECT, WIFI, CELLULAR, SATELLITE, LOSSY], ids=["perfect", "wifi", "cellular", "satellite", "lossy"]
)
@pytest.mark.parametrize("seed", range(3))
def test_a_channel_opens_and_carries_messages_both_ways(profile: Profile, seed: int, client: int) -> None:
    pair, left, right = connect(profile=profile, seed=seed, client=client)
    channel = left.channels.open("chat", now=pair.clock.now)
    pair.pump()
    theirs = pair.drive_until(ChannelAnnounced, limit=30.0).channel
    assert (theirs.label, theirs.id) == ("chat", 0 if client == 0 else 1)
    messages = [bytes([number]) * 10_000 for number in range(30)]
    for message in messages:
        left.channels.send_binary(channel, message, pair.clock.now)
        right.channels.send_binary(theirs, message, pair.clock.now)
    pair.pump()

    def received(events: list[Event]) -> list[bytes]:
        return [event.data for event in events if isinstance(event, BinaryReceived)]

    pair.drive_while(
        lambda: min(len(received(pair.left.events)), len(received(pair.right.events))) < len(messages), 60.0
    )
    assert received(pair.left.events) == messages
    assert received(pair.right.events) == messages


def test_data_channels_may_come_with_a_later_description() -> None:
    """Media alone connects; SCTP does not begin before both sides have spoken of it, so it cannot give up either."""
    clock = VirtualClock()
    ends = [make(index, (LEFT, RIGHT)[index], clock.now, seeded(1, str(index))) for index in range(2)]
    remotes = [described(ends[1], CERTIFICATES[1], RIGHT), described(ends[0], CERTIFICATES[0], LEFT)]
    pair = Pair[Event](*ends, seed=1, clock=clock)
    for end, remote, role in zip(ends, remotes, (Role.CLIENT, Role.SERVER), strict=True):
        begin(end, dataclasses.replace(remote, has_data=False), role, clock.now)
    ends[0].channels.open("later", now=clock.now)
    pair.pump()
    pair.drive_until(Handshaked, limit=5.0)
    pair.run_for(120.0)
    assert [end.channels.association.statistics().state for end in ends] == ["closed", "closed"]
    for end, remote in zip(ends, remotes, strict=True):
        end.update(dataclasses.replace(remote, max_message_size=1_000), pair.clock.now)
        end.update(remote, pair.clock.now)
    pair.pump()
    assert pair.drive_until(ChannelAnnounced, limit=5.0).channel.label == "later"
    assert ends[0].channels.peer_max_message_size == 65_536


def test_a_connection_takes_five_round_trips() -> None:
    """One for the check, two for DTLS, two for SCTP, whose second one carries the OPEN."""
    latency = 0.05
    pair, left, _ = connect(profile=Profile(latency=latency))
    left.channels.open("chat", now=pair.clock.now)
    pair.pump()
    begun = pair.clock.now
    pair.drive_until(ChannelOpened, limit=5.0)
    assert pair.clock.now - begun < 2 * latency * 5 + 0.05


def test_channels_opened_before_the_descriptions_are_known_open_later() -> None:
    clock = VirtualClock()
    left, right = make(0, LEFT, clock.now, seeded("left")), make(1, RIGHT, clock.now, seeded("right"))
    channels = [left.channels.open(label, now=clock.now) for label in ("one", "two")]
    begin(left, described(right, CERTIFICATES[1], RIGHT), Role.SERVER, clock.now)
    begin(right, described(left, CERTIFICATES[0], LEFT), Role.CLIENT, clock.now)
    pair = Pair[Event](left, right, clock=clock)
    assert [pair.drive_until(ChannelAnnounced, 5.0).channel.label for _ in channels] == ["one", "two"]
    assert [channel.id for channel in channels] == [1, 3]


def test_a_large_message_goes_out_in_runs_of_equal_datagrams() -> None:
    pair, left, right = connect()
    channel = left.channels.open("chat", now=pair.clock.now)
    pair.pump()
    pair.drive_until(ChannelAnnounced, limit=5.0)
    pair.run_for(1.0)
    left.channels.send_binary(channel, bytes(60_000), pair.clock.now)
    transmits = drain(left).transmits
    datagrams = [datagram for transmit in transmits for datagram in transmit.datagrams()]
    assert len(transmits) <= 3 < 10 <= len(datagrams)
    assert right.receive_datagrams(datagrams, LEFT, pair.clock.now) == len(datagrams)
    pair.pump()


def test_dtls_of_a_source_that_ice_has_not_validated_is_not_looked_at() -> None:
    pair, _, right = connect(client=1)
    assert right.receive_datagram(HELLO, ("203.0.113.66", 666), pair.clock.now) is False
    assert right.dtls is None
    pair.drive_until(Handshaked, limit=5.0)
    assert right.dtls is not None
    dropped = right.dtls.dropped
    assert right.receive_datagram(HELLO, ("203.0.113.66", 666), pair.clock.now) is False
    assert right.dtls.dropped == dropped


@pytest.mark.parametrize("expected", [(2, 1), (0, 2)], ids=["of the left", "of the right"])
def test_a_certificate_that_was_not_announced_fails_the_connection(expected: tuple[int, int]) -> None:
    pair, left, _ = connect(expected=expected)
    left.channels.open("chat", now=pair.clock.now)
    pair.pump()
    failure = pair.drive_until(ConnectionFailed, limit=5.0)
    assert failure.cause in (Cause.FINGERPRINT, Cause.ALERT)
    pair.run_for(5.0)
    assert not any(isinstance(event, ChannelAnnounced) for event in pair.right.events)


@pytest.mark.parametrize("profile", [PERFECT, WIFI], ids=["perfect", "wifi"])
def test_closing_closes_the_channels_of_the_other_side_and_leaves_nothing_to_do(profile: Profile) -> None:
    pair, left, right = connect(profile=profile)
    left.channels.open("chat", now=pair.clock.now)
    pair.pump()
    pair.drive_until(ChannelAnnounced, limit=10.0)
    pair.run_for(1.0)
    left.close(pair.clock.now)
    left.close(pair.clock.now)
    pair.left.pump()
    assert left.next_timeout() is None
    assert left.agent.state is ConnectionState.CLOSED
    assert any(isinstance(event, ChannelClosed) for event in pair.left.events)
    pair.drive_while(lambda: not any(isinstance(event, Closed) for event in pair.right.events), 5.0)
    assert any(isinstance(event, ChannelClosed) for event in pair.right.events)
    assert right.channels.channels() == []
    assert left.receive_datagram(HELLO, RIGHT, pair.clock.now) is False


def in_a_restart() -> tuple[Pair[Event], Transport, Transport, Channel]:
    """Two that are connected, told each other new credentials just now, and have no new path yet."""
    pair, left, right = connect(profile=Profile(latency=0.02))
    channel = left.channels.open("chat", now=pair.clock.now)
    pair.pump()
    pair.drive_until(ChannelAnnounced, limit=5.0)
    pair.run_for(1.0)
    now = pair.clock.now
    for transport in (left, right):
        transport.agent.restart(now)
    to_left, to_right = described(right, CERTIFICATES[1], RIGHT), described(left, CERTIFICATES[0], LEFT)
    for transport, remote in ((left, to_left), (right, to_right)):
        transport.agent.gather(now)
        transport.agent.set_remote(remote.credentials, now, options=remote.ice_options)
        transport.agent.add_remote_candidates(remote.candidates, now)
    assert left.agent.is_paused
    return pair, left, right, channel


def test_what_is_sent_during_a_restart_waits_for_the_new_path_and_is_not_lost() -> None:
    pair, left, _, channel = in_a_restart()
    sent = left.statistics().traffic.packets_sent
    left.channels.send_text(channel, "after it", pair.clock.now)
    pair.pump()
    assert left.statistics().traffic.packets_sent == sent
    pair.drive_while(lambda: left.agent.is_paused, 0.2)
    assert left.statistics().traffic.packets_sent == sent + 1
    assert pair.drive_until(TextReceived, limit=0.2).text == "after it"


def test_closing_during_a_restart_tells_the_other_side() -> None:
    pair, left, right, _ = in_a_restart()
    left.close(pair.clock.now)
    pair.left.pump()
    pair.drive_while(lambda: not any(isinstance(event, Closed) for event in pair.right.events), 0.2)
    assert right.channels.channels() == []


def test_text_keeps_its_characters() -> None:
    pair, left, _ = connect()
    channel = left.channels.open("chat", now=pair.clock.now)
    pair.pump()
    pair.drive_until(ChannelAnnounced, limit=5.0)
    left.channels.send_text(channel, "schön 🐝", pair.clock.now)
    pair.pump()
    assert pair.drive_until(TextReceived, limit=5.0).text == "schön 🐝"


def test_the_role_in_ice_is_decided_before_gathering_and_the_descriptions_are_given_once() -> None:
    pair, left, right = connect()
    with pytest.raises(LocalProtocolError, match="at work"):
        left.configure(ICERole.CONTROLLED, Config())
    with pytest.raises(LocalProtocolError, match="started before"):
        left.start(described(right, CERTIFICATES[1], RIGHT), Role.CLIENT, pair.clock.now)


def test_the_laws_of_machines_hold_before_there_is_a_path() -> None:
    """Beyond that point OpenSSL draws randomness of its own: docs/dtls.md."""

    def made(now: Instant, random: Random) -> Transport:
        transport = make(0, LEFT, now, random)
        peer = make(1, RIGHT, now, seeded("peer"))
        begin(transport, described(peer, CERTIFICATES[1], RIGHT), Role.CLIENT, now)
        transport.channels.open("chat", now=now)
        return transport

    check_machine(Subject(make=made, peer=RIGHT, valid=[HELLO], seeds=range(5)))
