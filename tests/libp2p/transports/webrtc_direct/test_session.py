"""A connection of webrtc-direct on virtual paths: identity, streams, back pressure, hostile peers."""

from __future__ import annotations

import pytest

from tests.conformance.check_machine import PEER as MACHINE_PEER
from tests.conformance.check_machine import Subject, check_machine
from tests.libp2p.transports.webrtc_direct.sides import CERTIFICATES, PEERS, Sides, proving
from tests.libp2p.transports.webrtc_direct.test_admission import HELLO, request
from tests.sim.profile import CELLULAR, PERFECT, SATELLITE, WIFI, Profile
from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.libp2p.transports.webrtc_direct.address import Target
from zwerm.libp2p.transports.webrtc_direct.assembly import dialing_session
from zwerm.libp2p.transports.webrtc_direct.config import Config
from zwerm.libp2p.transports.webrtc_direct.events import SessionEnded
from zwerm.libp2p.transports.webrtc_direct.message import Flag, flag_message
from zwerm.libp2p.transports.webrtc_direct.session import Session, State
from zwerm.libp2p.transports.webrtc_direct.stream_state import ReadState, StreamState, WriteState


@pytest.fixture
def sides() -> Sides:
    sides = Sides()
    sides.connect()
    return sides


@pytest.mark.parametrize(
    "profile",
    [PERFECT, WIFI, CELLULAR, SATELLITE, Profile(latency=0.02, loss=0.1)],
    ids=["perfect", "wifi", "cellular", "satellite", "lossy"],
)
@pytest.mark.parametrize("seed", range(3))
def test_both_learn_who_the_other_is_and_streams_carry_bytes_both_ways(profile: Profile, seed: int) -> None:
    sides = Sides(profile=profile, seed=seed)
    sides.connect()
    assert (sides.dialer.peer, sides.listener.peer) == (PEERS[1], PEERS[0])
    near, far = sides.open(b"x" * 50_000)
    assert sides.read(sides.listener, far, 50_000) == b"x" * 50_000
    sides.write(sides.listener, far, b"y" * 50_000)
    assert sides.read(sides.dialer, near, 50_000) == b"y" * 50_000


def test_the_expected_peer_is_taken() -> None:
    sides = Sides(expected=PEERS[1])
    sides.connect()


def test_another_peer_than_expected_is_refused() -> None:
    sides = Sides(expected=PEERS[2])
    ended = sides.pair.drive_until(SessionEnded, limit=30.0)
    assert sides.dialer.is_peer_wrong
    assert f"expected {PEERS[2]}" in ended.reason
    assert sides.dialer.peer is None


def test_another_certificate_than_the_address_names_is_refused_by_dtls() -> None:
    sides = Sides(certificate=2)
    sides.pair.drive_while(lambda: sides.dialer.state is not State.CLOSED, 30.0)
    assert sides.dialer.is_peer_wrong
    assert sides.dialer.reason.startswith("DTLS: the certificate is sha-256")


def test_somebody_between_who_changes_certificates_is_found_out_by_noise() -> None:
    sides = Sides(spoil=b"another fingerprint")
    sides.pair.drive_while(lambda: sides.dialer.state is not State.CLOSED, 30.0)
    assert sides.dialer.reason.startswith("noise: ")
    assert (sides.dialer.peer, sides.listener.peer) == (None, None)


def test_a_listener_that_never_answers_is_given_up() -> None:
    random_sides = Sides(profile=Profile(latency=0.01, loss=1.0), config=Config(handshake_timeout=5.0))
    ended = random_sides.pair.drive_until(SessionEnded, limit=10.0)
    assert ended.reason == "no proved identity within 5 s: ICE, DTLS and SCTP come up"
    assert not random_sides.dialer.is_peer_wrong


def test_nothing_is_opened_before_the_peer_is_known() -> None:
    sides = Sides()
    with pytest.raises(LocalProtocolError, match="connecting"):
        sides.dialer.open_stream(sides.clock.now)


