"""An ICE candidate is refused with WireError, or its text reads the same; its address is judged without failing."""

from tests.fuzz.inputs import text
from zwerm.core.errors import WireError
from zwerm.webrtc.ice.address_policy import refusal
from zwerm.webrtc.ice.candidate import Candidate, canonical

SEEDS = [
    b"candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host",
    b"candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 192.168.0.2 rport 46154 ufrag EEtu",
    b"candidate:6 1 TCP 2105524479 192.168.0.2 9 typ host tcptype active",
    b"a=candidate:0 1 UDP 2122252543 8d4d4f0e-4b1a-4c2e-9a50-6e1c2f0e9b11.local 51234 typ host network-cost 999",
    b"candidate:1 1 udp 1 64:ff9b::7f00:1 9 typ relay raddr :: rport 0",
    b"candidate:1 1 udp 1 0x7f.1 9 typ host",
    b"candidate:1 1 udp 1 0x7f.typ1 9 typ host",
    b"1 256 udp 4294967295 2002:7f00:1:: 65535 typ prflx x ",
]


def fuzz(data: bytes) -> None:
    try:
        candidate = Candidate.from_text(text(data))
    except WireError:
        return
    written = str(candidate)
    assert Candidate.from_text(written) == candidate
    assert str(Candidate.from_text(written)) == written
    assert written.isascii()
    assert written.isprintable()
    if not candidate.is_name:
        host, port = candidate.transport_address
        assert canonical(host) == host
        assert 0 <= port <= 65_535
        refusal(host)
