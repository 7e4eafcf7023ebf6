"""Descriptions become codes and codes descriptions: of browsers, and of ours."""

from __future__ import annotations

import pytest

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.connection.description import Remote
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.paste.code import MAX_CANDIDATES, Kind, Place
from zwerm.webrtc.paste.description import answer_from, candidate_text, code_of
from zwerm.webrtc.sdp.description import SessionDescription
from zwerm.webrtc.sdp.values import Setup

NAME = "8d4d4f0e-4b1a-4c2e-9a50-6e1c2f0e9b11.local"


def offer(*candidates: str, fingerprint: str = "AB" * 32, mid: str = "0") -> str:
    pairs = ":".join(fingerprint[index : index + 2] for index in range(0, 64, 2))
    lines = [
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {mid}",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=ice-ufrag:x/Nq",
        "a=ice-pwd:L1GUewGNT1DW1aLO5awPyXO+",
        f"a=fingerprint:sha-256 {pairs}",
        "a=setup:actpass",
        f"a=mid:{mid}",
        "a=sctp-port:5000",
        *(f"a=candidate:{candidate}" for candidate in candidates),
    ]
    return "\r\n".join(lines) + "\r\n"


def test_a_browsers_offer_becomes_a_code() -> None:
    code = code_of(
        offer(
            f"1 1 udp 2113937151 {NAME} 40000 typ host generation 0 network-cost 999",
            "2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active",
            "3 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 0.0.0.0 rport 0",
            "4 2 udp 1677729534 203.0.113.7 46155 typ srflx raddr 0.0.0.0 rport 0",
            "5 1 udp 1 other.example 46155 typ host",
        )
    )
    assert (code.ufrag, code.password) == ("x/Nq", "L1GUewGNT1DW1aLO5awPyXO+")
    assert code.fingerprint == b"\xab" * 32
    assert code.places == (Place(Kind.HOST, NAME, 40_000), Place(Kind.REFLEXIVE, "203.0.113.7", 46_154))


def test_many_addresses_leave_room_for_each_kind() -> None:
    hosts = [f"{n} 1 udp {2_000_000_000 + n} 192.0.2.{n} 4000 typ host" for n in range(1, 20)]
    relays = [f"{n} 1 udp {n} 198.51.100.{n} 4000 typ relay raddr 0.0.0.0 rport 0" for n in range(20, 30)]
    places = code_of(offer(*hosts, *relays)).places
    assert [place.host for place in places] == [
        *("192.0.2.19", "192.0.2.18", "192.0.2.17", "192.0.2.16"),
        *("198.51.100.29", "198.51.100.28"),
    ]
    assert len(code_of(offer(*hosts)).places) == MAX_CANDIDATES


def test_two_codes_stand_for_each_others_answers_with_opposite_roles() -> None:
    low = code_of(offer("1 1 udp 1 192.0.2.1 4000 typ host", fingerprint="01" * 32))
    high = code_of(offer("1 1 udp 1 192.0.2.2 4000 typ host", fingerprint="FE" * 32))
    for own, other, setup in ((low, high, Setup.PASSIVE), (high, low, Setup.ACTIVE)):
        remote = Remote.from_description(SessionDescription.parse(answer_from(other, own, mid="data")))
        assert remote is not None
        assert (remote.setup, remote.mid, remote.has_ended) == (setup, "data", False)
        assert remote.credentials.ufrag == other.ufrag
        assert remote.fingerprints[0].digest == other.fingerprint
        assert [(one.address, one.port) for one in remote.candidates] == [(other.places[0].host, 4000)]


def test_an_own_code_is_no_answer() -> None:
    own = code_of(offer())
    with pytest.raises(WireError):
        answer_from(own, own, mid="0")


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_candidates_are_written_as_browsers_read_them(kind: Kind, host: str) -> None:
    candidate = Candidate.from_text(candidate_text(Place(kind, host, 4_000), 0))
    assert (candidate.address, candidate.port, candidate.component) == (host, 4_000, 1)
    assert (candidate.related_address is None) == (kind is Kind.HOST)
    later = Candidate.from_text(candidate_text(Place(kind, host, 4_000), 1))
    assert later.priority < candidate.priority


def test_what_has_no_data_channels_or_no_usable_fingerprint_has_no_code() -> None:
    with pytest.raises(LocalProtocolError):
        code_of("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n")
    with pytest.raises(LocalProtocolError):
        code_of(offer().replace("sha-256 ", "sha-512 " + "AB:" * 32))
