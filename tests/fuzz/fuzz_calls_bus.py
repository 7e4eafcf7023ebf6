"""A packet between processes of the calls service is refused with WireError, or survives being written again."""

from zwerm.calls.bus.packet import Packet, parse_note, pieces_of
from zwerm.core.errors import WireError

_PARTY = b'{"name":null,"device":"d","key":"k","label":"l"}'
SEEDS = [
    b'{"from":"0badcafe","acks":{"12345678":4},"first":1}',
    b'{"from":"0badcafe","acks":{},"first":3}\n.{"kind":"gone","endpoint":"d_1.2"}',
    b'{"from":"0badcafe","acks":{},"first":3}\n+{"kind":"took",\n."process":"12345678"}',
    b'{"kind":"tell","endpoint":"d_1.2","text":"{}","left":1.5,"hops":0}',
    b'{"kind":"there","sessions":[["d_1.2","ann","k","l","busy",true]],"all":false}',
    b'{"kind":"done","number":1,"value":null,"error":["gone","x",null]}',
    b'{"kind":"do","number":1,"party":%s,"user":null,"peer":"","message":{"type":"answer"}}' % _PARTY,
    b"[" * 300,
]


def fuzz(data: bytes) -> None:
    try:
        packet = Packet.parse(data)
    except WireError:
        pass
    else:
        assert Packet.parse(packet.serialize()) == packet
    try:
        note = parse_note(data.decode(errors="replace"))
    except WireError:
        return
    assert parse_note("".join(line[1:] for line in pieces_of(note))) == note
