"""A server's URI is refused with LocalProtocolError, or written and read again it is the same."""

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.stun.uri import ServerUri

SEEDS = [b"stun:example.org", b"turns:[2001:db8::1]:443?transport=udp", b"turn:192.0.2.1:3478?transport=tcp"]


def fuzz(data: bytes) -> None:
    try:
        uri = ServerUri.from_text(data.decode("latin-1"))
    except LocalProtocolError:
        return
    assert ServerUri.from_text(str(uri)) == uri
