"""RFC 8839 section 5.1: what other agents write is kept to the letter, what could do harm is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.webrtc.ice.candidate import Candidate, CandidateType, TcpType, canonical, check_host

FIELD = [
    # RFC 8839 section 5.1 and appendix, Chromium, Firefox, Safari, pion, libnice, mediasoup, Asterisk
    "candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host",
    "candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998",
    "candidate:842163049 1 udp 1677729535 1.2.3.4 46154 typ srflx raddr 10.0.0.2 rport 46154 ufrag EEtu network-cost 9",
    "candidate:2442523459 0001 tcp 1518280447 192.168.0.2 9 typ host tcptype active generation 0".replace("0001", "1"),
    "candidate:0 1 UDP 2122252543 8d4d4f0e-4b1a-4c2e-9a50-6e1c2f0e9b11.local 51234 typ host",
    "candidate:6 1 TCP 2105524479 192.168.0.2 9 typ host tcptype active",
    "candidate:1 1 UDP 92217087 198.51.100.10 55555 typ relay raddr 0.0.0.0 rport 0",
    "candidate:udpcandidate 1 udp 1076302079 192.0.2.9 40001 typ host",
    "candidate:H6ac120002 1 UDP 2130706431 2001:db8::1 10000 typ host",
    "candidate:7 1 UDP 1 192.0.2.1 5000 typ newtype foo bar",
    "candidate:7 1 SCTP 1 192.0.2.1 5000 typ host",
    "candidate:7 2 udp 4294967295 192.0.2.1 5000 typ prflx raddr 10.0.0.1 rport 1 generation 0 x-empty ",
]


@pytest.mark.parametrize("text", FIELD)
def test_what_is_met_in_the_field_is_kept_to_the_letter(text: str) -> None:
    assert str(Candidate.from_text(text)) == text
    assert Candidate.from_text(f"a={text}") == Candidate.from_text(text)
    assert Candidate.from_text(text.removeprefix("candidate:")) == Candidate.from_text(text)


def test_the_fields_of_a_browsers_candidate() -> None:
    candidate = Candidate.from_text(FIELD[2])
    assert (candidate.type, candidate.priority) == (CandidateType.SERVER_REFLEXIVE, 1_677_729_535)
    assert candidate.transport_address == ("1.2.3.4", 46_154)
    assert (candidate.related_address, candidate.related_port) == ("10.0.0.2", 46_154)
    assert candidate.extension("ufrag") == "EEtu"
    assert candidate.extension("network-cost") == "9"
    assert candidate.extension("network-name") is None
    assert candidate.is_udp
    assert candidate.tcp_type is None


@pytest.mark.parametrize("tcp_type", TcpType)
def test_tcp_candidates_say_who_opens(tcp_type: TcpType) -> None:
    """RFC 6544 section 4.5."""
    text = f"candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype {tcp_type}"
    assert Candidate.from_text(text).tcp_type is tcp_type
    assert Candidate.from_text(text.replace(" tcp ", " udp ")).tcp_type is None
    assert Candidate.from_text(text.removesuffix(tcp_type) + "else").tcp_type is None


@pytest.mark.parametrize(
    ("address", "is_name", "is_mdns"),
    [
        ("192.0.2.1", False, False),
        ("2001:db8::1", False, False),
        ("2001:db8::a", False, False),
        ("host.example", True, False),
        ("a-b.local", True, True),
        ("A-B.LOCAL.", True, True),
        ("0x7f.typ1", True, False),
        ("1.2.3.a4", True, False),
    ],
)
def test_names_are_told_from_addresses(address: str, is_name: bool, is_mdns: bool) -> None:
    candidate = Candidate.from_text(f"candidate:1 1 udp 1 {address} 9 typ host")
    assert (candidate.is_name, candidate.is_mdns) == (is_name, is_mdns)


@pytest.mark.parametrize(
    "address",
    ["127.1", "2130706433", "0x7f.1", "0x7f000001", "127.0.0.1.", "1.2.3.4.5", "a.0x10", "localhost", "fe80::1%eth0",
     "", "a..b", "-a.local", "a b", "[::1]", "host.example:80", "x" * 64 + ".local", "é.local", "::ffff:1.2.3.4.5"],
)  # fmt: skip
def test_what_a_resolver_could_take_for_a_number_is_no_address(address: str) -> None:
    with pytest.raises(WireError):
        check_host(address)
    with pytest.raises(WireError):
        Candidate.from_text(f"candidate:1 1 udp 1 {address} 9 typ host")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "candidate:",
        "candidate:1 1 udp 1 192.0.2.1 9",
        "candidate:1 1 udp 1 192.0.2.1 9 type host",
        "candidate:1 0 udp 1 192.0.2.1 9 typ host",
        "candidate:1 257 udp 1 192.0.2.1 9 typ host",
        "candidate:1 1 udp 0 192.0.2.1 9 typ host",
        "candidate:1 1 udp 4294967296 192.0.2.1 9 typ host",
        "candidate:1 1 udp 99999999999 192.0.2.1 9 typ host",
        "candidate:1 1 udp -1 192.0.2.1 9 typ host",
        "candidate:1 1 udp \u0661 192.0.2.1 9 typ host",
        "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
        "candidate:1 1 udp 1 192.0.2.1 9 typ ho\nst",
        "candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=evil",
        "candidate:1 1 udp 1 192.0.2.1 9 typ host name",
        "candidate:1 1 udp 1 192.0.2.1 9 typ host raddr nonsense rport 1",
        "candidate:1 1 udp 1 192.0.2.1 9 typ host raddr 1.2.3.4 rport 65536",
        f"candidate:{'f' * 33} 1 udp 1 192.0.2.1 9 typ host",
        "candidate:1 1 udp 1 192.0.2.1 9 typ host" + " a b" * 33,
        "candidate:1 1 udp 1 192.0.2.1 9 typ host x " + "y" * 3_000,
    ],
)
def test_what_is_not_of_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        Candidate.from_text(text)


def test_a_blank_at_the_end_is_let_pass() -> None:
    assert str(Candidate.from_text(f"{FIELD[0]} ")) == FIELD[0]


def test_equal_addresses_are_equal_texts() -> None:
    assert canonical("2001:0DB8:0:0::1") == "2001:db8::1"


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_and_never_anything_else(text: str) -> None:
    try:
        candidate = Candidate.from_text(f"candidate:1 1 udp 1 192.0.2.1 9 typ host {text}")
    except WireError:
        return
    assert Candidate.from_text(str(candidate)) == candidate
