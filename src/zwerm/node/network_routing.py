"""The node's ways to find things, and what it tells of itself: both DHTs, servers over HTTP, names, providing.

`routing.dht` says whether it is in the DHTs, `routing.delegated` which servers are asked besides, `provide.strategy`
what others are told that it has.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from zwerm.core.errors import ZwermError
from zwerm.multiformats import multicodec

if TYPE_CHECKING:
    from zwerm.ipfs.pins.pin import PinKind
    from zwerm.ipfs.providing.providing import Providing
    from zwerm.ipfs.routing.delegated.server import RoutingApi
    from zwerm.ipfs.routing.router import Router, Routing
    from zwerm.libp2p.kad.aio import Kad
    from zwerm.libp2p.swarm.swarm import Swarm
    from zwerm.multiformats.cid import CID
    from zwerm.node.node import Node

_LOG: Final = logging.getLogger("zwerm.routing")

AT_ONCE: Final = 16  # roots that are provided at the same time; further ones wait for their zone
_BATCH: Final = 512  # multihashes taken up at once
_REST: Final = 9  # times as long as that took, others have their turn: nothing waits for it


class NodeRouting:
    """What `start` made."""

    def __init__(
        self, routing: Routing, wan: Kad | None, lan: Kad | None, providing: Providing | None, api: RoutingApi
    ) -> None:
        self.routing = routing
        self.wan = wan  # None: `routing.dht` is off
        self.lan = lan
        self.providing = providing  # None: nothing is told
        self.api = api

    @property
    def dhts(self) -> tuple[Kad, ...]:
        return tuple(kad for kad in (self.wan, self.lan) if kad is not None)

    @property
    def active_dht(self) -> Kad | None:
        """The public DHT, or the local network's while nobody of the public one is known."""
        return self.wan if self.wan is not None and len(self.wan.dht.table) else self.lan


async def start(node: Node, swarm: Swarm, stack: AsyncExitStack) -> NodeRouting:
    """Start routing on a swarm; what was started is closed by `stack`."""
    from zwerm.ipfs.ipns.validator import IpnsValidator
    from zwerm.ipfs.routing.delegated.client import DelegatedRouter
    from zwerm.ipfs.routing.delegated.server import RoutingApi
    from zwerm.ipfs.routing.dht_router import DhtRouter
    from zwerm.ipfs.routing.router import Routing
    from zwerm.libp2p.kad.aio import Kad, read_addresses_untrusted
    from zwerm.libp2p.kad.config import LAN, WAN
    from zwerm.libp2p.kad.validator import Namespaces, PublicKeyValidator, Validator

    validators: dict[str, Validator] = {"pk": PublicKeyValidator(), "ipns": IpnsValidator(time.time_ns)}
    routers: list[Router] = []
    wan = lan = None
    mode = node.config.text("routing.dht")
    if mode != "off":
        fixed = {"auto": None, "client": False, "server": True}[mode]
        wan = await stack.enter_async_context(Kad(swarm, WAN, validators=validators, is_server=fixed))
        lan = await stack.enter_async_context(Kad(swarm, LAN, validators=validators, is_server=fixed is not False))
        routers += [DhtRouter(lan, "lan dht"), DhtRouter(wan, "dht")]
    routers += [await stack.enter_async_context(DelegatedRouter(url)) for url in node.config.texts("routing.delegated")]
    providing = await _start_providing(node, wan, lan, stack) if wan and lan else None
    routing = Routing(routers, Namespaces(validators), providing=providing)
    api = RoutingApi(
        routing,
        time.time_ns,
        closest=wan,
        read_addresses=lambda addresses: tuple(read_addresses_untrusted(addresses)),
    )
    swarm.find_peer = routing.find_peer
    for router in routers:
        await node.names.add_routing(router)
        stack.callback(node.names.remove_routing, router)
    return NodeRouting(routing, wan, lan, providing, api)


async def _start_providing(node: Node, wan: Kad, lan: Kad, stack: AsyncExitStack) -> Providing | None:
    from zwerm.ipfs.providing.providing import Providing
    from zwerm.ipfs.routing.dht_router import Announcements
    from zwerm.libp2p.swarm.tasks import Tasks

    strategy = node.config.text("provide.strategy")
    if strategy == "none":
        return None
    providing = await stack.enter_async_context(
        Providing(
            Announcements(wan, lan),
            interval=node.config.duration("provide.interval"),
            held=lambda multihashes: _held(node, multihashes),
        )
    )
    tasks = Tasks()
    stack.push_async_callback(tasks.close)
    loop = asyncio.get_running_loop()
    is_open = [True]
    stack.callback(is_open.clear)

    def provide_soon(cid: CID) -> None:
        if not is_open:
            return
        if len(tasks) < AT_ONCE:
            tasks.spawn(_provide(providing, cid), f"provide {cid}")
        else:
            providing.add([cid.multihash])

    def pinned(cid: CID, kind: PinKind | None) -> None:
        if kind is not None:
            loop.call_soon_threadsafe(provide_soon, cid)

    def blocks_put(sizes: Mapping[bytes, int]) -> None:
        loop.call_soon_threadsafe(providing.add, list(sizes))

    node.pins.listeners.append(pinned)
    stack.callback(node.pins.listeners.remove, pinned)
    if strategy == "all":
        node.store.listeners.append(blocks_put)
        stack.callback(node.store.listeners.remove, blocks_put)
    tasks.spawn(_adopt(node, providing, strategy), "take up what is provided")
    return providing


async def _provide(providing: Providing, cid: CID) -> None:
    try:
        await providing.provide(cid.multihash)
    except ZwermError as error:
        _LOG.info("%s could not be provided: %s", cid, error)


async def _adopt(node: Node, providing: Providing, strategy: str) -> None:
    """Take up what was provided before the node was stopped; the sweep tells it in its turn."""
    from zwerm.ipfs.pins.pin import PinKind

    if strategy == "roots":
        for kind in (PinKind.RECURSIVE, PinKind.DIRECT):
            async for pin in node.pins.list(kind):
                providing.adopt([pin.cid.multihash])
        return
    remaining = await asyncio.to_thread(node.store.multihashes)
    clock = asyncio.get_running_loop().time
    began = clock()
    while batch := await asyncio.to_thread(_take, remaining):
        providing.adopt(batch)
        await asyncio.sleep(_REST * (clock() - began))
        began = clock()


def _take(multihashes: Iterator[bytes]) -> list[bytes]:
    return list(itertools.islice(multihashes, _BATCH))


def _held(node: Node, multihashes: Sequence[bytes]) -> list[bytes]:
    from zwerm.multiformats.cid import CID

    return [key for key in multihashes if node.store.has(CID(1, multicodec.RAW, key))]
