"""From a mutable name to the content it stands for now: the interface that `/ipns/` paths go through."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Protocol

from zwerm.core.errors import NotFoundError

if TYPE_CHECKING:
    from zwerm.ipfs.ipld.path import ContentPath


class NameNotFound(NotFoundError):
    """Nobody who could be asked knows the name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"nothing is published under /ipns/{name} as far as this node can tell")
        self.name = name


@dataclasses.dataclass(frozen=True, slots=True)
class ResolvedName:
    """Where a name points."""

    path: ContentPath  # below /ipfs/
    time_to_live: float | None = None  # seconds the answer may be kept; None when the publisher does not say
    record: bytes | None = None  # the signed IPNS record, when the name is a key


class NameResolver(Protocol):
    """Resolves keys (IPNS) and domains (DNSLink)."""

    async def resolve(self, name: str) -> ResolvedName:
        """Follow `name` to the end.

        Raises:
            NameNotFound: it points nowhere.
            ResourceLimitError: more names behind one another than the limit.
        """
        ...


class NoNames:
    """Resolves nothing: a node that keeps no names and asks nobody."""

    async def resolve(self, name: str) -> ResolvedName:
        raise NameNotFound(name)
