"""A datagram is cut into records that are its beginning when written again; no forged record is ever opened."""

from zwerm.core.errors import WireError
from zwerm.webrtc.dtls.alert import Alert
from zwerm.webrtc.dtls.record import parse_datagram, parse_handshake
from zwerm.webrtc.dtls.records import Opener
from zwerm.webrtc.dtls.suite import AES_128_GCM, CHACHA20_POLY1305, DirectionKeys

SEEDS = [
    bytes.fromhex("16fefd0000000000000000000e 0100000200000000000000026162"),
    bytes.fromhex("16fefd00000000000000000019 01ffffff00000000000000000d") + bytes(12),
    bytes.fromhex("15fefd00000000000000010002 0228 14fefd0000000000000002000101"),
    bytes.fromhex("17fefd00010000000000010020") + bytes(32),
    bytes.fromhex("17fefd0002ffffffffffff0018") + bytes(24),
]


def fuzz(data: bytes) -> None:
    records = list(parse_datagram(data))
    assert data.startswith(b"".join(record.serialize() for record in records))
    for record in records:
        for parse in (lambda: parse_handshake(record), lambda: Alert.parse(record.fragment)):  # noqa: B023
            try:
                parse()
            except WireError:
                continue
    payloads: list[bytes] = []
    for suite in (AES_128_GCM, CHACHA20_POLY1305):
        opener = Opener(suite, DirectionKeys(bytes(suite.key_size), bytes(suite.fixed_iv_size)))
        assert opener.open_datagrams([data, data], payloads) == []
        assert opener.window.top == -1
    assert payloads == []
