"""The connection as a machine: two of them on a virtual network, with and without records of our own."""

import dataclasses
from typing import Any

import pytest

from tests.conformance.check_machine import Subject, check_machine
from tests.sim.pair import LEFT, RIGHT, NeverHappened
from tests.sim.profile import CONGESTED, PRESETS, Profile
from tests.webrtc.dtls.peers import (
    CLIENT_CERTIFICATE,
    NOW,
    OPENSSL_RECORDS,
    RSA_CERTIFICATE,
    SERVER_CERTIFICATE,
    client,
    connected,
    failure,
    pair,
    payloads,
    records,
    sent,
    server,
    settle,
)
from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Transmit, drain
from zwerm.core.trace import Recorder
from zwerm.webrtc.dtls.certificate import Certificate, KeyAlgorithm
from zwerm.webrtc.dtls.connection import DTLSConnection, State
from zwerm.webrtc.dtls.event import (
    ApplicationData,
    Cause,
    Closed,
    Config,
    ConnectionFailed,
    Handshaked,
    Role,
    SRTPProfile,
)
from zwerm.webrtc.dtls.records import Run

OWN = Config()
CONFIGS = [OWN, OPENSSL_RECORDS]
KINDS = pytest.mark.parametrize("left", CONFIGS, ids=["client's own", "client's OpenSSL"])
OTHER_KINDS = pytest.mark.parametrize("right", CONFIGS, ids=["server's own", "server's OpenSSL"])


@KINDS
@OTHER_KINDS
def test_a_handshake_and_data_both_ways(left: Config, right: Config) -> None:
    both = pair(client(left), server(right))
    first = both.drive_until(Handshaked, limit=1.0)
    second = both.drive_until(Handshaked, limit=1.0)
    assert {first.fingerprint, second.fingerprint} == {
        CLIENT_CERTIFICATE.fingerprint(),
        SERVER_CERTIFICATE.fingerprint(),
    }
    assert (first.version, first.cipher, first.srtp_profile) == ("DTLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", None)
    both.right.machine.send([b"server", b"first"])  # before the client has said anything
    both.pump()
    both.run_for(0.1)
    both.left.machine.send([b"ping", b"pong"])
    both.pump()
    both.run_for(0.1)
    both.right.machine.send([b"after"])
    both.pump()
    both.run_for(0.1)
    assert payloads(both.left.events) == [b"server", b"first", b"after"]
    assert payloads(both.right.events) == [b"ping", b"pong"]
    assert both.left.machine.owns_records is (left is OWN)
    assert both.right.machine.owns_records is (right is OWN)


def test_a_server_leaves_openssl_at_the_clients_first_data_and_not_before() -> None:
    both = connected()
    server_side = both.right.machine
    server_side.send([b"one"])
    assert not server_side.owns_records
    both.left.machine.send([b"two"])
    both.pump()
    both.run_for(0.1)
    assert server_side.owns_records
    server_side.send([b"three"])
    both.pump()
    both.run_for(0.1)
    assert payloads(both.left.events) == [b"one", b"three"]


