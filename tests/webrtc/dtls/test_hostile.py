"""Peers and strangers that mean harm: each test fails without the defence it is about."""

import pytest

from tests.sim.pair import LEFT, RIGHT
from tests.webrtc.dtls.peers import (
    CLIENT_CERTIFICATE,
    OPENSSL_RECORDS,
    SERVER_CERTIFICATE,
    STRANGER_CERTIFICATE,
    BareOpenSSL,
    client,
    connected,
    failure,
    pair,
    payloads,
    records,
    sent,
    sent_keeping_events,
    server,
    settle,
    shake_hands,
)
from zwerm.core.machine import drain
from zwerm.webrtc.dtls.alert import AlertDescription
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.dtls.connection import State
from zwerm.webrtc.dtls.event import ApplicationData, Cause, Config, ConnectionFailed, Handshaked, Role
from zwerm.webrtc.dtls.fingerprint import Fingerprint, HashFunction
from zwerm.webrtc.dtls.record import DTLS_1_0, DTLS_1_2, ContentType, Record
from zwerm.webrtc.dtls.records import EPOCH

STRANGER = ("203.0.113.66", 666)
NO_EXTENDED_MASTER_SECRET = 1  # OpenSSL's SSL_OP_NO_EXTENDED_MASTER_SECRET
CONFIGS = pytest.mark.parametrize("config", [Config(), OPENSSL_RECORDS], ids=["own records", "OpenSSL's records"])


def hello() -> bytes:
    (datagram,) = sent(client())
    return datagram


def bomb(message_sequence: int, size: int = 0xFFFFFF) -> bytes:
    """A fragment of one byte that claims to belong to a message of `size` bytes."""
    message = b"\x0b" + size.to_bytes(3, "big") + message_sequence.to_bytes(2, "big") + bytes(5) + b"\1x"
    return Record(ContentType.HANDSHAKE, DTLS_1_2, 0, message_sequence, message).serialize()


def test_a_source_that_ice_has_not_validated_is_not_looked_at() -> None:
    machine = server()
    assert not machine.receive_datagram(hello(), STRANGER, 0.0)
    assert sent(machine) == []
    assert machine.receive_datagram(hello(), LEFT, 0.0)
    assert sent(machine) != []


def test_what_is_validated_is_the_callers_to_say() -> None:
    validated = set[tuple[str, int]]()
    machine = server(accepts=validated.__contains__)
    assert not machine.receive_datagram(hello(), LEFT, 0.0)
    validated.add(LEFT)
    assert machine.receive_datagram(hello(), LEFT, 0.0)
    assert sent(machine) != []


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name)
def test_a_certificate_that_was_not_announced_ends_the_handshake(role: Role) -> None:
    if role is Role.CLIENT:
        both = pair(client(expects=STRANGER_CERTIFICATE))
        victim, other = both.left, both.right
    else:
        both = pair(right=server(expects=STRANGER_CERTIFICATE))
        victim, other = both.right, both.left
    settle(both)
    failed = failure(victim.events)
    assert failed.cause is Cause.FINGERPRINT
    assert str(STRANGER_CERTIFICATE.fingerprint()) in failed.detail
    for side in (victim, other):  # who has the wrong certificate is told before it hears that we had finished
        assert not [event for event in side.events if isinstance(event, Handshaked)]
    seen = failure(other.events)
    assert seen.cause is Cause.ALERT
    assert seen.alert is not None
    assert seen.alert.description == AlertDescription.BAD_CERTIFICATE


@CONFIGS
def test_a_certificate_that_turns_out_wrong_later_ends_the_connection_and_no_data_was_given_out(config: Config) -> None:
    both = pair(client(config, expects=None))
    both.run_for(1.0)
    both.right.machine.send([b"malice"])
    both.pump()
    both.run_for(0.1)
    both.left.machine.set_fingerprints([STRANGER_CERTIFICATE.fingerprint()], both.clock.now)
    both.pump()
    both.run_for(0.1)
    assert [type(event) for event in both.left.events] == [ConnectionFailed]
    assert both.left.machine.state is State.FAILED
    assert failure(both.right.events).cause is Cause.ALERT


def test_a_weak_fingerprint_beside_a_wrong_strong_one_does_not_help() -> None:
    weak = SERVER_CERTIFICATE.fingerprint(HashFunction.SHA_1)
    strong = Fingerprint(HashFunction.SHA_256, bytes(32))
    both = pair(client(fingerprints=[weak, strong]))
    settle(both)
    assert failure(both.left.events).cause is Cause.FINGERPRINT


def test_no_announced_fingerprint_means_no_connection() -> None:
    both = pair(client(fingerprints=[]))
    settle(both)
    assert failure(both.left.events).cause is Cause.FINGERPRINT


