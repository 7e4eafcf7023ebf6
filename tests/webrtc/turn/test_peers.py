"""A relay sends to the public internet, and to nothing else however it is spelled."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.stun.address import host_text
from zwerm.webrtc.turn.peers import REFUSED_IPV4, PeerPolicy, parse_network

POLICY = PeerPolicy()
PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.32.0.1", "2606:4700::1", "64:ff9b::808:808"]
REFUSED = {
    "loopback": "127.0.0.1",
    "all of loopback": "127.255.255.254",
    "this host": "0.0.0.0",
    "private 10": "10.1.2.3",
    "private 172": "172.31.255.255",
    "private 192": "192.168.1.1",
    "carrier-grade NAT": "100.64.0.1",
    "link-local": "169.254.1.1",
    "metadata": "169.254.169.254",
    "metadata of Azure": "168.63.129.16",
    "metadata of Alibaba": "100.100.100.200",
    "metadata of Oracle": "192.0.0.192",
    "metadata of Amazon on IPv6": "fd00:ec2::254",
    "documentation": "192.0.2.1",
    "benchmark": "198.18.0.1",
    "multicast": "224.0.0.251",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "loopback on IPv6": "::1",
    "nothing on IPv6": "::",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped loopback in hex": "::ffff:7f00:1",
    "mapped public": "::ffff:8.8.8.8",
    "compatible loopback": "::127.0.0.1",
    "translated loopback": "::ffff:0:127.0.0.1",
    "NAT64 of loopback": "64:ff9b::127.0.0.1",
    "NAT64 of private": "64:ff9b::a00:1",
    "NAT64 of metadata": "64:ff9b::a9fe:a9fe",
    "local NAT64": "64:ff9b:1::8.8.8.8",
    "6to4 of loopback": "2002:7f00:1::",
    "6to4 of private": "2002:a00:1::1",
    "6to4 of public": "2002:808:808::1",
    "Teredo": "2001:0:5ef5:79fd:0:59d:a0e5:b5b5",
    "ORCHID": "2001:20::1",
    "documentation on IPv6": "2001:db8::99",
    "unique local": "fc00::1",
    "link-local on IPv6": "fe80::1",
    "link-local with a scope": "fe80::1%eth0",
    "site-local": "fec0::1",
    "multicast on IPv6": "ff02::fb",
    "discard": "100::1",
}


@pytest.mark.parametrize("host", PUBLIC)
def test_public_addresses_are_sent_to(host: str) -> None:
    assert POLICY.allows(host)


@pytest.mark.parametrize("name", REFUSED)
def test_all_others_are_not(name: str) -> None:
    assert not POLICY.allows(REFUSED[name])


@given(st.integers(0, 2**32 - 1))
def test_every_spelling_of_a_refused_ipv4_address_is_refused(number: int) -> None:
    address = ipaddress.IPv4Address(number)
    if any(address in network for network in REFUSED_IPV4):
        for prefix in ("", "::ffff:", "64:ff9b::", "::"):
            assert not POLICY.allows(f"{prefix}{address}")


@given(st.binary(min_size=16, max_size=16))
def test_what_is_not_global_unicast_is_refused(packed: bytes) -> None:
    if packed[0] & 0xE0 != 0x20 and not packed.startswith(bytes.fromhex("0064ff9b")):
        assert not POLICY.allows(host_text(packed))


def test_a_range_can_be_opened_and_only_that() -> None:
    policy = PeerPolicy([parse_network("10.1.0.0/16"), parse_network("::1")])
    assert policy.allows("10.1.2.3")
    assert policy.allows("::1")
    assert not policy.allows("10.2.0.1")
    assert not policy.allows("::ffff:10.1.2.3")


def test_a_range_can_be_closed_in_every_spelling() -> None:
    policy = PeerPolicy([parse_network("8.8.8.0/24")], [parse_network("8.8.8.8")])
    assert policy.allows("8.8.8.7")
    assert not policy.allows("8.8.8.8")
    assert not policy.allows("64:ff9b::808:808")


@pytest.mark.parametrize(
    "text",
    ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "010.0.0.1", "10.0.0.1/8", "localhost", "", "10.0.0.0/33"],
)
def test_a_spelling_that_can_be_read_in_two_ways_is_not_configuration(text: str) -> None:
    with pytest.raises(LocalProtocolError):
        parse_network(text)
