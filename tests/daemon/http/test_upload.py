"""Uploads: what Kubo's clients say of a part, where they say it, and what no part may say."""

from collections.abc import AsyncIterator

import pytest

from zwerm.core.errors import WireError
from zwerm.daemon.http.exchange import Exchange
from zwerm.daemon.http.upload import MAX_NAME, Upload
from zwerm.daemon.rpc.body import Part, PartKind


class Request(Exchange):
    """A request of one multipart body, sent in pieces."""

    def __init__(self, body: bytes, content_type: str = 'multipart/form-data; boundary="B"') -> None:
        self._body = body
        self._content_type = content_type

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": self._content_type}

    async def chunks(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 7):
            yield self._body[start : start + 7]


async def parts(*headers: str, data: bytes = b"data") -> list[tuple[Part, bytes]]:
    body = b"".join(b"--B\r\n" + text.encode() + b"\r\n\r\n" + data + b"\r\n" for text in headers) + b"--B--\r\n"
    upload = Upload.of(Request(body))
    assert upload is not None
    return [(part, b"".join([chunk async for chunk in part.chunks])) async for part in upload.parts()]


async def test_a_part_has_a_name_a_kind_and_bytes() -> None:
    ((part, data),) = await parts('Content-Disposition: form-data; name="file"; filename="a%2Fb%20c"')
    assert (part.name, part.kind, data) == ("a/b c", PartKind.FILE, b"data")


async def test_mode_and_time_stand_in_the_fields_name_or_in_headers() -> None:
    in_name = 'Content-Disposition: form-data; name="file?mode=0755&mtime=-5&mtime-nsecs=7"; filename="a"'
    in_headers = (
        'Content-Disposition: form-data; name="file"; filename="a"\r\nmode: 0755\r\nmtime: -5\r\nmtime-nsecs: 7'
    )
    for part, _ in await parts(in_name, in_headers):
        assert (part.mode, part.mtime) == (0o755, (-5, 7))


@pytest.mark.parametrize(
    ("length", "size"), [("4", 4), ("9" * 5_000, None), ("-1", None), ("four", None), ("\u0664", None)]
)
async def test_the_length_of_a_part_may_be_said_and_nonsense_is_ignored(length: str, size: int | None) -> None:
    ((part, _),) = await parts(f'Content-Disposition: form-data; name="f"; filename="a"\r\nContent-Length: {length}')
    assert part.size == size


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Type: text/plain",
        "Content-Disposition: inline",
        'Content-Disposition: form-data; name="f?mode=0999"',
        'Content-Disposition: form-data; name="f?mtime=soon"',
        'Content-Disposition: form-data; name="f?mtime=1_0"',
        'Content-Disposition: form-data; name="f?mtime=1&mtime-nsecs=1000000000"',
        f'Content-Disposition: form-data; name="f?mtime={"9" * 5_000}"',
    ],
)  # fmt: skip
async def test_what_no_part_may_say_is_refused(headers: str) -> None:
    with pytest.raises(WireError):
        await parts(headers)


async def test_a_name_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zwerm.daemon.http.upload.MAX_NAME", 8)
    with pytest.raises(WireError, match="9 characters"):
        await parts('Content-Disposition: form-data; name="f"; filename="123456789"')
    assert MAX_NAME > 255


async def test_a_request_of_another_kind_has_no_upload() -> None:
    assert Upload.of(Request(b"", "application/json")) is None