def test_a_client_without_certificate_is_refused() -> None:
    machine = server()
    shake_hands(machine, BareOpenSSL(Role.CLIENT, None), is_client=False)
    failed = failure(drain(machine).events)
    assert failed.cause is Cause.HANDSHAKE
    assert "did not return a certificate" in failed.detail


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name)
def test_keys_that_are_not_bound_to_the_handshake_are_refused(role: Role) -> None:
    is_client = role is Role.CLIENT
    certificate = SERVER_CERTIFICATE if is_client else CLIENT_CERTIFICATE
    bare = BareOpenSSL(Role.SERVER if is_client else Role.CLIENT, certificate, options=NO_EXTENDED_MASTER_SECRET)
    machine = client() if is_client else server()
    shake_hands(machine, bare, is_client=is_client)
    (failed,) = drain(machine).events
    assert isinstance(failed, ConnectionFailed)
    assert failed.cause is Cause.INSECURE


def test_a_peer_that_only_speaks_an_older_version_is_refused() -> None:
    bare = BareOpenSSL(Role.CLIENT, CLIENT_CERTIFICATE, version=DTLS_1_0)
    machine = server()
    shake_hands(machine, bare, is_client=False)
    failed = failure(drain(machine).events)
    assert failed.cause is Cause.HANDSHAKE
    assert "protocol" in failed.detail
    assert bare.failure is not None


def test_a_server_that_downgrades_is_refused() -> None:
    machine = client()
    shake_hands(machine, BareOpenSSL(Role.SERVER, SERVER_CERTIFICATE, version=DTLS_1_0), is_client=True)
    assert failure(drain(machine).events).cause in (Cause.HANDSHAKE, Cause.ALERT)