@pytest.mark.parametrize("loss", [0.0, 0.2, 0.4], ids=lambda loss: f"{loss:.0%} lost")
@pytest.mark.parametrize("seed", range(12))
def test_the_handshake_always_ends(loss: float, seed: int) -> None:
    profile = Profile(latency=0.02, jitter=0.01, loss=loss, duplicate=0.1, reorder=0.2, reorder_delay=0.05)
    configs = CONFIGS[seed % 2], CONFIGS[seed // 2 % 2]
    both = pair(client(configs[0]), server(configs[1]), profile=profile, seed=f"{loss}/{seed}")
    settle(both)
    assert both.left.machine.state is both.right.machine.state is State.CONNECTED
    both.path.up.profile = both.path.down.profile = Profile(latency=0.02)
    both.left.machine.send([b"to the server"])
    both.right.machine.send([b"to the client"])
    both.pump()
    both.run_for(1.0)
    assert payloads(both.left.events) == [b"to the client"]
    assert payloads(both.right.events) == [b"to the server"]


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_it_ends_on_every_path_that_people_have(preset: str) -> None:
    both = pair(profile=PRESETS[preset], seed=preset)
    settle(both)
    assert both.left.machine.state is both.right.machine.state is State.CONNECTED


@pytest.mark.parametrize("mtu", [256, 600], ids=lambda mtu: f"mtu {mtu}")
def test_it_ends_with_small_datagrams_and_large_certificates(mtu: int) -> None:
    config = Config(mtu=mtu)
    left = client(config, RSA_CERTIFICATE, certificate=RSA_CERTIFICATE)
    right = server(config, RSA_CERTIFICATE, certificate=RSA_CERTIFICATE)
    both = pair(left, right, dataclasses.replace(CONGESTED, mtu=mtu + 28))
    settle(both)
    assert left.state is right.state is State.CONNECTED
    assert left.max_payload == mtu - 37


def test_a_path_that_carries_nothing_fails_in_time() -> None:
    both = pair(profile=Profile(loss=1.0))
    both.drive_while(lambda: both.left.machine.state is State.CONNECTING, 31.0)
    assert both.clock.now == 30.0
    assert failure(both.left.events).cause is Cause.TIMEOUT


def test_who_waits_for_the_peer_does_not_fail_before_its_first_record() -> None:
    config = Config(waits_for_peer=True)
    both = pair(client(config), server(config), profile=Profile(loss=1.0))
    both.clock.run_for(600.0)
    assert both.left.machine.state is State.CONNECTING
    assert both.left.events == []
    both.path.up.profile = both.path.down.profile = Profile()
    settle(both)
    assert both.left.machine.state is both.right.machine.state is State.CONNECTED


def test_one_lost_datagram_costs_one_interval() -> None:
    machine = client()
    lost = sent(machine)
    assert machine.next_timeout() == pytest.approx(0.1)
    machine.handle_timeout(0.1)
    again = sent(machine)
    assert len(again) == len(lost)


def test_a_long_sleep_is_followed_by_one_flight_not_by_many() -> None:
    trace = Recorder()
    machine = client(trace=trace.source("client"))
    sent(machine)
    machine.handle_timeout(20.0)
    assert len(sent(machine)) == 1
    assert len(trace.named("flight sent again")) == 1


def test_fingerprints_may_come_after_the_handshake() -> None:
    both = pair(client(expects=None))
    both.run_for(1.0)
    assert both.left.machine.state is State.VERIFYING
    both.right.machine.send([b"early"])
    both.pump()
    both.run_for(1.0)
    assert both.left.events == []
    with pytest.raises(LocalProtocolError, match="fingerprint is not known"):
        both.left.machine.send([b"x"])
    both.left.machine.set_fingerprints([SERVER_CERTIFICATE.fingerprint()], both.clock.now)
    both.pump()
    assert isinstance(both.left.events[0], Handshaked)
    assert payloads(both.left.events) == [b"early"]


def test_fingerprints_may_come_in_the_middle_of_the_handshake_and_once() -> None:
    machine = client(expects=None)
    machine.set_fingerprints([SERVER_CERTIFICATE.fingerprint()], 0.0)
    settle(pair(machine))
    assert machine.state is State.CONNECTED
    with pytest.raises(LocalProtocolError):
        machine.set_fingerprints([], 0.0)


def test_srtp_keys_are_the_same_on_both_sides() -> None:
    config = Config(srtp_profiles=(SRTPProfile.AEAD_AES_128_GCM, SRTPProfile.AES128_CM_SHA1_80))
    left, right = client(config), server(config)
    both = pair(left, right)
    assert both.drive_until(Handshaked, limit=1.0).srtp_profile is SRTPProfile.AEAD_AES_128_GCM
    settle(both)
    exported = left.export_keying_material(b"EXTRACTOR-dtls_srtp", 56)
    assert len(exported) == 56
    assert exported == right.export_keying_material(b"EXTRACTOR-dtls_srtp", 56)


def test_nothing_is_exported_before_the_peer_is_verified() -> None:
    both = pair(client(expects=None))
    both.run_for(1.0)
    with pytest.raises(LocalProtocolError):
        both.left.machine.export_keying_material(b"EXTRACTOR-dtls_srtp", 56)


@KINDS
@OTHER_KINDS
def test_close_notify_closes_both_sides(left: Config, right: Config) -> None:
    both = connected(client(left), server(right))
    both.left.machine.send([b"last words"])
    both.left.machine.close()
    both.left.machine.close()
    both.pump()
    both.run_for(0.1)
    assert both.right.events == [ApplicationData((b"last words",)), Closed()]
    assert both.right.machine.state is both.left.machine.state is State.CLOSED
    assert both.left.events == []
    with pytest.raises(LocalProtocolError, match="close_notify"):
        both.left.machine.send([b"x"])


@KINDS
@OTHER_KINDS
def test_a_server_may_close_before_the_client_has_said_anything(left: Config, right: Config) -> None:
    both = connected(client(left), server(right))
    both.right.machine.close()
    both.pump()
    both.run_for(0.1)
    assert both.left.events == [Closed()]


def test_data_after_close_notify_is_not_given_out_in_a_batch_or_alone() -> None:
    both = connected()
    left, right = both.left.machine, both.right.machine
    left.send([b"before"])
    sealer = left._sealer
    left.close()
    datagrams = [*sent(left), sealer.seal_batch([b"after"])[0].data]
    assert right.receive_datagrams(datagrams, LEFT, 1.0) == 3
    assert drain(right).events == [ApplicationData((b"before",)), Closed()]


def test_a_connection_closed_in_its_handshake_says_nothing_and_waits_for_nothing() -> None:
    machine = client()
    machine.close()
    assert machine.next_timeout() is None
    assert machine.state is State.CLOSED
    assert machine.receive_datagram(b"\x16" + bytes(30), RIGHT, 0.0)


def test_a_batch_is_sent_in_few_transmits() -> None:
    both = connected()
    both.left.machine.send([bytes(1_163)] * 100)
    transmits = drain(both.left.machine).transmits
    assert [len(list(transmit.datagrams())) for transmit in transmits] == [54, 46]
    assert {transmit.segment_size for transmit in transmits} == {1_200}
    assert {transmit.destination for transmit in transmits} == {RIGHT}


@KINDS
def test_a_caller_may_seal_and_take_payloads_without_transmits_and_events(left: Config) -> None:
    both = connected(client(left))
    runs = both.left.machine.seal([b"one", b"two"])
    assert sent(both.left.machine) == []
    both.right.machine.receive_datagrams([piece for run in runs for piece in pieces(run)], LEFT, 1.0)
    assert both.right.machine.take_payloads() == [b"one", b"two"]
    assert both.right.machine.take_payloads() == []
    both.left.machine.send([b"last"])
    both.left.machine.close()
    both.right.machine.receive_datagrams(sent(both.left.machine), LEFT, 1.0)
    assert both.right.machine.take_payloads() == []  # what came before the end is told with it, in order
    assert drain(both.right.machine).events == [ApplicationData((b"last",)), Closed()]


def pieces(run: Run) -> list[bytes]:
    return list(Transmit(run.data, RIGHT, run.segment_size).datagrams())


@KINDS
def test_payloads_up_to_the_mtu_are_taken(left: Config) -> None:
    both = connected(client(left))
    machine = both.left.machine
    assert machine.max_payload == 1_163
    machine.send([bytes(1_163)])
    assert [len(datagram) for datagram in sent(machine)] == [1_200]
    with pytest.raises(LocalProtocolError, match="1164 bytes"):
        machine.send([b"x", bytes(1_164)])
    with pytest.raises(LocalProtocolError, match="0 bytes"):
        machine.send([b"x", b""])
    assert sent(machine) == []


def test_who_never_drains_is_told() -> None:
    both = connected(client(Config(max_waiting_transmits=3)))
    for _ in range(3):
        both.left.machine.send([b"x"])
    with pytest.raises(LocalProtocolError, match="drained"):
        both.left.machine.send([b"x"])


def test_payloads_that_nobody_takes_are_lost_above_a_limit() -> None:
    both = connected(right=server(Config(max_waiting_payloads=5)))
    both.left.machine.send([b"%d" % number for number in range(9)])
    datagrams = sent(both.left.machine)
    assert both.right.machine.receive_datagrams(datagrams, LEFT, 1.0) == 9
    assert drain(both.right.machine).events == [ApplicationData((b"0", b"1", b"2", b"3", b"4"))]
    assert both.right.machine.dropped == 4


def test_sending_before_the_handshake_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="handshake goes on"):
        client().send([b"x"])
    assert client().max_payload == 0


