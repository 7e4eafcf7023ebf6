"""Pings: when the peer is asked, when it counts as gone, and what its round trip is."""

import pytest

from tests.libp2p.yamux.two import Two, data, events, frame, server, syn
from zwerm.libp2p.yamux.config import Config
from zwerm.libp2p.yamux.event import SessionEnded
from zwerm.libp2p.yamux.frame import Flag, FrameType, Reason
from zwerm.libp2p.yamux.session import Session

CONFIG = Config()


def ping(token: int) -> bytes:
    return frame(FrameType.PING, Flag.SYN, 0, token)


def pong(token: int) -> bytes:
    return frame(FrameType.PING, Flag.ACK, 0, token)


def test_a_silent_peer_is_asked_and_then_given_up() -> None:
    session = server()
    assert session.next_timeout() == CONFIG.keep_alive
    session.handle_timeout(60.0)
    assert session.data_to_send() == ping(1)
    assert session.next_timeout() == 120.0
    session.handle_timeout(120.0)
    assert events(session) == [SessionEnded("the peer has been silent for 120 s")]
    assert session.data_to_send() == frame(FrameType.GO_AWAY, 0, 0, Reason.INTERNAL_ERROR)
    assert session.next_timeout() is None


def test_an_answer_keeps_the_session_until_the_next_silence() -> None:
    session = server()
    session.handle_timeout(60.0)
    session.data_to_send()
    session.receive_data(pong(1), 60.5)
    assert session.rtt == pytest.approx(0.5)
    assert events(session) == []
    session.handle_timeout(120.0)
    assert session.data_to_send() == b""
    session.handle_timeout(120.5)
    assert session.data_to_send() == ping(2)


def test_any_byte_is_an_answer() -> None:
    session = server()
    session.handle_timeout(60.0)
    session.data_to_send()
    session.receive_data(syn(1), 70.0)
    session.data_to_send()
    events(session)
    session.handle_timeout(120.0)
    assert events(session) == []
    assert not session.is_over


def test_of_two_idle_sides_one_asks() -> None:
    two = Two()
    asked = 0
    for _ in range(20):
        two.now = min(filter(None, (two.client.next_timeout(), two.server.next_timeout())))
        for session, other in ((two.client, two.server), (two.server, two.client)):
            session.handle_timeout(two.now)
            said = session.data_to_send()
            asked += said == ping(int.from_bytes(said[8:12], "big")) if said else 0
            other.receive_data(said, two.now)
            two.settle()
    assert two.now >= 10 * CONFIG.keep_alive
    assert asked * CONFIG.keep_alive <= two.now + CONFIG.keep_alive


def test_an_answer_nobody_asked_for_means_nothing() -> None:
    session = server()
    session.receive_data(pong(0) + pong(1), 1.0)
    assert session.rtt is None
    session.handle_timeout(61.0)
    session.receive_data(pong(77), 62.0)
    assert session.rtt is None
    session.receive_data(pong(1), 63.0)
    assert session.rtt == pytest.approx(2.0)


def test_pings_are_answered_with_their_value() -> None:
    session = server()
    session.receive_data(ping(0xDEAD_BEEF), 0.0)
    assert session.data_to_send() == pong(0xDEAD_BEEF)


def test_a_small_stream_asks_for_no_round_trip() -> None:
    session = server()
    session.receive_data(syn(1) + data(1, bytes(60_000)), 0.0)
    assert ping(1) not in session.data_to_send()


def busy(session: Session, now: float) -> bytes:
    session.receive_data(data(1, bytes(65_536)), now)
    session.read(1, 1 << 20, now)
    return session.data_to_send()


def test_a_busy_stream_asks_for_the_round_trip_now_and_then() -> None:
    session = server()
    session.receive_data(syn(1), 0.0)
    assert ping(1) in busy(session, 1.0)
    assert ping(2) not in busy(session, 1.0)
    session.receive_data(pong(1), 1.1)
    assert session.rtt == pytest.approx(0.1)
    said = b"".join(busy(session, 1.1 + turn) for turn in range(29))
    assert ping(2) not in said
    assert ping(2) in busy(session, 31.2) + busy(session, 31.3)
    session.receive_data(pong(2), 31.6)
    assert 0.1 < (session.rtt or 0.0) < 0.3  # smoothed


def test_a_link_that_pauses_while_the_round_trip_is_measured_ends_nothing() -> None:
    session = server()
    session.receive_data(syn(1), 0.0)
    assert ping(1) in busy(session, 10.0)
    session.handle_timeout(10.0 + CONFIG.ping_timeout)
    session.handle_timeout(100.0)
    assert events(session)[-1:] != [SessionEnded("the peer has been silent for 90 s")]
    assert not session.is_over
    session.receive_data(pong(1), 110.0)
    assert session.rtt == pytest.approx(100.0)
    session.handle_timeout(10.0 + CONFIG.keep_alive + CONFIG.ping_timeout)
    assert not session.is_over


def test_a_peer_that_vanishes_while_the_round_trip_is_measured_is_missed_as_any_other() -> None:
    session = server()
    session.receive_data(syn(1), 0.0)
    busy(session, 10.0)
    while not session.is_over:
        deadline = session.next_timeout()
        assert deadline is not None
        session.handle_timeout(deadline)
    assert events(session)[-1] == SessionEnded("the peer has been silent for 120 s")