def close_both(sides: Sides, near: StreamState, far: StreamState) -> None:
    sides.dialer.finish(near, sides.clock.now)
    sides.listener.finish(far, sides.clock.now)
    sides.pair.pump()
    sides.pair.drive_while(lambda: bool(sides.dialer.streams or sides.listener.streams), 10.0)


def test_a_stream_that_both_have_finished_gives_its_number_back(sides: Sides) -> None:
    for _ in range(20):
        near, far = sides.open()
        assert near.channel.id == 0 or near.channel.id == 2
        close_both(sides, near, far)
        assert (near.write, far.write) == (WriteState.FINISHED, WriteState.FINISHED)
        assert sides.read(sides.listener, far, 5) == b"first"


def test_one_direction_closes_and_the_other_goes_on(sides: Sides) -> None:
    near, far = sides.open(b"question")
    sides.dialer.finish(near, sides.clock.now)
    sides.pair.pump()
    sides.pair.drive_while(lambda: far.read is ReadState.OPEN, 10.0)
    assert sides.read(sides.listener, far, 8) == b"question"
    sides.write(sides.listener, far, b"a long answer" * 1_000)
    assert sides.read(sides.dialer, near, 13_000) == b"a long answer" * 1_000
    with pytest.raises(LocalProtocolError, match="all that we sent was received"):
        sides.dialer.write(near, b"more", sides.clock.now)


def test_a_released_stream_ends_for_the_other_side_too(sides: Sides) -> None:
    near, far = sides.open()
    sides.dialer.release(near, sides.clock.now)
    sides.pair.pump()
    sides.pair.drive_while(lambda: far.write is WriteState.OPEN, 10.0)
    assert (far.read, far.write) == (ReadState.FINISHED, WriteState.STOPPED)
    sides.pair.drive_while(lambda: bool(sides.dialer.streams or sides.listener.streams), 10.0)


def test_a_reset_ends_both_directions_of_the_other_side(sides: Sides) -> None:
    near, far = sides.open()
    sides.listener.reset(far, sides.clock.now)
    sides.pair.pump()
    sides.pair.drive_while(lambda: near.read is ReadState.OPEN, 10.0)
    assert (near.read, near.write) == (ReadState.RESET, WriteState.STOPPED)


def alone(session: Session, now: float, until: float) -> float:
    """Let time pass for one side whose datagrams get lost; return when it was last busy."""
    while (due := session.next_timeout()) is not None and due <= until:
        now = max(now, due)
        session.handle_timeout(now)
        while session.next_transmit() is not None or session.next_event() is not None:
            pass
    return now


def test_a_fin_that_nobody_acknowledges_is_waited_for_so_long() -> None:
    sides = Sides(config=Config(finish_timeout=7.0))
    sides.connect()
    near, _ = sides.open()
    began = sides.clock.now
    sides.dialer.release(near, began)
    alone(sides.dialer, began, began + 6.5)
    assert near.write is WriteState.FINISHING
    alone(sides.dialer, began + 6.5, began + 7.5)
    assert near.write is WriteState.RESET


def test_what_is_no_message_resets_its_stream_and_no_other(sides: Sides) -> None:
    near, far = sides.open()
    other, _ = sides.open()
    sides.dialer.transport.channels.send_binary(near.channel, b"\xff\xff\xff\xff", sides.clock.now)
    sides.pair.pump()
    sides.pair.drive_while(lambda: near.read is ReadState.OPEN, 10.0)
    assert far.write is WriteState.RESET
    assert other.write is WriteState.OPEN


def test_text_on_a_stream_resets_it(sides: Sides) -> None:
    near, _ = sides.open()
    sides.dialer.transport.channels.send_text(near.channel, "hello", sides.clock.now)
    sides.pair.pump()
    sides.pair.drive_while(lambda: near.read is ReadState.OPEN, 10.0)


def test_the_peer_opens_so_many_streams_and_no_more() -> None:
    sides = Sides(config=Config(max_streams=5))
    sides.connect()
    for _ in range(5):
        sides.open()
    with pytest.raises(ResourceLimitError, match="5 streams"):
        sides.dialer.open_stream(sides.clock.now)
    refused = sides.dialer.transport.channels.open("", now=sides.clock.now)  # it does not keep to what it knows
    sides.pair.pump()
    sides.pair.drive_while(lambda: refused in sides.dialer.transport.channels.channels(), 10.0)
    assert len(sides.listener.streams) == 5


