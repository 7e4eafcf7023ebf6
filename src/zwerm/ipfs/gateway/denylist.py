"""Content this gateway refuses to show (Path Gateway specification, "Denylists")."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.multiformats.cid import CID

MAX_ENTRIES: Final = 1_000_000

_HASHED: Final = re.compile(r"//([0-9a-f]{64})\Z")


class Denylist:
    """CIDs that are answered with 410, or 451 when the reason is a legal one.

    A line is a CID or `/ipfs/CID`, or `//` and the hex sha2-256 of `CIDv1-in-base32/` so that the list itself does not
    spread what it refuses; ` legal` behind it makes it a 451. Lines that begin with `#` are comments.
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._multihashes: dict[bytes, HTTPStatus] = {}
        self._hashed: dict[str, HTTPStatus] = {}
        for number, raw in enumerate(lines, 1):
            words = raw.split("#", 1)[0].split()
            if not words:
                continue
            if len(self) >= MAX_ENTRIES:
                raise LocalProtocolError(f"denylist with more than {MAX_ENTRIES} entries")
            legal = words[1:] == ["legal"]
            status = HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS if legal else HTTPStatus.GONE
            if hashed := _HASHED.match(words[0]):
                self._hashed[hashed[1]] = status
                continue
            try:
                self._multihashes[CID.from_text(words[0].removeprefix("/ipfs/").rstrip("/")).multihash] = status
            except WireError as error:
                raise LocalProtocolError(f"denylist line {number}: {error}") from None

    def __len__(self) -> int:
        return len(self._multihashes) + len(self._hashed)

    def check(self, cid: CID) -> HTTPStatus | None:
        """Return the status to refuse `cid` with, or None when it may be shown."""
        if not self._multihashes and not self._hashed:
            return None
        status = self._multihashes.get(cid.multihash)
        if status is None and self._hashed:
            text = cid.to_v1().encode("base32") + "/"
            status = self._hashed.get(hashlib.sha256(text.encode()).hexdigest())
        return status
