"""Trustless HTTP gateways as a second source (ipfs/specs, "http-gateways/trustless-gateway.md").

One block at a time, raw, and verified like any other. Gateways are asked in turn; one that fails rests for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from zwerm.core.errors import WireError, ZwermError
from zwerm.ipfs.block import MAX_BLOCK, Block
from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.exchange.failure import Search
from zwerm.multiformats.cid import CID

if TYPE_CHECKING:
    import aiohttp

_AT_ONCE: Final = 8  # requests under way, over all gateways
_HEAD_START: Final = 0.5  # seconds that connected peers have before a gateway is asked
_PATIENCE: Final = 20.0  # seconds for one answer
_REST: Final = 60.0  # seconds that a gateway which failed is left alone
_RAW: Final = "application/vnd.ipld.raw"


class Gateways:
    """Asks gateways for blocks and stores what they give."""

    def __init__(self, addresses: Sequence[str], store: Blockstore) -> None:
        """Take the addresses, such as `https://gateway.example`; nothing is connected to before the first block."""
        self.addresses = [address.rstrip("/") for address in addresses]
        self._store = store
        self._resting: dict[str, float] = {}  # until when
        self._turn = 0
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, cid: CID, search: Search, *, hurry: bool) -> tuple[bytes | None, str]:
        """Return the block, verified and stored, and whose it is; None when no gateway gives it.

        Args:
            cid: which.
            search: is told of failures.
            hurry: whether nobody else can be asked, so that there is no head start to give.
        """
        if not hurry:
            await asyncio.sleep(_HEAD_START)
        async with self._room:
            now = asyncio.get_running_loop().time()
            awake = [address for address in self.addresses if self._resting.get(address, 0.0) <= now]
            self._turn += 1
            for address in awake[self._turn % len(awake) :] + awake[: self._turn % len(awake)] if awake else ():
                try:
                    data = await self._get(address, cid)
                except (ZwermError, OSError, TimeoutError) as error:
                    self._fail(address, search, str(error) or "no answer in time")
                else:
                    return data, address
        return None, ""

    def _fail(self, address: str, search: Search, reason: str) -> None:
        if "status 404" not in reason:
            self._resting[address] = asyncio.get_running_loop().time() + _REST
        line = f"{address}: {reason}"
        if line not in search.others and len(search.others) < len(self.addresses):
            search.others.append(line)

    async def _get(self, address: str, cid: CID) -> bytes:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_PATIENCE))
        try:
            async with self._session.get(f"{address}/ipfs/{cid}?format=raw", headers={"Accept": _RAW}) as response:
                if response.status != 200:
                    raise WireError(f"status {response.status}")
                data = await response.content.read(MAX_BLOCK + 1)
                while len(data) <= MAX_BLOCK and (more := await response.content.read(MAX_BLOCK + 1 - len(data))):
                    data += more
        except aiohttp.ClientError as error:
            raise WireError(str(error) or type(error).__name__) from error
        await asyncio.to_thread(self._keep, cid, data)
        return data

    def _keep(self, cid: CID, data: bytes) -> None:
        self._store.put([Block.check(cid, data)])

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