def test_what_nobody_reads_stops_the_sender_and_stays_within_the_window() -> None:
    config = Config(receive_window=200_000, high_water=100_000, low_water=50_000)
    sides = Sides(config=config)
    sides.connect()
    near, far = sides.open()
    sent = 0
    for _ in range(200):
        sent += sides.dialer.write(near, bytes(100_000), sides.clock.now)
        sides.pair.pump()
        sides.pair.run_for(0.05)
    assert far.unread_size < config.receive_window + 50_000
    assert sent < 2 * config.receive_window + config.high_water
    assert sides.read(sides.listener, far, sent + 5)[5:] == bytes(sent)


def test_a_stream_that_nobody_reads_is_reset_in_the_end_so_that_others_go_on() -> None:
    config = Config(receive_window=100_000, stall_timeout=20.0)
    sides = Sides(config=config)
    sides.connect()
    near, far = sides.open()
    other, answer = sides.open()
    assert sides.read(sides.listener, answer, 5) == b"first"
    for _ in range(40):
        sides.dialer.write(near, bytes(100_000), sides.clock.now)
        sides.pair.pump()
        sides.pair.run_for(0.05)
    sides.dialer.write(other, b"urgent", sides.clock.now)
    sides.pair.pump()
    sides.pair.run_for(10.0)
    assert far.read is ReadState.OPEN
    assert sides.read(sides.listener, answer, 6) == b"urgent"
    assert (far.read, near.write) == (ReadState.STOPPED, WriteState.STOPPED)


def test_a_full_send_buffer_holds_writers_and_lets_them_on() -> None:
    config = Config(send_buffer=120_000, high_water=100_000, low_water=20_000)
    sides = Sides(config=config, profile=WIFI)
    sides.connect()
    streams = [sides.open() for _ in range(4)]
    for near, _ in streams:
        sides.write(sides.dialer, near, bytes(80_000))
    for _, far in streams:
        assert len(sides.read(sides.listener, far, 80_005)) == 80_005


def test_closing_tells_the_other_side_at_once(sides: Sides) -> None:
    _, far = sides.open()
    sides.dialer.close(sides.clock.now)
    sides.pair.pump()
    sides.pair.drive_while(lambda: sides.listener.state is not State.CLOSED, 1.0)
    assert far.read is ReadState.RESET
    assert "closed" in sides.listener.reason
    with pytest.raises(LocalProtocolError, match="closed"):
        sides.dialer.open_stream(sides.clock.now)


def test_a_dialer_that_is_gone_is_missed_after_half_a_minute(sides: Sides) -> None:
    began = sides.clock.now
    ended = alone(sides.listener, began, began + 120.0)
    assert sides.listener.state is State.CLOSED
    assert ended - began < 60.0


def test_a_request_is_answered_once_though_the_connection_is_made_later() -> None:
    listening = Sides().listening
    answers = []
    listening.receive_datagram(request(), ("192.0.2.7", 7_000), 0.0)
    while (transmit := listening.next_transmit()) is not None:
        answers.append(transmit)
    listening.receive_datagram(HELLO, ("192.0.2.7", 7_000), 0.1)
    assert listening.session is not None
    assert listening.next_transmit() is None
    assert len(answers) == 1


def test_it_keeps_the_laws_of_machines() -> None:
    target = Target(MACHINE_PEER, (CERTIFICATES[1].fingerprint(),))
    check_machine(
        Subject(
            make=lambda now, random: dialing_session(
                target, ("192.0.2.9", 9), CERTIFICATES[0], proving(0, random), random=random, now=now
            ),
            valid=(flag_message(Flag.FIN), b"\x16\xfe\xff" + bytes(60)),
            commands=(lambda session: session.close(0.0),),
            seeds=range(5),
        )
    )
