"""OpenSSL behind memory BIOs: what it is told, and what it tells."""

import gc
import weakref

import pytest

from tests.webrtc.dtls.peers import CLIENT_CERTIFICATE, RSA_CERTIFICATE, SERVER_CERTIFICATE
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.dtls.event import Role, SRTPProfile
from zwerm.webrtc.dtls.handshake import Handshake
from zwerm.webrtc.dtls.record import parse_datagram
from zwerm.webrtc.dtls.suite import AES_128_GCM

Profiles = tuple[SRTPProfile, ...]


def make(
    role: Role, certificate: Certificate = CLIENT_CERTIFICATE, profiles: Profiles = (), mtu: int = 1_200
) -> Handshake:
    return Handshake(role, certificate, mtu=mtu, srtp_profiles=profiles, accepts=lambda _: True)


def run(left: Handshake, right: Handshake) -> list[list[bytes]]:
    """Carry records to and fro; return the flights."""
    left.start()
    flights: list[list[bytes]] = []
    sides = [(left, right), (right, left)]
    while output := sides[len(flights) % 2][0].take_output():
        flights.append([record.serialize() for record in parse_datagram(output)])
        for record in flights[-1]:
            sides[len(flights) % 2 - 1][1].receive(record)
    return flights


@pytest.mark.parametrize("certificate", [SERVER_CERTIFICATE, RSA_CERTIFICATE], ids=["ecdsa", "rsa"])
def test_both_kinds_of_certificates_agree_on_the_suite_that_every_endpoint_has(certificate: Certificate) -> None:
    left, right = make(Role.CLIENT), make(Role.SERVER, certificate)
    run(left, right)
    kind = "ECDSA" if certificate is SERVER_CERTIFICATE else "RSA"
    assert left.cipher == right.cipher == f"ECDHE-{kind}-AES128-GCM-SHA256"
    assert left.version == "DTLSv1.2"
    assert left.has_extended_master_secret
    assert left.peer_certificate() == certificate.der
    assert right.peer_certificate() == CLIENT_CERTIFICATE.der
    secrets = left.secrets()
    assert secrets is not None
    assert secrets == right.secrets()
    assert secrets.suite is AES_128_GCM


@pytest.mark.parametrize("mtu", [256, 576, 1_200])
def test_no_record_of_the_handshake_is_larger_than_the_mtu(mtu: int) -> None:
    left, right = make(Role.CLIENT, RSA_CERTIFICATE, mtu=mtu), make(Role.SERVER, RSA_CERTIFICATE, mtu=mtu)
    flights = run(left, right)
    assert left.is_complete
    assert right.is_complete
    assert max(len(record) for flight in flights for record in flight) <= mtu


def test_an_srtp_profile_is_agreed_on() -> None:
    gcm, sha1 = SRTPProfile.AEAD_AES_128_GCM, SRTPProfile.AES128_CM_SHA1_80
    left, right = make(Role.CLIENT, profiles=(gcm, sha1)), make(Role.SERVER, profiles=(sha1,))
    run(left, right)
    assert left.srtp_profile is right.srtp_profile is sha1


def test_without_a_common_srtp_profile_there_is_none() -> None:
    left, right = make(Role.CLIENT, profiles=(SRTPProfile.AEAD_AES_128_GCM,)), make(Role.SERVER)
    run(left, right)
    assert left.is_complete
    assert left.srtp_profile is None


def test_before_the_handshake_there_are_no_secrets() -> None:
    left = make(Role.CLIENT)
    assert left.secrets() is None
    left.start()
    assert left.secrets() is None
    (hello,) = parse_datagram(left.take_output())
    assert left.secrets_that_open(hello) is None
    assert left.peer_certificate() is None


def test_nonsense_in_a_handshake_is_a_failure_in_words_and_the_end() -> None:
    right = make(Role.SERVER)
    hello = bytes.fromhex("16 fefd 0000 000000000000 0010 02 000004 0000 000000 000004 deadbeef")  # a ServerHello
    assert right.receive(hello) == []
    assert right.failure == "unexpected message"
    assert right.receive(hello) == []


def test_data_and_close_notify_by_openssl() -> None:
    left, right = make(Role.CLIENT), make(Role.SERVER)
    run(left, right)
    left.write(b"one")
    assert right.receive(left.take_output()) == [b"one"]
    left.close()
    assert right.receive(left.take_output()) == []
    assert right.is_closed


def test_a_certificate_that_is_not_accepted_ends_the_handshake() -> None:
    asked: list[bytes] = []

    def refuse(der: bytes) -> bool:
        asked.append(der)
        return False

    left = Handshake(Role.CLIENT, CLIENT_CERTIFICATE, mtu=1_200, accepts=refuse)
    run(left, make(Role.SERVER, SERVER_CERTIFICATE))
    assert asked
    assert set(asked) == {SERVER_CERTIFICATE.der}
    assert left.failure == "certificate verify failed"
    assert not left.is_complete


def test_openssl_is_freed_without_waiting_for_the_collector() -> None:
    left = make(Role.CLIENT)
    ssl = weakref.ref(left._ssl)
    gc.disable()
    try:
        left.release()
        assert ssl() is None
    finally:
        gc.enable()
