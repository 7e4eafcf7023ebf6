"""A pasted text is refused with PasteError, or the code in it survives being written again."""

from tests.fuzz.inputs import text
from zwerm.core.errors import WireError
from zwerm.webrtc.paste.code import Code, Kind, Place
from zwerm.webrtc.paste.text import PasteError, read, write

_CODE = Code("x/Nq", "L1GUewGNT1DW1aLO5awPyXO+", bytes(range(32)), (Place(Kind.HOST, "192.0.2.1", 4_000),))
SEEDS = [
    write(_CODE).encode(),
    b"> zwerm1 " + write(_CODE).encode()[6:],
    b"zwerm211",
    _CODE.serialize(),
    Code("abcd1234", "f" * 32, bytes(32), (Place(Kind.RELAYED, "2001:db8::1", 1),) * 8).serialize(),
]


def fuzz(data: bytes) -> None:
    try:
        code = read(text(data))
        assert read(write(code)) == code
    except PasteError:
        pass
    try:
        code = Code.parse(data)
    except WireError:
        return
    assert code.serialize() == data
