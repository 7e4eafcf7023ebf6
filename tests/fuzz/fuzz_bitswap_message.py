"""A bitswap message is parsed or refused with WireError, as its blocks are; written and read again it is the same."""

from zwerm.core.errors import WireError
from zwerm.ipfs.bitswap.message import Entry, Message, Payload, Presence, WantType, prefix_of
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_RAW = CID.of(b"hello")
_OLD = CID.of(b"hello", multicodec.DAG_PB, version=0)

SEEDS = [
    Message([Entry(_RAW, 7, WantType.HAVE, send_dont_have=True), Entry(_OLD, -1)], full=True).serialize(),
    Message([Entry(_RAW, 0, cancel=True)], presences=[Presence(_RAW, has=True), Presence(_OLD, has=False)]).serialize(),
    Message(payloads=[Payload(prefix_of(_RAW), b"hello"), Payload(prefix_of(_OLD), b"")], pending=99).serialize(),
]


def fuzz(data: bytes) -> None:
    try:
        message = Message.parse(data)
    except WireError:
        return
    for payload in message.payloads:
        try:
            payload.name()
        except WireError:
            continue
    assert Message.parse(message.serialize()) == message
