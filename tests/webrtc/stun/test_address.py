"""Addresses as text and as bytes, with and without XOR."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.stun.address import (
    IPV4,
    IPV6,
    family_of,
    host_text,
    pack_host,
    parse_address,
    parse_xor_address,
    serialize_address,
    serialize_xor_address,
)

TRANSACTION_ID = bytes(range(12))
HOSTS = st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16)


@given(HOSTS, st.integers(0, 65_535))
def test_both_forms_come_back_as_they_went(packed: bytes, port: int) -> None:
    address = (host_text(packed), port)
    assert parse_address(serialize_address(address)) == address
    assert parse_xor_address(serialize_xor_address(address, TRANSACTION_ID), TRANSACTION_ID) == address


@pytest.mark.parametrize("text", ["127.0.0.1", "::", "::1", "2001:db8::1", "fe80::1:0:0:1", "::ffff:192.0.2.1"])
def test_text_is_what_a_socket_says(text: str) -> None:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    assert host_text(socket.inet_pton(family, text)) == socket.inet_ntop(family, pack_host(text)) == text


def test_families_and_scopes() -> None:
    assert family_of("192.0.2.1") == IPV4
    assert family_of("fe80::1%eth0") == IPV6
    assert pack_host("fe80::1%eth0") == pack_host("fe80::1")


def test_a_name_is_no_address() -> None:
    with pytest.raises(LocalProtocolError, match="'localhost' is not a numeric"):
        pack_host("localhost")
