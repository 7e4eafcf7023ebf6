"""A multipart body is refused with WireError, or its parts are the same however it is cut."""

from tests.fuzz.inputs import pieces, text
from zwerm.core.errors import WireError
from zwerm.daemon.http.multipart import MultipartParser, PartBegin, PartData, boundary_of, split_parameters

_BODY = (
    b'--B\r\nContent-Disposition: form-data; name="file"; filename="a%20b"\r\nContent-Type: text/plain\r\n\r\n'
    b"one\r\n--B\r\n\r\ntwo\r\n--\r\n--B--\r\nepilogue"
)
SEEDS = [
    b"\x40" + _BODY,
    b"\x01" + _BODY,
    b"\x03preamble\r\n" + _BODY[:60],
    b'\x00multipart/form-data; boundary="a b"',
    b"\x05form-data; name=x; filename*=UTF-8''%e2%82%ac",
]


def fuzz(data: bytes) -> None:
    size = data[0] if data else 1
    assert _parts(data[1:], len(data)) == _parts(data[1:], size)
    given = text(data[1:])
    split_parameters(given)
    try:
        boundary = boundary_of(given)
        if boundary:
            MultipartParser(boundary)
    except WireError:
        pass


def _parts(data: bytes, size: int):
    """Headers and content of each whole or half part; failures only by that there was one."""
    parser, parts, failed = MultipartParser("B"), [], False
    try:
        for piece in pieces(data, size):
            for event in parser.receive_data(piece):
                if isinstance(event, PartBegin):
                    parts.append([event.headers, b""])
                elif isinstance(event, PartData):
                    parts[-1][1] += event.data
        parser.receive_eof()
    except WireError:
        failed = True
    return (None, True) if failed else (parts, False)
