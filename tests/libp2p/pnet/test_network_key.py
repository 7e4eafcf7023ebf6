"""libp2p specs, "pnet/Private-Networks-PSK-V1.md", "Interface": the file swarm.key."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.core.random import seeded
from zwerm.libp2p.pnet.network_key import MAX_FILE, NetworkKey

SECRET = bytes(range(32))
KEY = NetworkKey(SECRET)


@pytest.mark.parametrize(
    "body",
    [
        b"/base16/\n" + SECRET.hex().encode(),
        b"/base16/\r\n" + SECRET.hex().upper().encode() + b"\r\n",
        b"/base64/\n" + base64.b64encode(SECRET) + b"\n",
        b"/bin/\n" + SECRET,
    ],
    ids=["base16", "base16 of Windows", "base64", "bin"],
)
def test_every_encoding_is_read(body: bytes) -> None:
    end = b"\r\n" if b"\r" in body else b"\n"
    assert NetworkKey.parse(b"/key/swarm/psk/1.0.0/" + end + body) == KEY


def test_what_is_written_is_read() -> None:
    key = NetworkKey.generate(seeded("network"))
    assert NetworkKey.parse(key.serialize()) == key
    assert KEY.serialize() == b"/key/swarm/psk/1.0.0/\n/base16/\n" + SECRET.hex().encode() + b"\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "begins with b''"),
        (b"/key/swarm/psk/2.0.0/\n/base16/\n", "begins with"),
        (b"/key/swarm/psk/1.0.0/\n/base58/\nxyz", "in the encoding b'/base58/'"),
        (b"/key/swarm/psk/1.0.0/\n/base16/\nxyz", "is not in /base16/"),
        (b"/key/swarm/psk/1.0.0/\n/base64/\n!!!!", "is not in /base64/"),
        (b"/key/swarm/psk/1.0.0/\n/base16/\nabcd", "of 2 bytes, expected 32"),
        (b"/key/swarm/psk/1.0.0/\n/bin/\n" + bytes(33), "of 33 bytes, expected 32"),
        (bytes(MAX_FILE + 1), "of 4097 bytes"),
    ],
    ids=["empty", "version", "encoding", "digits", "base64", "short", "long", "giant"],
)
def test_what_is_no_key_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        NetworkKey.parse(data)


def test_its_text_shows_nothing_of_the_key() -> None:
    assert SECRET.hex()[:8] not in repr(KEY)
    assert repr(KEY) == f"NetworkKey({KEY.fingerprint})"
    assert len({KEY, NetworkKey(SECRET)}) == 1


@given(st.binary(max_size=100))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    for start in (b"", b"/key/swarm/psk/1.0.0/\n/base64/\n", b"/key/swarm/psk/1.0.0/\n/base16/\n"):
        try:
            key = NetworkKey.parse(start + data)
        except WireError:
            continue
        assert NetworkKey.parse(key.serialize()) == key
