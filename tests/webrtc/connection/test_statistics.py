"""What a transport counts: what one side sent the other received, whatever happens on the way."""

from __future__ import annotations

import pytest

from tests.sim.profile import PERFECT, Profile
from tests.webrtc.connection.test_transport import connect
from zwerm.webrtc.connection.statistics import Traffic
from zwerm.webrtc.connection.transport import Transport
from zwerm.webrtc.datachannel.channel import BinaryReceived, ChannelAnnounced, ChannelClosed, TextReceived
from zwerm.webrtc.dtls.event import Role, SRTPProfile
from zwerm.webrtc.dtls.statistics import IANA_NAMES
from zwerm.webrtc.dtls.suite import SUITES

LOSSY = Profile(latency=0.02, jitter=0.01, loss=0.1)


def test_both_sides_count_the_same_messages() -> None:
    pair, left, right = connect(profile=LOSSY)
    ours = left.channels.open("chat", now=pair.clock.now)
    pair.pump()
    theirs = pair.drive_until(ChannelAnnounced, limit=30.0).channel
    for size in (0, 1, 5_000):
        left.channels.send_binary(ours, bytes(size), pair.clock.now)
    left.channels.send_text(ours, "schön", pair.clock.now)
    right.channels.send_text(theirs, "", pair.clock.now)
    pair.pump()
    pair.drive_until(TextReceived, limit=30.0)
    pair.run_for(5.0)
    (here,), (there,) = left.statistics().channels.channels, right.statistics().channels.channels
    assert (here.messages_sent, here.bytes_sent) == (there.messages_received, there.bytes_received) == (4, 5_007)
    assert (there.messages_sent, there.bytes_sent) == (here.messages_received, here.bytes_received) == (1, 0)
    assert len([event for event in pair.right.events if isinstance(event, BinaryReceived)]) == 3


def test_datagrams_that_are_not_lost_are_counted_on_both_sides() -> None:
    pair, left, right = connect(profile=PERFECT)
    channel = left.channels.open("chat", now=pair.clock.now)
    pair.pump()
    pair.drive_until(ChannelAnnounced, limit=30.0)
    for _ in range(2):
        left.channels.send_binary(channel, bytes(50_000), pair.clock.now)
    pair.pump()
    pair.drive_while(lambda: right.statistics().channels.channels[0].messages_received < 2, 30.0)
    pair.run_for(0.5)
    here, there = left.statistics(), right.statistics()
    assert here.traffic == Traffic(
        there.traffic.packets_received,
        there.traffic.bytes_received,
        there.traffic.packets_sent,
        there.traffic.bytes_sent,
    )
    assert here.traffic.bytes_sent > 100_000
    (pair_here,) = [one for one in here.ice.pairs if one.is_selected]
    assert pair_here.counters.bytes_sent == here.traffic.bytes_sent
    assert pair_here.counters.packets_received == here.traffic.packets_received


def test_what_the_handshake_agreed_on_is_told() -> None:
    pair, left, right = connect()
    assert left.statistics().dtls is None
    pair.run_for(1.0)
    here, there = left.statistics().dtls, right.statistics().dtls
    assert here is not None
    assert there is not None
    assert (here.role, there.role) == (Role.CLIENT, Role.SERVER)
    assert here.hex_version == there.hex_version == "FEFD"
    assert here.iana_cipher == there.iana_cipher == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    assert here.srtp_profile is there.srtp_profile is SRTPProfile.AEAD_AES_256_GCM
    assert (here.forged, here.replayed, here.dropped) == (0, 0, 0)


def test_every_suite_that_is_offered_has_its_registered_name() -> None:
    assert IANA_NAMES.keys() == SUITES.keys()


def test_records_that_come_twice_or_are_forged_are_counted_and_still_so_after_the_end() -> None:
    pair, left, right = connect()
    channel = left.channels.open("chat", now=pair.clock.now)
    pair.pump()
    pair.drive_until(ChannelAnnounced, limit=30.0)
    pair.run_for(1.0)
    left.channels.send_text(channel, "once", pair.clock.now)
    transmit = left.next_transmit()
    assert transmit is not None
    source = (left.agent.selected_pair or pytest.fail("no path")).local_address
    for data in (transmit.data, transmit.data, transmit.data[:-1] + bytes([transmit.data[-1] ^ 1])):
        right.receive_datagram(data[:11] + data[11:], source, pair.clock.now)
    forged = transmit.data[:10] + bytes([transmit.data[10] + 1]) + transmit.data[11:]  # another sequence number
    right.receive_datagram(forged, source, pair.clock.now)
    for _ in range(2):
        statistics = right.statistics().dtls
        assert statistics is not None
        assert (statistics.replayed, statistics.forged) == (2, 1)
        right.close(pair.clock.now)


def test_channels_that_were_open_count_once_when_they_are_so_no_more() -> None:
    pair, left, right = connect()

    def counted(transport: Transport) -> tuple[int, int]:
        statistics = transport.statistics().channels
        return statistics.opened, statistics.closed

    never = left.channels.open("never", now=pair.clock.now)
    left.channels.close(never, pair.clock.now)
    first, second = (left.channels.open(label, now=pair.clock.now) for label in ("first", "second"))
    assert counted(left) == (0, 0)
    pair.pump()
    pair.drive_while(lambda: counted(right) != (2, 0), 30.0)
    assert counted(left) == (2, 0)
    left.channels.close(first, pair.clock.now)
    left.channels.close(first, pair.clock.now)
    pair.pump()
    assert counted(left) == (2, 1)
    pair.drive_while(lambda: not any(isinstance(one, ChannelClosed) for one in pair.right.events), 30.0)
    assert counted(right) == (2, 1)
    assert [one.channel for one in left.statistics().channels.channels] == [second]
    left.close(pair.clock.now)
    assert counted(left) == (2, 2)


def test_the_association_tells_what_it_knows_of_the_path() -> None:
    pair, left, _ = connect(profile=Profile(latency=0.05))
    channel = left.channels.open("chat", now=pair.clock.now)
    before = left.statistics().channels.association
    assert (before.state, before.smoothed_round_trip_time) == ("closed", None)
    pair.pump()
    pair.drive_until(ChannelAnnounced, limit=30.0)
    for _ in range(5):
        left.channels.send_binary(channel, bytes(40_000), pair.clock.now)
    pair.pump()
    under_way = left.statistics().channels.association
    assert 0 < under_way.bytes_in_flight <= under_way.congestion_window + under_way.packet_size
    assert under_way.bytes_buffered > 0
    pair.run_for(5.0)
    after = left.statistics().channels.association
    assert after.smoothed_round_trip_time == pytest.approx(0.1, abs=0.03)
    assert (after.state, after.bytes_in_flight, after.bytes_buffered) == ("established", 0, 0)
    assert after.receiver_window > 16_000_000
