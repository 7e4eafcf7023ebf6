"""From a domain to the path that its DNSLink gives.

`_dnslink.NAME` is asked first, because it can be handed to others without the domain itself; the name is asked only
when nothing is there. An answer is kept as long as its TTL says, nothing for a while too.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Final, Protocol

from zwerm.core.machine import Instant
from zwerm.ipfs.dnslink import text
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.ipns.cache import NameCache
from zwerm.net.dns import Answer

MAX_NOTHING: Final = 300.0  # seconds that "no link" is kept at most: somebody may be setting it up just now


class TextSource(Protocol):
    """Who can be asked for TXT records, as `zwerm.net.dns.Dns`."""

    async def texts(self, name: str) -> Answer: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """Where a domain points, and for how many seconds that holds."""

    path: ContentPath
    fresh: float


class DnslinkResolver:
    """Looks domains up. Calls for one domain at a time share one look-up."""

    def __init__(self, source: TextSource, *, timer: Callable[[], Instant]) -> None:
        """`timer` gives monotonic seconds."""
        self._source = source
        self._timer = timer
        self._cache: NameCache[ContentPath] = NameCache()
        self._locks: dict[str, tuple[asyncio.Lock, list[None]]] = {}

    async def find(self, domain: str, *, fresh: bool = False) -> Link | None:
        """Return where a domain points; None when it has no DNSLink, or is no domain at all.

        Args:
            domain: in any case, with or without a dot at the end.
            fresh: ask again even when an answer is still good.

        Raises:
            DnsFailed: nobody could say.
        """
        domain = domain.lower().rstrip(".")
        if not text.is_domain(domain):
            return None
        lock, waiting = self._locks.setdefault(domain, (asyncio.Lock(), []))
        waiting.append(None)
        try:
            async with lock:
                kept = None if fresh else self._cache.find(domain, self._timer())
                if kept is None:
                    path, lifetime = await self._look(domain)
                    self._cache.put(domain, path, lifetime, self._timer())
                    kept = path, lifetime
        finally:
            waiting.pop()
            if not waiting:
                self._locks.pop(domain, None)
        path, left = kept
        return None if path is None else Link(path, left)

    async def _look(self, domain: str) -> tuple[ContentPath | None, float]:
        nothing = MAX_NOTHING
        for name in (text.SUBDOMAIN + domain, domain):
            answer = await self._source.texts(name)
            path = text.choose(answer.texts)
            if path is not None:
                return path, answer.lifetime
            nothing = min(nothing, answer.lifetime)
        return None, nothing
