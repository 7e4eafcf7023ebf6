"""What a request was found to mean: the block it ends at, and what is needed to describe it."""

from __future__ import annotations

import dataclasses

from zwerm.ipfs.gateway import caching
from zwerm.ipfs.gateway.message import GatewayRequest
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.names import ResolvedName
from zwerm.multiformats.cid import CID


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """A resolved request."""

    request: GatewayRequest
    query: dict[str, list[str]]
    asked: ContentPath  # as the visitor wrote it, root included
    content: ContentPath  # the same below /ipfs/
    cid: CID  # where it ends
    roots: tuple[CID, ...]  # one for the root and one for each segment (X-Ipfs-Roots)
    named: ResolvedName | None  # set below /ipns/
    isolated: bool  # the content has an origin of its own
    slash: bool  # the path ended with one
    status: int = 200  # what a `_redirects` rule asked for

    def parameter(self, name: str) -> str | None:
        """The last value of a query parameter."""
        values = self.query.get(name)
        return values[-1] if values else None

    def headers(self) -> dict[str, str]:
        """The headers that every answer about this content carries."""
        headers = {
            "X-Ipfs-Path": str(self.asked).encode("unicode_escape").decode(),  # one line of ASCII, whatever it holds
            "X-Ipfs-Roots": ",".join(str(cid) for cid in self.roots),
        }
        lifetime = caching.IMMUTABLE if self.named is None else caching.max_age(self.named.time_to_live)
        if lifetime is not None:
            headers["Cache-Control"] = lifetime
        return headers
