"""A gateway over blocks in memory, as the specification tests use it."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterable, Mapping

from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.car.reader import CarReader
from zwerm.ipfs.gateway.denylist import Denylist
from zwerm.ipfs.gateway.gateway import Gateway, GatewayConfig
from zwerm.ipfs.gateway.message import FileRange, GatewayRequest
from zwerm.ipfs.ipld import codec
from zwerm.ipfs.names import NameNotFound, ResolvedName
from zwerm.ipfs.unixfs import DirectoryBuilder, FileBuilder, Profile
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

SMALL_CHUNKS = Profile(chunker="size-1024")


class CountingSource(LocalSource):
    """Remembers which blocks were asked for."""

    def __init__(self, store: MemoryBlockstore) -> None:
        super().__init__(store)
        self.asked: list[CID] = []

    async def get(self, cid: CID) -> bytes:
        self.asked.append(cid)
        return await super().get(cid)

    async def get_many(self, cids: Iterable[CID]) -> AsyncIterator[bytes]:
        wanted = list(cids)
        self.asked += wanted
        async for data in super().get_many(wanted):
            yield data


class Names:
    """Names as a test says they are."""

    def __init__(self) -> None:
        self.known: dict[str, ResolvedName] = {}

    async def resolve(self, name: str) -> ResolvedName:
        if name not in self.known:
            raise NameNotFound(name)
        return self.known[name]


@dataclasses.dataclass(frozen=True)
class Answer:
    """A response with its body read."""

    status: int
    headers: dict[str, str]
    body: bytes
    length: int | None


class Site:
    """Content, names, and a gateway that shows them."""

    def __init__(self, config: GatewayConfig | None = None, denied: Iterable[str] = ()) -> None:
        self.store = MemoryBlockstore()
        self.source = CountingSource(self.store)
        self.names = Names()
        self.gateway = Gateway(self.source, config, self.names, Denylist(denied))

    def file(self, data: bytes, profile: Profile = SMALL_CHUNKS) -> CID:
        builder = FileBuilder(self.store, profile)
        builder.write(data)
        return builder.finish().cid

    async def directory(self, entries: Mapping[str, CID | bytes], profile: Profile = Profile()) -> CID:  # noqa: B008
        builder = DirectoryBuilder(profile)
        for name, content in entries.items():
            cid = self.file(content) if isinstance(content, bytes) else content
            await builder.set(name, cid, len(self.store.get(cid)))
        return builder.finish(self.store).cid

    def node(self, value: object, code: int = multicodec.DAG_CBOR) -> CID:
        block = Block.create(codec.encode(code, value), code)
        self.store.put([block])
        return block.cid

    async def get(self, path: str, *, host: str = "127.0.0.1:8080", method: str = "GET", **headers: str) -> Answer:
        """Ask; header names have underscores for dashes."""
        path, _, query = path.partition("?")
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        response = await self.gateway.respond(GatewayRequest(method, path, query, host, fields))
        body = response.body
        if isinstance(body, FileRange):
            body = body.stream()
        data = body if isinstance(body, bytes) else b"".join([part async for part in body])
        assert response.length in (None, len(data)) or method == "HEAD"
        return Answer(response.status.value, response.headers, data, response.length)


def blocks_of(archive: bytes) -> list[CID]:
    """The CIDs of a CAR, in order; each block is verified by the reader."""
    reader = CarReader()
    blocks = reader.receive_data(archive)
    reader.receive_eof()
    return [block.cid for block in blocks]
