"""libp2p specs, "tls/tls.md", "Peer Authentication" and "Test vectors": certificates that prove who somebody is."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.libp2p.noise.sides import ALICE, KEYS
from tests.libp2p.tls.sides import IDENTITIES, TODAY
from zwerm.core.errors import WireError
from zwerm.core.random import seeded
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.tls.certificate import MAX_CERTIFICATE, generate, verify_untrusted
from zwerm.libp2p.tls.signed_key import OID, SignedKey

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "libp2p_tls.json").read_text())
EXTENSION = x509.ObjectIdentifier(OID)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody")])
DAY = 86_400.0


def made(
    key: Any = None,
    *,
    signer: Any = None,
    how: Any = None,
    algorithm: Any = None,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] | None = None,
) -> bytes:
    """A certificate as an odd peer might make it; by default a right one."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ours = (x509.UnrecognizedExtension(EXTENSION, SignedKey.sign(ALICE, info).serialize()), False)
    today = dt.datetime.fromtimestamp(TODAY, dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an issuer, which means nothing")]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(today)
        .not_valid_after(today + dt.timedelta(days=1))
    )
    for extension, is_critical in (ours,) if extensions is None else extensions:
        builder = builder.add_extension(extension, critical=is_critical)
    if algorithm is None and not isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        algorithm = hashes.SHA256()
    return builder.sign(signer or key, algorithm, rsa_padding=how).public_bytes(Encoding.DER)


def extended(*others: tuple[x509.ExtensionType, bool], is_critical: bool = False) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signed_key = x509.UnrecognizedExtension(EXTENSION, SignedKey.sign(ALICE, info).serialize())
    return made(key, extensions=((signed_key, is_critical), *others))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_vectors_of_the_specification(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["certificate"])
    if vector["peer"] is None:
        with pytest.raises(WireError, match="did not sign the peer's certificate key"):
            verify_untrusted(data, TODAY)
    else:
        assert str(PeerId.of(verify_untrusted(data, TODAY))) == vector["peer"]


@pytest.mark.parametrize("name", KEYS)
def test_our_own_prove_every_type_of_key(name: str) -> None:
    data = IDENTITIES[name].certificate.public_bytes(Encoding.DER)
    assert verify_untrusted(data, TODAY) == KEYS[name].public


def test_our_own_says_nothing_of_the_node() -> None:
    certificate = IDENTITIES["ed25519"].certificate
    assert [extension.oid for extension in certificate.extensions] == [EXTENSION]
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    other, _ = generate(ALICE, seeded("another run"), TODAY)
    assert other.public_key() != certificate.public_key()


@pytest.mark.parametrize(
    ("offset", "reason"),
    [(-2 * DAY, "not valid before 2027-01-15 07:00"), (36_501 * DAY, "was valid until")],
    ids=["early", "late"],
)
def test_dates_are_kept(offset: float, reason: str) -> None:
    data = IDENTITIES["ed25519"].certificate.public_bytes(Encoding.DER)
    assert verify_untrusted(data, TODAY - 3_599)
    with pytest.raises(WireError, match=reason):
        verify_untrusted(data, TODAY + offset)


@pytest.mark.parametrize(
    "data",
    [
        made(ec.generate_private_key(ec.SECP384R1()), algorithm=hashes.SHA384()),
        made(ed25519.Ed25519PrivateKey.generate()),
        made(rsa.generate_private_key(65_537, 2_048)),
        made(rsa.generate_private_key(65_537, 2_048), how=padding.PSS(padding.MGF1(hashes.SHA256()), 32)),
    ],
    ids=["P-384", "Ed25519", "RSA", "RSA-PSS"],
)
def test_certificates_for_keys_of_other_kinds_are_read(data: bytes) -> None:
    assert verify_untrusted(data, TODAY) == ALICE.public


def test_keys_that_tls_13_has_not_are_refused() -> None:
    with pytest.raises(WireError, match="certificate for a key of type DSAPublicKey"):
        verify_untrusted(made(dsa.generate_private_key(2_048)), TODAY)


def test_a_certificate_must_be_signed_with_its_own_key() -> None:
    with pytest.raises(WireError, match="not signed with its own key"):
        verify_untrusted(made(signer=ec.generate_private_key(ec.SECP256R1())), TODAY)


def test_without_the_extension_there_is_nobody() -> None:
    with pytest.raises(WireError, match="without the libp2p extension"):
        verify_untrusted(made(extensions=()), TODAY)


def test_the_extension_may_be_critical_and_others_that_are_not_may_be_there() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"new")
    limits = x509.BasicConstraints(ca=False, path_length=None)
    assert verify_untrusted(extended((unknown, False), (limits, True), is_critical=True), TODAY) == ALICE.public


def test_a_critical_extension_that_is_not_understood_is_refused() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"new")
    with pytest.raises(WireError, match=r"critical extension 1\.2\.3\.4, which is unknown"):
        verify_untrusted(extended((unknown, True)), TODAY)


def test_a_giant_is_refused() -> None:
    with pytest.raises(WireError, match="certificate of 32769 bytes"):
        verify_untrusted(bytes(MAX_CERTIFICATE + 1), TODAY)


@given(st.binary(max_size=400), st.integers(0, 450), st.integers(0, 3))
def test_untrusted_bytes_prove_somebody_or_are_refused_and_never_anything_else(
    noise: bytes, place: int, which: int
) -> None:
    right = bytes.fromhex(VECTORS[which]["certificate"])
    for data in (noise, right[:place] + noise[:3] + right[place + 3 :]):
        try:
            key = verify_untrusted(data, TODAY)
        except WireError:
            continue
        assert PrivateKey.generate().public != key