def test_an_mtu_without_room_for_a_handshake_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        client(Config(mtu=255))


def test_transmits_go_where_ice_says_now() -> None:
    both = connected()
    other = ("203.0.113.9", 9)
    both.left.machine.destination = other
    both.left.machine.send([b"x"])
    assert drain(both.left.machine).transmits[0].destination == other


def test_only_what_looks_like_dtls_is_taken() -> None:
    machine = client()
    sent(machine)
    for first in (0, 1, 19, 64, 128, 255):
        assert not machine.receive_datagram(bytes([first]) + bytes(20), RIGHT, 0.0)
    assert not machine.receive_datagram(b"", RIGHT, 0.0)
    assert machine.receive_datagrams([b"\x14", b"\x3f", b"\x40"], RIGHT, 0.0) == 2


def test_openssl_is_gone_once_we_own_the_records() -> None:
    both = connected()
    assert both.left.machine._handshake is None
    assert both.right.machine._handshake is not None


@pytest.mark.parametrize("algorithm", KeyAlgorithm, ids=lambda algorithm: algorithm.name)
def test_the_peers_certificate_is_shown(algorithm: KeyAlgorithm) -> None:
    certificate = Certificate.generate(algorithm, now=NOW)
    both = connected(client(expects=certificate), server(certificate=certificate))
    assert both.left.machine.peer_certificate == certificate.der


