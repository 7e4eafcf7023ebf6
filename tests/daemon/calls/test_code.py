"""Codes of links: drawn for whoever holds one, and of nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import segno

from tests.daemon.calls.caller import people

SECRET = "A" * 32
_PATH = re.compile(r'\bd="([^"]+)"')


@pytest.mark.parametrize(
    "link",
    [
        f"https://calls.example/#/rooms/{SECRET}",
        f"http://localhost:8088/#/rooms/{SECRET}",
        f"https://[2001:db8::1]:8088/#/calls/link/{SECRET}",
    ],
)
async def test_a_link_of_a_room_or_of_a_device_is_drawn(tmp_path: Path, link: str) -> None:
    async with people(tmp_path / "calls.sqlite") as everybody:
        async with everybody.http.post(f"http://{everybody.server.where}/api/calls/v1/code", data=link) as response:
            assert response.status == 200
            assert response.content_type == "image/svg+xml"
            svg = await response.text()
        expected = segno.make(link, micro=False, error="m").svg_inline(border=2)
        assert _PATH.findall(svg) == _PATH.findall(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        f"https://calls.example/#/files/{SECRET}",
        f"https://calls.example/#/rooms/{SECRET}\n",
        f"https://calls.example/#/rooms/{'A' * 65}",
        f"https://ann@calls.example/#/rooms/{SECRET}",
        f"javascript://calls.example/#/rooms/{SECRET}",
        f"https://calls.example/#/rooms/{SECRET}é",
    ],
)
async def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    async with people(tmp_path / "calls.sqlite") as everybody:
        url = f"http://{everybody.server.where}/api/calls/v1/code"
        async with everybody.http.post(url, data=text.encode()) as response:
            assert response.status == 400
            assert (await response.json())["error"]["code"] == "bad-link"
        async with everybody.http.post(
            url, data=f"https://a.example/#/rooms/{SECRET}", headers={"Origin": "https://evil.example"}
        ) as response:
            assert response.status == 403
