"""RFC 5246 section 5 and 6.3, RFC 5705: the PRF, the key block, the exporter."""

import pytest

from tests.webrtc.dtls.peers import CLIENT_CERTIFICATE, BareOpenSSL
from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.dtls.event import Role
from zwerm.webrtc.dtls.suite import AES_128_GCM, AES_256_GCM, SUITES, Secrets, prf

SECRETS = Secrets(AES_128_GCM, bytes(48), b"c" * 32, b"s" * 32)


@pytest.mark.parametrize(
    ("hash_name", "secret", "seed", "starts"),
    [
        # The vectors for P_SHA256 and P_SHA384 that were posted to the TLS working group in 2009.
        (
            "sha256",
            "9bbe436ba940f017b17652849a71db35",
            "a0ba9f936cda311827a6f796ffd5198c",
            "e3f229ba727be17b8d122620557cd453",
        ),
        (
            "sha384",
            "b80b733d6ceefcdc71566ea48e5567df",
            "cd665cf6a8447dd6ff8b27555edb7465",
            "7b0c18e9ced410ed1804f2cfa34a336a",
        ),
    ],
    ids=["sha256", "sha384"],
)
def test_the_prf_gives_the_published_vectors(hash_name: str, secret: str, seed: str, starts: str) -> None:
    output = prf(hash_name, bytes.fromhex(secret), b"test label", bytes.fromhex(seed), 100)
    assert output.hex().startswith(starts)
    assert len(output) == 100


@pytest.mark.parametrize("name", [name for name in SUITES if "ECDSA" in name])
def test_keys_and_exports_are_those_of_openssl(name: str) -> None:
    left = BareOpenSSL(Role.CLIENT, CLIENT_CERTIFICATE, ciphers=name)
    right = BareOpenSSL(Role.SERVER, CLIENT_CERTIFICATE, ciphers=name)
    to_right, to_left = left.start(), []
    while to_right or to_left:
        to_left = [answer for record in to_right for answer in right.receive(record)]
        to_right = [answer for record in to_left for answer in left.receive(record)]
    ssl = left.ssl
    assert ssl.get_cipher_name() == name
    master, client_random, server_random = ssl.master_key(), ssl.client_random(), ssl.server_random()
    assert master is not None
    assert client_random is not None
    assert server_random is not None
    secrets = Secrets(SUITES[name], master, client_random, server_random)
    label = b"EXTRACTOR-dtls_srtp"
    assert secrets.export(label, 60) == ssl.export_keying_material(label, 60)
    client_keys, server_keys = secrets.keys()
    assert {len(client_keys.key), len(server_keys.key)} == {SUITES[name].key_size}
    assert {len(client_keys.fixed_iv), len(server_keys.fixed_iv)} == {SUITES[name].fixed_iv_size}


def test_the_suites_with_256_bits_use_sha384() -> None:
    assert AES_256_GCM.hash == "sha384"
    assert prf("sha384", b"k", b"l", b"s", 32) != prf("sha256", b"k", b"l", b"s", 32)


@pytest.mark.parametrize("label", [b"client finished", b"master secret", b"key expansion"], ids=bytes.decode)
def test_labels_of_tls_itself_are_not_exported(label: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        SECRETS.export(label, 10)


def test_secrets_do_not_show_themselves() -> None:
    assert repr(SECRETS) == "Secrets(AESGCM, 128 bits)"


def test_a_key_log_line_names_the_session_by_the_clients_random() -> None:
    secrets = Secrets(AES_128_GCM, b"m" * 48, b"c" * 32, b"s" * 32)
    assert secrets.key_log() == b"CLIENT_RANDOM " + b"63" * 32 + b" " + b"6d" * 48 + b"\n"
