"""Nonces that were not kept."""

from zwerm.webrtc.stun.nonce import SecurityFeatures, features_of
from zwerm.webrtc.turn.server.nonce import Nonces

CLIENT, OTHER = ("192.0.2.1", 1), ("192.0.2.1", 2)
NONCES = Nonces(b"key", 600.0, SecurityFeatures.PASSWORD_ALGORITHMS, 100.0)


def test_a_nonce_is_right_for_its_client_and_its_time() -> None:
    nonce = NONCES.make(CLIENT, 200.0)
    assert features_of(nonce) is SecurityFeatures.PASSWORD_ALGORITHMS
    assert NONCES.is_valid(nonce, CLIENT, 200.0)
    assert NONCES.is_valid(nonce, CLIENT, 800.0)
    assert not NONCES.is_valid(nonce, CLIENT, 800.1)
    assert not NONCES.is_valid(nonce, OTHER, 200.0)


def test_workers_with_one_key_know_each_others_nonces() -> None:
    worker = Nonces(b"key", 600.0, SecurityFeatures.PASSWORD_ALGORITHMS, 100.0)
    assert worker.is_valid(NONCES.make(CLIENT, 200.5), CLIENT, 200.0)
    stranger = Nonces(b"another", 600.0, SecurityFeatures.PASSWORD_ALGORITHMS, 100.0)
    assert not stranger.is_valid(NONCES.make(CLIENT, 200.0), CLIENT, 200.0)


def test_no_byte_of_a_nonce_can_be_changed() -> None:
    nonce = NONCES.make(CLIENT, 200.0)
    for position in range(len(nonce)):
        for letter in b"A@\x00\xff":
            changed = bytearray(nonce)
            changed[position] = letter
            assert not NONCES.is_valid(bytes(changed), CLIENT, 200.0) or bytes(changed) == nonce
        assert not NONCES.is_valid(nonce[:position], CLIENT, 200.0)
