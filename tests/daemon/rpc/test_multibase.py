"""`multibase/*`."""

from __future__ import annotations

import pytest

from tests.daemon.rpc.caller import Rpc, upload
from zwerm.core.errors import LocalProtocolError, WireError


async def test_bytes_to_text_and_back(rpc: Rpc) -> None:
    assert await rpc.data("multibase/encode", body=upload(b"hello")) == b"uaGVsbG8"
    assert await rpc.data("multibase/encode", body=upload(b"hello"), b="base16") == b"f68656c6c6f"
    assert await rpc.data("multibase/decode", body=upload(b"uaGVsbG8\n")) == b"hello"
    assert await rpc.data("multibase/transcode", body=upload(b"uaGVsbG8"), b="base58btc") == b"zCn8eVZg"


async def test_what_is_no_base_is_refused(rpc: Rpc) -> None:
    with pytest.raises(LocalProtocolError, match="multibase 'x'"):
        await rpc.data("multibase/encode", body=upload(b"hello"), b="x")
    with pytest.raises(WireError):
        await rpc.data("multibase/decode", body=upload(b"?"))


async def test_the_bases_are_listed(rpc: Rpc) -> None:
    assert {"Code": ord("u"), "Name": "base64url"} in await rpc.call("multibase/list")
