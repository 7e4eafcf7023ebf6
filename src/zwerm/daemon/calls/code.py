"""`POST /api/calls/v1/code`: the link of a room, or of another device, as a QR code for whoever holds it.

The node's owner has codes of any text (`daemon/app/share.py`); hosts and guests are not the owner. So this draws links
of this service's kinds and nothing else. The link is in the body: an address would stand in logs.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from zwerm.daemon.http import qr

MAX_LINK: Final = 400  # bytes; an origin with the longest name of a host, and the secret
_LINK: Final = re.compile(
    r"https?://[A-Za-z0-9.\-]{1,253}(?::[0-9]{1,5})?/#/(?:rooms|calls/link)/[A-Za-z0-9_-]{22,64}|"
    r"https?://\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?/#/(?:rooms|calls/link)/[A-Za-z0-9_-]{22,64}"
)


async def draw(body: bytes) -> bytes | None:
    """Return the SVG of a link; None when it is no link of this service."""
    text = body.decode("ascii", "replace")
    return await asyncio.to_thread(qr.draw, text) if _LINK.fullmatch(text) else None
