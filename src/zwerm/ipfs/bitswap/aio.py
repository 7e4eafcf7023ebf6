"""Bitswap on a `Host`: the shell of `Client` and `Server`.

What comes in is hashed and stored by the hashing threads, a message at a time, and only blocks that are wanted are
stored. What goes out has two tasks for each peer, so that wants never wait behind blocks: both end when there was
nothing to say for a while. One timer serves the client.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, Self

from zwerm.core.bounded import LruCache
from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError, WireError, ZwermError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.bitswap.client import Client, FindProviders, GaveUp, Misbehaved
from zwerm.ipfs.bitswap.config import ClientConfig, ServerConfig
from zwerm.ipfs.bitswap.message import BITSWAP_1_2, MAX_MESSAGE, PROTOCOLS, Entry, Message, Payload, WantType, prefix_of
from zwerm.ipfs.bitswap.outgoing import Outgoing
from zwerm.ipfs.bitswap.server import Server, Task
from zwerm.ipfs.bitswap.waiters import Waiters
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.blockstore.store import Blockstore
from zwerm.ipfs.exchange.failure import FetchFailed, Search
from zwerm.ipfs.exchange.providers import ContentRouting, Provider
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.libp2p.complaints import Complaints
from zwerm.libp2p.framing import MessageReader
from zwerm.libp2p.host import Host, HostEvent, PeerConnected, PeerDisconnected, PeerIdentified
from zwerm.libp2p.secure import Buffer
from zwerm.libp2p.stream import Stream, StreamReset
from zwerm.multiformats.cid import CID
from zwerm.net.alarm import Alarm

log: Final = logging.getLogger("zwerm.bitswap")

_UNKNOWN: Final = 0.5  # seconds until a peer that does not say what it speaks is taken to speak bitswap
_SYNC: Final = 1.0  # seconds until what came is made durable
_DIALS: Final = 8  # providers dialled at once for one session
_ENOUGH: Final = 16  # providers after which a search ends
_FEW: Final = 8  # blocks that are looked up, or read out of memory, where we stand
_BANNED: Final = 1_024  # peers remembered that misbehaved
_BREAKS: Final = 3  # streams in a row that a peer may reset before it is given nothing more
_UNDER_WAY: Final = 4  # messages of one stream that are hashed and stored while the next are read


@dataclasses.dataclass(slots=True)
class Count:
    """What was exchanged since the start."""

    messages_received: int = 0
    blocks_received: int = 0
    size_received: int = 0  # bytes of them
    blocks_sent: int = 0
    size_sent: int = 0


class Bitswap:
    """Blocks from others and for others. Use it as a context."""

    def __init__(
        self,
        host: Host,
        store: Blockstore,
        hashers: Hashers,
        *,
        routing: ContentRouting | None = None,
        client: ClientConfig | None = None,
        server: ServerConfig | None = None,
        stall: float = 150.0,
    ) -> None:
        """Make it on the running loop.

        Args:
            host: whose peers are asked and answered.
            store: where blocks come from and go to.
            hashers: threads that hash, shared with others.
            routing: finds providers; None: only connected peers are asked.
            client: limits and patience in asking.
            server: limits in answering.
            stall: seconds that a peer may take no byte before its stream is given up.
        """
        self.host = host
        self.store = store
        self.routing = routing
        self.client: Client[PeerId] = Client(client, can_search=routing is not None)
        self.server: Server[PeerId] = Server(server)
        self.count = Count()
        self.searches: dict[int, Search] = {}  # what is known of looking for others, by session
        self._hashers = hashers
        self._stall = stall
        self._loop = asyncio.get_running_loop()
        self._waiters = Waiters(self._stop_waiting)
        self._wants: dict[PeerId, Outgoing] = {}
        self._blocks: dict[PeerId, list[Outgoing]] = {}  # a stream for each message under way
        self._complaints = Complaints()
        self._breaks: dict[PeerId, int] = {}  # streams that broke in a row, of connected peers
        self._unknown: set[PeerId] = set()  # connected, and have not said what they speak
        self._banned: LruCache[PeerId, bool] = LruCache(_BANNED)
        self._tasks: set[asyncio.Task[None]] = set()
        self._alarm = Alarm(self._loop, self._time_out)
        self._sync: asyncio.TimerHandle | None = None
        self._storing = threading.local()
        self._lend: Callable[[CID], Buffer | None] = getattr(store, "lend_nowait", store.get_nowait)
        self._is_closed = False
        self._unsubscribe: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Self:
        for protocol in PROTOCOLS:
            self.host.handle(protocol, self._receive, allow_limited=True)
        self._unsubscribe = self.host.subscribe(self._host_event)
        for connection in self.host.connections:
            self._meet(connection.remote_peer)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop asking and answering; whoever waits for a block is told that it cannot be had. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        self._unsubscribe()
        for protocol in PROTOCOLS:
            self.host.unhandle(protocol)
        self._alarm.set(None)
        if self._sync is not None:
            self._sync.cancel()
        self._waiters.fail_all(TransportError("the node is stopping"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Asking

    def open_session(self, root: CID | None = None) -> int:
        """Begin a session for content below `root`. Raises as `Client.open_session`."""
        number = self.client.open_session(self._loop.time(), root)
        self.searches[number] = Search()
        return number

    def close_session(self, number: int) -> None:
        """End a session; what it still wants is cancelled. Idempotent."""
        self.client.close_session(number, self._loop.time())
        self.searches.pop(number, None)
        self._pump()

    def fetch(self, number: int, cid: CID) -> asyncio.Future[bytes]:
        """Want a block; return what will hold its bytes. Cancelling that takes the want back.

        The future fails with `FetchFailed`, or a StorageError when the block cannot be stored.

        Raises:
            LocalProtocolError, ResourceLimitError: see `Client.want`.
        """
        (future,) = self._wait_for(number, (cid,), is_read=True)
        return future

    def bring(self, number: int, cids: Sequence[CID]) -> list[asyncio.Future[bytes]]:
        """Want blocks in the store; return what is done, and holds nothing, when each is there. Else as `fetch`."""
        return self._wait_for(number, cids, is_read=False)

    def _wait_for(self, number: int, cids: Sequence[CID], *, is_read: bool) -> list[asyncio.Future[bytes]]:
        futures = [self._waiters.add(number, cid, is_read=is_read) for cid in cids]
        try:
            self.client.want(number, cids, self._loop.time())
        except ZwermError as error:
            for future in futures:
                future.set_exception(error)
        self._pump()
        return futures

    def prefetch(self, number: int, cids: Sequence[CID]) -> None:
        """Want blocks that nobody waits for yet; they are stored when they come. Raises as `Client.want`."""
        self.client.want(number, cids, self._loop.time())
        self._pump()

    def cancel(self, number: int, cids: Sequence[CID]) -> None:
        """Want them no longer in this session, unless somebody waits for them."""
        idle = [cid for cid in cids if not self._waiters.has(number, cid)]
        self.client.cancel(number, idle, self._loop.time())
        self._pump()

    def _stop_waiting(self, number: int, cid: CID) -> None:
        if not self._is_closed:
            self.cancel(number, (cid,))

    def hold(self, number: int, change: int) -> None:
        """See `Client.hold`."""
        if not self._is_closed:
            self.client.hold(number, self._loop.time(), change)
            self._pump()

    def supply(self, cid: CID, data: bytes, source: PeerId | None = None) -> None:
        """A block came by another way, verified and stored: give it to those who wait for it."""
        self.client.found(cid.multihash, len(data), self._loop.time(), source)
        self._waiters.give(cid.multihash, data)
        self._pump()

    def blocks_put(self, sizes: Mapping[bytes, int]) -> None:
        """Blocks were put into the store, with their bytes by multihash. Any thread; costs little when nobody cares."""
        if self._is_closed:
            return
        own = getattr(self._storing, "is_on", False)
        wanted = [] if own else [key for key in sizes if self.client.is_wanted(key)]
        if wanted or not self.server.waited_for.isdisjoint(sizes):
            self._loop.call_soon_threadsafe(self._note_put, dict(sizes), wanted)

    def _note_put(self, sizes: Mapping[bytes, int], wanted: Sequence[bytes]) -> None:
        if self._is_closed:
            return
        self.server.blocks_came(sizes)
        for key in wanted:
            self.client.found(key, sizes[key], self._loop.time())
            if key in self._waiters:
                self._spawn(self._read_for_waiters(key), "read")
        self._pump()

    async def _read_for_waiters(self, key: bytes) -> None:
        try:
            data = await asyncio.to_thread(self.store.get, CID(1, 0x55, key))
        except ZwermError as error:
            self._waiters.fail([key], error)
        else:
            self._waiters.give(key, data)

    # What comes

    async def _receive(self, stream: Stream) -> None:
        """Answer one stream that a peer opened."""
        peer = stream.connection.remote_peer
        if self._banned.find(peer):
            stream.reset()
            return
        self._add(peer, knows_have=stream.protocol == BITSWAP_1_2)
        reader = MessageReader(_Heard(stream, lambda: self.client.heard(peer, self._loop.time())), MAX_MESSAGE)
        under_way: set[asyncio.Task[None]] = set()
        try:
            while (data := await reader.read()) is not None:
                message = Message.parse(data)
                self.count.messages_received += 1
                if message.wants or message.full:
                    sizes = await self._sizes([entry.cid for entry in message.wants if not entry.cancel])
                    refused = self.server.refused
                    self.server.receive_wants(peer, message.wants, sizes, full=message.full)
                    if self.server.refused > refused and self._complaints.is_news(peer, "wants"):
                        log.info("wants of %s are refused: more than %d", peer, self.server.config.wants)
                if message.payloads:
                    task = self._spawn(self._take_blocks(peer, message), "store")
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                elif message.presences:
                    self.client.receive(peer, (), message.presences, self._loop.time())
                self._pump()
                if len(under_way) >= _UNDER_WAY:
                    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        except WireError as error:
            if self._complaints.is_news(peer, "given up"):
                log.warning("bitswap with %s was given up: %s", peer, error)
            raise
        finally:
            if under_way:
                await asyncio.wait(under_way)

    async def _sizes(self, cids: Sequence[CID]) -> dict[bytes, int]:
        if len(cids) <= _FEW:  # a thread would cost more
            return self._look_up(cids)
        return await asyncio.to_thread(self._look_up, cids)

    def _look_up(self, cids: Sequence[CID]) -> dict[bytes, int]:
        sizes = {}
        for cid in cids:
            try:
                sizes[cid.multihash] = self.store.size(cid)
            except BlockNotFound:
                continue
        return sizes

    async def _take_blocks(self, peer: PeerId, message: Message) -> None:
        """Hash and store the blocks of a message and tell the client of them."""
        try:
            came, others = await asyncio.wrap_future(self._hashers.submit(lambda: self._store(message.payloads)))
        except ZwermError as error:  # the disk is full, or fails
            log.warning("blocks of %s could not be stored: %s", peer, error)
            self._waiters.fail_all(error)
            return
        blocks = [(cid.multihash, len(data)) for cid, data in came] + others
        self.count.blocks_received += len(blocks)
        self.count.size_received += sum(size for _, size in blocks)
        self.server.ledgers.note_received(peer, sum(size for _, size in blocks), len(blocks))
        self.client.receive(peer, blocks, message.presences, self._loop.time())
        for cid, data in came:
            self._waiters.give(cid.multihash, data)
        if came and self._sync is None and not self._is_closed:
            self._sync = self._loop.call_later(_SYNC, self._sync_soon)
        self._pump()

    def _store(self, payloads: Sequence[Payload]) -> tuple[list[tuple[CID, Buffer]], list[tuple[bytes, int]]]:
        """Name blocks by hashing them and store those that are wanted. On a hashing thread.

        Returns:
            What was wanted, with its data; and the rest, as multihash (empty: it has none) and size.
        """
        wanted: list[tuple[CID, Buffer]] = []
        others: list[tuple[bytes, int]] = []
        for payload in payloads:
            try:
                cid = payload.name()
            except WireError:
                others.append((b"", len(payload.data)))
                continue
            if self.client.is_wanted(cid.multihash):
                wanted.append((cid, payload.data))
            else:
                others.append((cid.multihash, len(payload.data)))
        if wanted:
            self._storing.is_on = True
            try:
                put_chunks = getattr(self.store, "put_chunks", None)
                if put_chunks is not None:
                    names = iter([cid for cid, _ in wanted])
                    put_chunks([memoryview(data) for _, data in wanted], lambda _: next(names))
                else:
                    self.store.put([Block(cid, bytes(data)) for cid, data in wanted])
                self.blocks_put({cid.multihash: len(data) for cid, data in wanted})
            finally:
                self._storing.is_on = False
        return wanted, others

    def _sync_soon(self) -> None:
        self._sync = None
        self._spawn(self._sync_now(), "sync")

    async def _sync_now(self) -> None:
        try:
            await asyncio.to_thread(self.store.sync)
        except ZwermError as error:
            log.warning("what came could not be made durable: %s", error)

    # What goes out

    def _pump(self) -> None:
        """Carry out what the machines say."""
        if self._is_closed:
            return
        while (peer := self.client.next_peer()) is not None:
            message = self.client.next_message(peer)
            if message is not None:
                self._outgoing(peer).put(message)
        while (task := self.server.next_task()) is not None:
            self._idle_outgoing(task.peer).put(task)
        while (event := self.client.next_event()) is not None:
            if isinstance(event, FindProviders):
                self._spawn(self._search(event), "search")
            elif isinstance(event, GaveUp):
                self._give_up(event)
            else:
                self._drop(event)
        self._alarm.set(self.client.next_timeout())

    def _time_out(self) -> None:
        self.client.handle_timeout(self._loop.time())
        self._pump()

    def _outgoing(self, peer: PeerId) -> Outgoing:
        """Return where wants for a peer go."""
        found = self._wants.get(peer)
        if found is None or found.is_over:
            found = self._wants[peer] = self._open_outgoing(peer)
        return found

    def _idle_outgoing(self, peer: PeerId) -> Outgoing:
        """Return where the next blocks for a peer go."""
        lanes = self._blocks[peer] = [lane for lane in self._blocks.get(peer, ()) if not lane.is_over]
        for lane in lanes:
            if not lane.is_busy:
                return lane
        lanes.append(self._open_outgoing(peer))
        return lanes[-1]

    def _open_outgoing(self, peer: PeerId) -> Outgoing:
        opened = Outgoing(self.host, peer, self._make, self._sent, self._lost, self._stall)
        self._spawn(opened.run(), f"to {peer}")
        return opened

    async def _make(self, item: Message | Task[PeerId], protocol: str) -> list[Buffer]:
        """Return the pieces of a message, for a stream; of a task, once its blocks are read."""
        if isinstance(item, Message):
            return item.framed_pieces(protocol)
        payloads = self._read_nowait(item.blocks) if len(item.blocks) <= _FEW else []
        if len(payloads) < len(item.blocks):
            others, missing = await asyncio.to_thread(self._read, item.blocks[len(payloads) :])
            payloads += others
            if missing:
                self.server.lost(item, missing)
        return Message(payloads=payloads, presences=item.presences, pending=item.pending).framed_pieces(protocol)

    def _sent(self, item: Message | Task[PeerId], took: float) -> None:
        if isinstance(item, Task):
            self._breaks.pop(item.peer, None)
            self.count.blocks_sent += len(item.blocks)
            self.count.size_sent += item.size
            self.server.sent(item.peer, item.size, len(item.blocks), took=took)
            self._pump()

    def _read_nowait(self, cids: Sequence[CID]) -> list[Payload]:
        """Return the first of these blocks, as many as lie in memory and are known to be right."""
        payloads = []
        for cid in cids:
            data = self._lend(cid)
            if data is None:
                break
            payloads.append(Payload(prefix_of(cid), data))
        return payloads

    def _read(self, cids: Sequence[CID]) -> tuple[list[Payload], list[CID]]:
        payloads, missing = [], []
        for cid in cids:
            try:
                payloads.append(Payload(prefix_of(cid), self.store.get(cid)))
            except ZwermError:
                missing.append(cid)
        return payloads, missing

    def _lost(self, peer: PeerId, outgoing: Outgoing, error: ZwermError) -> None:
        """What is for a peer cannot be sent on this stream; on another one, when only the stream is gone."""
        if self._complaints.is_news(peer, "broken off"):
            log.info("bitswap to %s broke off: %s", peer, error)
        self._breaks[peer] = self._breaks.get(peer, 0) + 1
        is_only_stream = isinstance(error, StreamReset) and bool(self.host.connections_to(peer))
        goes_on = is_only_stream and self._breaks[peer] <= _BREAKS
        if outgoing is self._wants.get(peer):
            self.client.remove_peer(peer, self._loop.time())
            if goes_on:
                self._meet(peer)
        elif goes_on:
            self._spawn(self._owe_again(peer, outgoing.unsent), "owe again")
        if not goes_on:
            self.server.remove_peer(peer)
            for lane in self._blocks.pop(peer, ()):
                if lane is not outgoing:
                    lane.stop()
        self._pump()

    async def _owe_again(self, peer: PeerId, tasks: Sequence[Task[PeerId]]) -> None:
        """Have blocks sent that were on a stream which the peer reset."""
        for task in tasks:
            self.server.sent(peer, task.size, 0)
            entries = [Entry(cid, 1, WantType.BLOCK, send_dont_have=True) for cid in task.blocks]
            sizes = await self._sizes(task.blocks)
            if self.host.connections_to(peer):
                self.server.receive_wants(peer, entries, sizes)
        self._pump()

    # Peers

    def _host_event(self, event: HostEvent) -> None:
        if isinstance(event, PeerConnected):
            self._meet(event.peer)
        elif isinstance(event, PeerIdentified):
            if event.protocols.isdisjoint(PROTOCOLS):
                self._remove(event.peer)
            else:
                self._add(event.peer, knows_have=BITSWAP_1_2 in event.protocols)
        elif isinstance(event, PeerDisconnected):
            self._remove(event.peer)
            self._complaints.forget(event.peer)

    def _meet(self, peer: PeerId) -> None:
        protocols = self.host.peers.protocols(peer)
        if not protocols:
            self._unknown.add(peer)
            self.client.expected = len(self._unknown)
            self._loop.call_later(_UNKNOWN, self._presume, peer)
        elif not protocols.isdisjoint(PROTOCOLS):
            self._add(peer, knows_have=BITSWAP_1_2 in protocols)

    def _presume(self, peer: PeerId) -> None:
        if not self._is_closed and peer in self._unknown:
            self._add(peer, knows_have=True)

    def _add(self, peer: PeerId, *, knows_have: bool) -> None:
        self._unknown.discard(peer)
        self.client.expected = len(self._unknown)
        connections = self.host.connections_to(peer)
        if not self._is_closed and not self._banned.find(peer) and connections:
            round_trip = getattr(connections[0], "latency", None)
            self.client.add_peer(peer, self._loop.time(), knows_have=knows_have, round_trip=round_trip)
            self._pump()

    def _remove(self, peer: PeerId) -> None:
        self._breaks.pop(peer, None)
        self._unknown.discard(peer)
        self.client.expected = len(self._unknown)
        self.client.remove_peer(peer, self._loop.time())
        self.server.remove_peer(peer)
        for gone in (self._wants.pop(peer, None), *self._blocks.pop(peer, ())):
            if gone is not None:
                gone.stop()
        self._pump()

    def _drop(self, event: Misbehaved[PeerId]) -> None:
        log.warning("dropped %s: %s", event.peer, event.reason)
        self._banned.put(event.peer, True)  # noqa: FBT003 -- the value says only that it is there
        self._remove(event.peer)
        self._spawn(self.host.disconnect(event.peer), "drop")

    # Looking for others

    async def _search(self, event: FindProviders) -> None:
        """Find providers, connect to them and suggest them to the session."""
        search = self.searches.get(event.session) or Search()
        search.count += 1
        dials = asyncio.Semaphore(_DIALS)
        found: set[PeerId] = set()
        try:
            async with asyncio.TaskGroup() as group, aclosing(self._providers(event.cids)) as providers:
                async for provider in providers:
                    if provider.peer in found or provider.peer == self.host.peer_id:
                        continue
                    found.add(provider.peer)
                    search.providers[provider.peer] = None
                    self.client.suggest(event.session, provider.peer, self._loop.time())
                    self._pump()
                    group.create_task(self._dial(event.session, provider, search, dials))
                    if len(found) >= _ENOUGH or self.client.session(event.session) is None:
                        break
        finally:
            if not self._is_closed:
                self.client.search_ended(event.session, self._loop.time())
                self._pump()

    async def _providers(self, cids: Sequence[CID]) -> AsyncGenerator[Provider, None]:
        if self.routing is None:
            return
        for cid in cids:
            try:
                async with aclosing(self.routing.find_providers(cid)) as providers:
                    async for provider in providers:
                        yield provider
            except ZwermError as error:
                log.info("providers of %s could not be looked for: %s", cid, error)

    async def _dial(self, session: int, provider: Provider, search: Search, dials: asyncio.Semaphore) -> None:
        if self.host.connections_to(provider.peer) or self._banned.find(provider.peer):
            return
        async with dials:
            if self.client.session(session) is None:
                return
            try:
                await self.host.connect(provider.peer, provider.addresses)
            except (TransportError, RemoteProtocolError, ResourceLimitError) as error:
                search.failures[provider.peer] = str(error)

    def _give_up(self, event: GaveUp) -> None:
        session = self.client.session(event.session)
        search = self.searches.get(event.session) or Search()
        for cid in event.cids:
            self._waiters.fail([cid.multihash], FetchFailed.of(cid, session, search), event.session)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = self._loop.create_task(work, name=f"bitswap: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)


class _Heard:
    """A stream that tells of every read: large messages take long on slow links, and are a sign of life."""

    def __init__(self, stream: Stream, heard: Callable[[], None]) -> None:
        self._stream = stream
        self._heard = heard

    async def read_pieces(self, limit: int) -> Sequence[Buffer]:
        pieces = await self._stream.read_pieces(limit)
        self._heard()
        return pieces