@pytest.mark.parametrize("ciphers", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA"])
def test_suites_without_aead_are_refused(ciphers: str) -> None:
    machine = server()
    shake_hands(
        machine, BareOpenSSL(Role.CLIENT, CLIENT_CERTIFICATE, ciphers=f"{ciphers}:@SECLEVEL=0"), is_client=False
    )
    assert "no shared cipher" in failure(drain(machine).events).detail


def test_data_that_overtakes_the_handshake_waits_for_its_end() -> None:
    left, right = client(), server()
    right.receive_datagram(sent(left)[0], LEFT, 0.0)
    for datagram in sent(right):
        left.receive_datagram(datagram, RIGHT, 0.0)
    finished = sent(left)
    sealed = left._flights.sealer.seal(ContentType.APPLICATION_DATA, b"early")
    right.receive_datagram(sealed, LEFT, 0.0)
    assert drain(right).events == []
    for datagram in finished:
        right.receive_datagram(datagram, LEFT, 0.0)
    first, second = drain(right).events
    assert isinstance(first, Handshaked)
    assert second == ApplicationData((b"early",))


def test_early_data_is_held_only_up_to_a_limit() -> None:
    right = server(Config(max_held_records=4))
    for sequence in range(10):
        early = Record(ContentType.APPLICATION_DATA, DTLS_1_2, EPOCH, sequence, bytes(40)).serialize()
        assert right.receive_datagram(early, LEFT, 0.0)
    assert len(right._gate.take_held()) == 4
    assert right.dropped == 6


def test_plain_data_is_never_given_out() -> None:
    both = connected()
    for epoch in (0, 1):
        plain = Record(
            ContentType.APPLICATION_DATA, DTLS_1_2, epoch, 9, b"plain text, long enough to be one"
        ).serialize()
        both.right.machine.receive_datagram(plain, LEFT, 1.0)
        both.left.machine.receive_datagram(plain, RIGHT, 1.0)
    assert drain(both.right.machine).events == drain(both.left.machine).events == []


@CONFIGS
def test_a_replayed_record_comes_once(config: Config) -> None:
    both = connected(client(config), server(config))
    both.left.machine.send([b"pay 10"])
    datagrams = sent_keeping_events(both.left.machine)
    for _ in range(3):
        both.right.machine.receive_datagrams(datagrams, LEFT, 1.0)
    assert payloads(drain(both.right.machine).events) == [b"pay 10"]


@CONFIGS
def test_records_of_the_handshake_played_again_change_nothing(config: Config) -> None:
    left, right = client(config), server(config)
    recorded: list[bytes] = []
    for _ in range(2):
        recorded += (flight := sent_keeping_events(left))
        right.receive_datagrams(flight, LEFT, 0.0)
        left.receive_datagrams(sent_keeping_events(right), RIGHT, 0.0)
    left.send([b"1"])
    recorded += (data := sent_keeping_events(left))
    right.receive_datagrams(data, LEFT, 0.0)
    assert payloads(drain(right).events) == [b"1"]
    for _ in range(20):
        right.receive_datagrams(recorded, LEFT, 0.0)
    assert drain(right) == ([], [], None)
    assert right.state is State.CONNECTED


@CONFIGS
def test_an_alert_that_is_not_sealed_does_not_end_a_connection(config: Config) -> None:
    both = connected(client(config), server(config))
    for content in (b"\2\x28", b"\1\0"):
        for epoch in (0, 1):
            forged = Record(ContentType.ALERT, DTLS_1_2, epoch, 50, content + bytes(24 * epoch)).serialize()
            both.right.machine.receive_datagram(forged, LEFT, 1.0)
            both.left.machine.receive_datagram(forged, RIGHT, 1.0)
    assert both.right.machine.state is both.left.machine.state is State.CONNECTED


def test_fragments_that_claim_16_mib_never_reach_openssl() -> None:
    machine = server()
    for sequence in range(20):
        machine.receive_datagram(bomb(sequence), LEFT, 0.0)
    assert machine.dropped == 20
    machine.receive_datagram(hello(), LEFT, 0.0)
    assert sent(machine) != []


def test_a_flood_of_client_hellos_is_cut_off() -> None:
    machine = server(Config(max_handshake_records=100))
    answers = 0
    for _ in range(200):
        machine.receive_datagram(hello(), LEFT, 0.0)
        answers += len(sent_keeping_events(machine))
    assert failure(drain(machine).events).cause is Cause.LIMIT
    assert answers <= 3
    assert machine.state is State.FAILED


def test_a_flood_of_records_that_do_not_decrypt_costs_nothing_but_their_number() -> None:
    both = connected(right=server(Config(max_forged_records=1_000)))
    right = both.right.machine
    forged = [
        Record(ContentType.APPLICATION_DATA, DTLS_1_2, EPOCH, 100 + sequence, bytes(40)).serialize()
        for sequence in range(1_000)
    ]
    right.receive_datagrams(forged, LEFT, 1.0)
    assert drain(right) == ([], [], None)
    both.left.machine.send([b"still here"])
    both.pump()
    both.run_for(0.1)
    assert payloads(both.right.events) == [b"still here"]
    right.receive_datagram(forged[0], LEFT, 1.0)
    assert failure(drain(right).events).cause is Cause.LIMIT


@CONFIGS
def test_a_fatal_alert_ends_the_connection_with_its_name(config: Config) -> None:
    both = connected(client(), server(config))
    left = both.left.machine
    alert = left._sealer.seal(ContentType.ALERT, bytes((2, AlertDescription.INTERNAL_ERROR)))
    both.right.machine.receive_datagram(alert, LEFT, 1.0)
    failed = failure(drain(both.right.machine).events)
    assert failed.cause is Cause.ALERT
    assert "internal" in failed.detail
    assert both.right.machine.state is State.FAILED


def test_warnings_and_malformed_alerts_are_passed_over() -> None:
    both = connected()
    sealer = both.left.machine._sealer
    for content in (b"", b"\1", b"\1\x5a", b"\1\x64", b"\7\7"):
        assert both.right.machine.receive_datagram(sealer.seal(ContentType.ALERT, content), LEFT, 1.0)
    assert both.right.machine.state is State.CONNECTED


def test_a_second_handshake_on_a_connection_is_not_begun() -> None:
    both = connected()
    sealer = both.left.machine._sealer
    both.right.machine.receive_datagram(hello(), LEFT, 1.0)
    both.right.machine.receive_datagram(sealer.seal(ContentType.HANDSHAKE, hello()[13:]), LEFT, 1.0)
    answers = records(sent_keeping_events(both.right.machine))
    assert [record for record in answers if record.content_type is ContentType.HANDSHAKE] == []
    assert both.right.machine.state is State.CONNECTED


def test_a_dead_connection_takes_everything_and_does_nothing() -> None:
    both = pair(client(expects=STRANGER_CERTIFICATE))
    settle(both)
    machine = both.left.machine
    drain(machine)
    assert machine.receive_datagram(hello(), RIGHT, 1.0)
    machine.handle_timeout(100.0)
    machine.close()
    assert drain(machine) == ([], [], None)
    assert machine.state is State.FAILED


@pytest.mark.parametrize("kind", [CLIENT_CERTIFICATE, STRANGER_CERTIFICATE], ids=["announced", "another"])
def test_the_peer_has_to_have_the_key_not_only_the_certificate(kind: Certificate) -> None:
    """A thief of a certificate, who signs with a key of his own, is stopped by OpenSSL."""
    thief = Certificate.__new__(Certificate)
    thief.x509, thief.der, thief.key = CLIENT_CERTIFICATE.x509, CLIENT_CERTIFICATE.der, kind.key
    if kind is not CLIENT_CERTIFICATE:
        with pytest.raises(Exception, match="key values mismatch"):
            BareOpenSSL(Role.CLIENT, thief)
        return
    machine = server()
    shake_hands(machine, BareOpenSSL(Role.CLIENT, thief), is_client=False)
    assert machine.state is State.CONNECTED
