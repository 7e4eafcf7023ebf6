"""RFC 6525 sections 3 and 4: the parameters of RE-CONFIG."""

import pytest

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks import reconfig
from zwerm.webrtc.sctp.chunks.reconfig import AddStreams, AssociationReset, IncomingReset, OutgoingReset, Response
from zwerm.webrtc.sctp.codes import ReconfigResult

CASES = [
    (OutgoingReset(5, 6, 7, (1, 2)), "82 00 0018 000d 0014 00000005 00000006 00000007 0001 0002"),
    (IncomingReset(5, (3,)), "82 00 000e 000e 000a 00000005 0003 0000"),
    (AssociationReset(5), "82 00 000c 000f 0008 00000005"),
    (AddStreams(5, 100, is_outgoing=True), "82 00 0010 0011 000c 00000005 0064 0000"),
    (AddStreams(5, 100, is_outgoing=False), "82 00 0010 0012 000c 00000005 0064 0000"),
    (Response(5, ReconfigResult.PERFORMED), "82 00 0010 0010 000c 00000005 00000001"),
    (Response(5, 1, (8, 9)), "82 00 0018 0010 0014 00000005 00000001 00000008 00000009"),
]
NAMES = ["outgoing", "incoming", "association", "add outgoing", "add incoming", "response", "response with TSNs"]


@pytest.mark.parametrize(("parameter", "wire"), CASES, ids=NAMES)
def test_each_parameter_is_read_and_written(parameter: reconfig.Request | Response, wire: str) -> None:
    written = reconfig.serialize(parameter)
    length = int.from_bytes(written[2:4], "big")
    assert reconfig.parse(written[4:length]) == [parameter]
    assert written == bytes.fromhex(wire)  # padding of a last parameter is the chunk's, which its length leaves out


def test_a_response_and_a_request_may_come_together() -> None:
    pair = (Response(1, ReconfigResult.PERFORMED), OutgoingReset(2, 1, 3, ()))
    assert reconfig.parse(reconfig.serialize(*pair)[4:]) == list(pair)


@pytest.mark.parametrize(
    "wire",
    [
        "",
        "000d 0008 00000001",
        "000d 0011 00000001 00000002 00000003 01 000000",
        "000e 0004",
        "0010 000a 00000001 0000 0000",
        "0007 0008 00000001",
        "000f 0008 00000001" * 3,
    ],
    ids=["none", "cut short", "half a stream", "no number", "half a result", "a cookie", "three"],
)
def test_what_does_not_belong_in_it_is_refused(wire: str) -> None:
    with pytest.raises(WireError):
        reconfig.parse(bytes.fromhex(wire))