class Shaped:
    """A connection whose transmits show their shape only: OpenSSL's own randomness is in everything else."""

    def __init__(self, machine: DTLSConnection) -> None:
        self._machine = machine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._machine, name)

    def next_transmit(self) -> Transmit | None:
        transmit = self._machine.next_transmit()
        if transmit is None:
            return None
        shape = [(record.content_type, record.epoch, record.sequence) for record in records([transmit.data])]
        return transmit._replace(data=repr(shape).encode())


def subject(role: Role, valid: list[bytes], **options: Any) -> Subject[Any]:
    make = client if role is Role.CLIENT else server
    return Subject(
        make=lambda now, random: Shaped(make(now=now)),
        peer=RIGHT if role is Role.CLIENT else LEFT,
        valid=valid,
        commands=[lambda machine: machine.send([b"x"]), lambda machine: machine.close()],
        **options,
    )


@pytest.mark.slow
@pytest.mark.parametrize("role", Role, ids=lambda role: role.name)
def test_it_obeys_the_laws_of_machines(role: Role) -> None:
    """Law 2 holds but for OpenSSL's randomness: the same records of the same kind at the same time, other bytes."""
    left, right = client(), server()
    hello = sent(left)
    for datagram in hello:
        right.receive_datagram(datagram, LEFT, 0.0)
    valid = sent(right) if role is Role.CLIENT else hello
    check_machine(subject(role, valid, seeds=range(8), flood=1_500))


def test_waiting_for_ever_is_not_what_it_does() -> None:
    both = pair(server(expects=None), server())
    with pytest.raises(NeverHappened):
        both.drive_until(Handshaked, limit=100.0)
    assert isinstance(both.right.events[-1], ConnectionFailed)
