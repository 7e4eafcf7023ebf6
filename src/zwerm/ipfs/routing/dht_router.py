"""The DHTs as ways to find things, and as the place to tell what we have: the public one and the local network's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Final

from zwerm.core.errors import TransportError, ZwermError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.exchange.providers import Provider
from zwerm.libp2p.kad.aio import Kad, read_addresses_untrusted
from zwerm.libp2p.kad.message import Peer
from zwerm.multiformats.cid import CID
from zwerm.multiformats.multiaddr import Multiaddr

QUORUM: Final = 16  # ipfs specs, kad-dht, "Quorum"


class DhtRouter:
    """One DHT."""

    def __init__(self, kad: Kad, label: str) -> None:
        self._kad = kad
        self.label = label

    async def find_providers(self, cid: CID) -> AsyncGenerator[Provider, None]:
        async with contextlib.aclosing(self._kad.find_providers(cid.multihash)) as providers:
            async for provider in providers:
                yield Provider(provider.peer, tuple(read_addresses_untrusted(provider.addresses)))

    async def find_peer(self, peer: PeerId) -> Sequence[Multiaddr]:
        return await self._kad.find_peer(peer)

    async def find_records(self, key: bytes) -> AsyncGenerator[bytes, None]:
        async with contextlib.aclosing(self._kad.find_values(key, quorum=QUORUM)) as records:
            async for record in records:
                yield record

    async def put_record(self, key: bytes, record: bytes) -> None:
        if not await self._kad.put_value(key, record):
            raise TransportError("no server of this DHT could be reached")


class Announcements:
    """Tells both DHTs at once of a root; sweeps the public one, or the local network's while that is all we have."""

    def __init__(self, wan: Kad, lan: Kad) -> None:
        self._wan = wan
        self._lan = lan

    async def provide(self, key: bytes, *, is_optimistic: bool = True) -> int:
        """Tell of one key; return how many servers took it.

        Raises:
            ZwermError: neither DHT could be asked.
        """
        counts = await asyncio.gather(
            *(kad.provide(key, is_optimistic=is_optimistic) for kad in (self._wan, self._lan)), return_exceptions=True
        )
        for count in counts:
            if isinstance(count, BaseException) and not isinstance(count, ZwermError):
                raise count
        return sum(count for count in counts if isinstance(count, int))

    async def find_closest(self, preimage: bytes, *, count: int | None = None) -> tuple[Peer, ...]:
        return await self._active.find_closest(preimage, count=count)

    async def send_provides(self, peers: Iterable[Peer], keys: Sequence[bytes]) -> int:
        return await self._active.send_provides(peers, keys)

    @property
    def _active(self) -> Kad:
        return self._wan if len(self._wan.dht.table) else self._lan
