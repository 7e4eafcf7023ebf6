"""Requests as the RFCs draw them, and answers: read, told apart, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.net.mapping.message import (
    Answer,
    Transport,
    is_only_nat_pmp,
    nat_pmp_address,
    nat_pmp_map,
    parse_nat_pmp,
    parse_nat_pmp_address,
    parse_pcp,
    pcp_map,
)

NONCE = bytes(range(12))
PCP_ANSWER = bytes.fromhex(
    "02 81 00 00 00001c20 00000001 000000000000000000000000"  # RFC 6887 figure 3
    "000102030405060708090a0b 06 000000 0fa1 1388 00000000000000000000ffff c0000207"  # figure 10
)


def test_requests_have_the_layout_of_the_rfcs() -> None:
    request = pcp_map(Transport.TCP, 4_001, client="192.168.1.10", nonce=NONCE, lifetime=7_200, suggested=4_001)
    assert request == bytes.fromhex(
        "02 01 0000 00001c20 00000000000000000000ffff c0a8010a"  # RFC 6887 figure 2
        "000102030405060708090a0b 06 000000 0fa1 0fa1 00000000000000000000ffff 00000000"  # figure 9
    )
    assert nat_pmp_map(Transport.UDP, 4_001, lifetime=7_200, suggested=0) == bytes.fromhex(
        "00 01 0000 0fa1 0000 00001c20"
    )
    assert nat_pmp_address() == bytes.fromhex("00 00")


def test_an_answer_of_pcp_is_ours_by_its_nonce_its_port_and_its_protocol() -> None:
    assert parse_pcp(PCP_ANSWER, Transport.TCP, 4_001, NONCE) == Answer(0, 7_200, "192.0.2.7", 5_000)
    assert parse_pcp(PCP_ANSWER, Transport.TCP, 4_001, bytes(12)) is None
    assert parse_pcp(PCP_ANSWER, Transport.UDP, 4_001, NONCE) is None
    assert parse_pcp(PCP_ANSWER, Transport.TCP, 4_002, NONCE) is None


def test_answers_of_nat_pmp() -> None:
    mapped = bytes.fromhex("00 82 0000 00000001 0fa1 1388 00001c20")
    assert parse_nat_pmp(mapped, Transport.TCP, 4_001) == Answer(0, 7_200, "", 5_000)
    assert parse_nat_pmp(mapped, Transport.UDP, 4_001) is None
    assert parse_nat_pmp(mapped, Transport.TCP, 4_002) is None
    assert parse_nat_pmp(bytes.fromhex("00 82 0002 00000001 0fa1 0000 00000000"), Transport.TCP, 4_001) == Answer(
        2, 0, "", 0
    )
    assert parse_nat_pmp_address(bytes.fromhex("00 80 0000 00000001 c0000207")) == "192.0.2.7"
    assert parse_nat_pmp_address(mapped) is None
    assert is_only_nat_pmp(bytes.fromhex("00 81 0001 00000000"))
    assert not is_only_nat_pmp(PCP_ANSWER)


@pytest.mark.parametrize(
    "wire",
    [
        "",
        "02 81 00 00",
        "02 81 00 00 00000000 00000000 000000000000000000000000",
        "00 81 0001 00000000" * 3,
        "02 01" + "00" * 58,
    ],
    ids=["nothing", "cut", "no body", "another version", "a request"],
)
def test_what_is_no_answer_is_refused(wire: str) -> None:
    with pytest.raises(WireError):
        parse_pcp(bytes.fromhex(wire), Transport.TCP, 4_001, NONCE)


@given(st.binary(max_size=80))
def test_untrusted_bytes_are_read_or_refused(data: bytes) -> None:
    for parse in (
        lambda: parse_pcp(data, Transport.TCP, 4_001, NONCE),
        lambda: parse_nat_pmp(data, Transport.TCP, 4_001),
        lambda: parse_nat_pmp_address(data),
    ):
        try:
            parse()
        except WireError:
            continue
