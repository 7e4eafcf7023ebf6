"""A message of the calls protocol is refused with WireError, or survives being written again; keys never crash."""

from tests.fuzz.inputs import text
from zwerm.calls.identity import verify
from zwerm.calls.message import parse_event, parse_request, serialize
from zwerm.core.errors import WireError

_KEY, _SIGNATURE, _TOKEN = b"B" + b"A" * 86, b"s" * 86, b"t" * 43
SEEDS = [
    b'{"type":"ring","id":1,"to":"ann","media":["audio","video"]}',
    b'{"type":"hello","id":2,"device":"d_1","signature":"%s","resume":{"session":"%s","seq":4}}' % (_SIGNATURE, _TOKEN),
    b'{"type":"register","id":3,"name":"ann","email":"ann@example.org","key":"%s","label":"Ann"}' % _KEY,
    b'{"type":"signal","id":9,"to":"d_2","call":"c1","data":"v=0"}',
    b'{"type":"progress","seq":1,"call":"c","state":"pushed","by":"push"}',
    b'{"type":"error","re":null,"code":"too-fast","what":"x","wait":1.5}',
    b'{"type":"ack","seq":0}',
    b"[" * 300,
]


def fuzz(data: bytes) -> None:
    for parse in (parse_request, parse_event):
        try:
            message = parse(data)
        except WireError:
            continue
        assert parse(serialize(message)) == message
    half = len(data) // 2
    assert not verify(text(data[:half]), text(data[half:]), b"data")
