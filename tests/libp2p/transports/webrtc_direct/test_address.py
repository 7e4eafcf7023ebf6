"""webrtc-direct.md, "Addressing", and the prologue's vector from "Test vectors"."""

from __future__ import annotations

import pytest

from zwerm.core.errors import WireError
from zwerm.libp2p.transports.webrtc_direct.address import (
    fingerprint_multihash,
    listening_address,
    matches,
    multihash_fingerprint,
    parse_target,
    prologue,
    socket_address,
)
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.webrtc.dtls.fingerprint import Fingerprint, HashFunction

CLIENT = Fingerprint(
    HashFunction.SHA_256, bytes.fromhex("3e79af40d6059617a0d83b83a52ce73b0c1f37a72c6043ad2969e2351bdca870")
)
SERVER = Fingerprint(
    HashFunction.SHA_256, bytes.fromhex("30fc9f469c207419dfdd0aab5f27a86c973c94e40548db9375cca2e915973b99")
)
PEER = "12D3KooWGzBXWNvHpLALvLZhU1nHYLLqX6Y8bQfKWqEiYGYLhVLu"


def test_the_prologue_is_that_of_the_specification() -> None:
    assert prologue(CLIENT, SERVER).hex() == (
        "6c69627032702d7765627274632d6e6f6973653a"
        "12203e79af40d6059617a0d83b83a52ce73b0c1f37a72c6043ad2969e2351bdca870"
        "122030fc9f469c207419dfdd0aab5f27a86c973c94e40548db9375cca2e915973b99"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_an_address_that_is_listened_on_is_one_to_dial(host: str) -> None:
    address = listening_address((host, 4001), [SERVER])
    assert matches(address, with_hash=True)
    target = parse_target(Multiaddr.from_text(f"{address}"))
    assert (target.address, target.fingerprints) == ((host, 4001), (SERVER,))
    assert socket_address(address) == (host, 4001)


@pytest.mark.parametrize(
    "text",
    [
        "/ip4/192.0.2.1/tcp/4001",
        "/ip4/192.0.2.1/udp/4001",
        "/ip4/192.0.2.1/udp/4001/quic-v1",
        "/dns4/example.org/udp/4001/webrtc-direct",
        "/ip4/192.0.2.1/udp/4001/webrtc-direct/p2p-circuit",
    ],
)
def test_other_addresses_are_not_ours(text: str) -> None:
    assert not matches(Multiaddr.from_text(text), with_hash=False)


def test_without_a_hash_an_address_is_to_listen_on_and_not_to_dial() -> None:
    address = Multiaddr.from_text("/ip4/192.0.2.1/udp/0/webrtc-direct")
    assert matches(address, with_hash=False)
    assert not matches(address, with_hash=True)
    with pytest.raises(WireError, match="certhash"):
        parse_target(address)


def test_of_several_hashes_those_by_the_first_known_function_count() -> None:
    long = Fingerprint(HashFunction.SHA_512, bytes(64))
    address = listening_address(("192.0.2.1", 1), [long, SERVER, long])
    assert parse_target(address).fingerprints == (long, long)


def test_a_hash_by_another_function_alone_is_refused() -> None:
    text = "/ip4/192.0.2.1/udp/1/webrtc-direct/certhash/" + "uFiAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    with pytest.raises(WireError, match="SHA-256 or SHA-512"):
        parse_target(Multiaddr.from_text(text))


def test_a_hash_of_the_wrong_length_is_no_fingerprint() -> None:
    assert multihash_fingerprint(b"\x12\x01a") is None
    assert multihash_fingerprint(fingerprint_multihash(SERVER)) == SERVER
