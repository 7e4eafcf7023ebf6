"""Peers that the node stays connected with: those of `bootstrap` while it knows nobody, those of peering always.

Kubo, "Peering" and "Bootstrap": what is lost is dialled again, later each time it fails.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError, WireError, ZwermError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.host import Host, HostEvent, PeerDisconnected
from zwerm.multiformats.multiaddr import Multiaddr

log: Final = logging.getLogger("zwerm.network")

_FIRST: Final = 2.0  # seconds until a lost peer is dialled again; doubled with each failure
_LONGEST: Final = 300.0
_TAG: Final = "peering"


def parse_peer_address(text: str) -> tuple[PeerId, Multiaddr | None]:
    """Read `/ip4/192.0.2.7/tcp/4001/p2p/ID`; return the peer and the address before its `/p2p/`, if there is one.

    Raises:
        WireError: no multiaddr, or one that does not end in a peer.
    """
    address = Multiaddr.from_text(text.replace("/ipfs/", "/p2p/"))
    last = address.components[-1]
    if last.protocol.name != "p2p":
        raise WireError(f"{text!r} does not end in /p2p/ID, so nobody could tell who answers there")
    return PeerId.from_text(last.text), Multiaddr(address.components[:-1]) if len(address) > 1 else None


class Peering:
    """Keeps connections to chosen peers. Use it on the loop of the host."""

    def __init__(self, host: Host) -> None:
        self.peers: dict[PeerId, list[Multiaddr]] = {}
        self._host = host
        self._tasks: dict[PeerId, asyncio.Task[None]] = {}
        self._unsubscribe = host.subscribe(self._see)

    def add(self, peer: PeerId, addresses: Sequence[Multiaddr]) -> None:
        """Stay connected to `peer` from now on; more addresses of a known one are added."""
        known = self.peers.setdefault(peer, [])
        known += [address for address in addresses if address not in known]
        self._host.protect(peer, _TAG)
        self._keep(peer)

    def remove(self, peer: PeerId) -> bool:
        """Let `peer` go; return whether it was kept. The connection stays as long as others do."""
        task = self._tasks.pop(peer, None)
        if task is not None:
            task.cancel()
        self._host.unprotect(peer, _TAG)
        return self.peers.pop(peer, None) is not None

    async def close(self) -> None:
        """Dial no more. Idempotent."""
        self._unsubscribe()
        tasks = list(self._tasks.values())
        self.peers.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _see(self, event: HostEvent) -> None:
        if isinstance(event, PeerDisconnected) and event.peer in self.peers:
            self._keep(event.peer)

    def _keep(self, peer: PeerId) -> None:
        current = self._tasks.get(peer)
        if current is None or current.done():
            task = self._tasks[peer] = asyncio.get_running_loop().create_task(self._dial(peer), name=f"peering {peer}")
            task.add_done_callback(lambda done: self._tasks.pop(peer) if self._tasks.get(peer) is done else None)

    async def _dial(self, peer: PeerId) -> None:
        wait = _FIRST
        while not self._host.connections_to(peer):
            try:
                await self._host.connect(peer, self.peers[peer])
            except (TransportError, RemoteProtocolError, ResourceLimitError) as error:
                log.debug("peering: %s", error)
            if self._host.connections_to(peer):  # it may be lost again by now
                return
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST)


async def join_through(host: Host, bootstrap: Sequence[str]) -> None:
    """Connect to the peers of a list, and again while the node is connected to nobody. Runs until it is cancelled."""
    known: list[tuple[PeerId, list[Multiaddr]]] = []
    for text in bootstrap:
        try:
            peer, address = parse_peer_address(text)
        except WireError as error:
            log.warning("bootstrap: %s", error)
        else:
            known.append((peer, [] if address is None else [address]))
    wait = _FIRST
    while known:
        if not host.connections:
            await asyncio.gather(*(_try(host, peer, addresses) for peer, addresses in known))
        wait = _FIRST if host.connections else min(2 * wait, _LONGEST)
        await asyncio.sleep(max(wait, 10.0) if host.connections else wait)


async def _try(host: Host, peer: PeerId, addresses: Sequence[Multiaddr]) -> None:
    try:
        await host.connect(peer, addresses)
    except ZwermError as error:
        log.info("bootstrap: %s", error)
