"""The protocols of multiaddrs: what each takes as its value, and what it refuses."""

import json
from pathlib import Path

import pytest

from zwerm.core.errors import WireError
from zwerm.multiformats.multiaddr import MAX_TEXT, Multiaddr
from zwerm.multiformats.multiaddr_protocol import BY_CODE, BY_NAME, VARIABLE

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "multiaddr.json").read_text())


@pytest.mark.parametrize(
    "text",
    [
        "/unix/dir//file",
        "/ip6zone/x%y/ip6/fe80::1",
        "/http-path/a%2520space",
        "/http-path/%00%ff",
        "/http-path/tmp%2Ffoo%2F..%2Fbar",
        "/onion3/vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd:1234",
    ],
)
def test_values_with_odd_characters_survive(text: str) -> None:
    address = Multiaddr.from_text(text)
    assert Multiaddr.from_text(str(address)) == address == Multiaddr.parse(bytes(address))


def test_a_path_segment_is_percent_encoded_as_little_as_it_was_or_more() -> None:
    assert Multiaddr.from_text("/http-path/a+b@c") == Multiaddr.from_text("/http-path/a%2Bb%40c")
    assert str(Multiaddr.from_text("/http-path/a+b@c")) == "/http-path/a%2Bb%40c"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "//",
        "ip4/192.0.2.1",
        "/ip4",
        "/ip4/",
        "/ip4/192.0.2",
        "/ip4/192.0.2.01",
        "/ip4/192.0.2.256",
        "/ip4/::1",
        "/ip4/192.0.2.1/tcp",
        "/ip4/192.0.2.1/tcp/65536",
        "/ip4/192.0.2.1/tcp/-1",
        "/ip4/192.0.2.1/tcp/080",
        "/ip4/192.0.2.1/tcp/+80",
        "/ip4/192.0.2.1/tcp/8_0",
        "/ip4/192.0.2.1/tcp/٨",  # a digit, though not an ASCII one
        "/ip4/192.0.2.1//tcp/80",
        "/ip4/192.0.2.1/tls/1",  # tls takes no value
        "/ip4/192.0.2.1/nothing",
        "/ip4/192.0.2.1/TCP/80",
        "/ip4/192.0.2.0/ipcidr/256",
        "/ip6/1::2::3",
        "/ip6/fe80::1%eth0",  # the zone is a component of its own
        "/ip6/192.0.2.1",
        "/ip6zone//ip6/::1",
        "/dns4/",
        "/dns4/exa mple",
        "/dns4/a\nb",
        "/dns4/\ud800",
        "/p2p/tcp",
        "/p2p/QmaeANgBs1DTSxWSrPPtobgQuxW8XTfsS4ydbK4rCHzqx",
        "/p2p/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",  # a CID, though not of a key
        "/certhash/b2uaraocy6yrdblb4sfptaddgimjmmp",  # a letter is missing
        "/certhash/uEiA",
        "/certhash/f000000",  # a byte after the multihash
        "/certhash/",
        "/http-path/%",
        "/http-path/%2",
        "/http-path/%zz",
        "/http-path/a b",
        "/http-path/ä",
        "/unix",
        "/unix/",
        "/unix/a\0b",
        "/memory/18446744073709551616",
        "/memory/184467440737095516150000",
        "/memory/x",
        "/onion/aaimaq4ygg2iegci",
        "/onion/aaimaq4ygg2iegci:0",
        "/onion/aaimaq4ygg2iegci:65536",
        "/onion/aaimaq4ygg2iegci7:80",
        "/onion/aaimaq4ygg2iegc1:80",
        "/onion3/aaimaq4ygg2iegci:80",
        "/garlic32/" + "a" * 48,
        "/garlic32/" + "a" * 51 + "b",  # the last bits are not zero
        "/garlic64/" + "A" * 512,
        "/garlic64/" + "A" * 516 + "AA==A",
        "/garlic64/" + "A" * 516 + "AB==",  # the last bits are not zero
        "/garlic64/" + "+" * 520,  # the other base64
        "/" + "a" * MAX_TEXT,
    ],
)
def test_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        Multiaddr.from_text(text)


def test_every_protocol_is_in_the_vectors_or_named_here() -> None:
    named = {name for row in VECTORS for name in Multiaddr.from_text(row["text"]).names}
    assert set(BY_NAME) - named == {"ipfs", "unix"}
    assert all(row.code == code and (row.value is None) == (row.size == 0) for code, row in BY_CODE.items())
    assert {row.name for row in BY_CODE.values() if row.is_path and row.size == VARIABLE} == {"unix"}
