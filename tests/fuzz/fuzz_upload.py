"""An upload is refused with WireError, or each of its parts has a name, a mode and a time that a file can have."""

from collections.abc import AsyncIterator

from tests.fuzz.inputs import run_without_waiting
from zwerm.core.errors import WireError
from zwerm.daemon.http.exchange import Exchange
from zwerm.daemon.http.upload import MAX_NAME, Upload

_IN_NAME = b'Content-Disposition: form-data; name="file?mode=0644&mtime=5&mtime-nsecs=7"; filename="a%20b"'
_IN_HEADERS = b'Content-Disposition: file; filename="a"\r\nmtime: -5\r\nmode: 755\r\ncontent-length: 3\r\nabspath: /a'
SEEDS = [b"--B\r\n" + headers + b"\r\n\r\none\r\n--B--" for headers in (_IN_NAME, _IN_HEADERS)]


class _Request(Exchange):
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body


def fuzz(data: bytes) -> None:
    try:
        run_without_waiting(_read(data))
    except WireError:
        return


async def _read(data: bytes) -> None:
    async for part in Upload(_Request(data), "B").parts():
        assert len(part.name) <= MAX_NAME
        assert part.size is None or abs(part.size) < 2**63
        assert part.mode is None or abs(part.mode) < 2**63
        assert part.mtime is None or abs(part.mtime[0]) < 2**63
        async for _ in part.chunks:
            break
