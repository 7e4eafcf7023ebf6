"""Relays found by the node itself: while nobody can dial it, it holds places at two of the peers that relay.

Who is asked decides `zwerm.libp2p.relay.choice`. Candidates are the peers it is connected with directly, and when those
are too few, peers that are remembered to relay; then whoever a walk through the public DHT leads to, as with go-libp2p:
what they identify as says whether they relay.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, TypeAlias

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.libp2p.host import HostEvent, PeerDisconnected, PeerIdentified, ReachabilityChanged
from zwerm.libp2p.identify.aio import is_public
from zwerm.libp2p.relay.choice import RelayChoice, Release, Reserve
from zwerm.libp2p.relay.message import HOP
from zwerm.libp2p.swarm.ranking import is_relayed
from zwerm.multiformats.multiaddr import Multiaddr

if TYPE_CHECKING:
    from zwerm.identity.peer_id import PeerId
    from zwerm.libp2p.swarm.swarm import Swarm
    from zwerm.libp2p.transports.circuit import CircuitTransport
    from zwerm.libp2p.transports.transport import Listener

LOOK: Final = 60.0  # seconds between looks for candidates among the peers that are remembered
DIALS: Final = 4  # of them that are dialled in one look; and at once, of those that a walk leads to
LONGEST: Final = 960.0  # seconds between two walks that led to no relay; they become rarer
IDENTIFY: Final = 10.0  # seconds for a peer to say what it speaks

_FAILURES: Final = (TransportError, RemoteProtocolError, ResourceLimitError)
log: Final = logging.getLogger("zwerm.network")

if TYPE_CHECKING:
    Wander: TypeAlias = Callable[[], Awaitable[Sequence[PeerId]]]


class RelayFinder:
    """Keeps a `RelayChoice` fed, and does what it says."""

    def __init__(
        self,
        swarm: Swarm,
        circuit: CircuitTransport,
        choice: RelayChoice[PeerId] | None = None,
        *,
        wander: Wander | None = None,
    ) -> None:
        """`wander` leads to peers of the network, whose addresses are remembered; None: there is nowhere to look."""
        self.choice: RelayChoice[PeerId] = choice or RelayChoice()
        self._swarm = swarm
        self._circuit = circuit
        self._listeners: dict[PeerId, Listener] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._short = asyncio.Event()
        self._wander = wander
        self._unidentified: dict[PeerId, asyncio.Event] = {}  # dialled, and not known yet for what they speak
        self._loop = asyncio.get_running_loop()

    def start(self, stack: AsyncExitStack) -> None:
        """Begin; it ends with `stack` and the swarm."""
        self._circuit.on_place = self._place
        stack.callback(self._swarm.subscribe(self._hear))
        stack.callback(self._stop)
        self._swarm.spawn(self._look_for_ever(), "look for relays")

    def _stop(self) -> None:
        self._circuit.on_place = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hear(self, event: HostEvent) -> None:
        now = self._loop.time()
        if isinstance(event, (PeerIdentified, PeerDisconnected)) and event.peer in self._unidentified:
            self._unidentified[event.peer].set()
        if isinstance(event, ReachabilityChanged):
            self.choice.want(now, is_wanted=event.is_public is False)
        elif isinstance(event, PeerIdentified):
            if HOP not in event.protocols:
                self.choice.withdraw(event.peer, now)
            elif self._address_of(event.peer) is not None:
                self.choice.offer(event.peer, now)
        elif isinstance(event, PeerDisconnected) and event.peer not in self._listeners:
            self.choice.withdraw(event.peer, now)
        self._act()

    def _address_of(self, relay: PeerId) -> Multiaddr | None:
        """Where others reach a relay, as far as this node sees; None: nowhere, or only it does."""
        for connection in self._swarm.connections_to(relay):
            if not is_relayed(connection.remote_address) and is_public(connection.remote_address):
                return connection.remote_address
        return None

    def _act(self) -> None:
        """Carry out what the choice says, and arm its timer."""
        while (event := self.choice.next_event()) is not None:
            match event:
                case Reserve(relay):
                    self._swarm.spawn(self._reserve(relay), f"reserve at {relay}")
                case Release(relay):
                    self._swarm.spawn(self._release(relay), f"leave {relay}")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.choice.next_timeout()
        if due is not None and not self._swarm.is_closed:
            self._timer = self._loop.call_at(due, self._time_out)
        if self.choice.is_short:
            self._short.set()

    def _time_out(self) -> None:
        self._timer = None
        self.choice.handle_timeout(self._loop.time())
        self._act()

    async def _reserve(self, relay: PeerId) -> None:
        address = self._address_of(relay)
        try:
            if address is None:
                raise TransportError("there is no direct connection with it any more")
            through = address.encapsulate(Multiaddr.from_text(f"/p2p/{relay}/p2p-circuit"))
            self._listeners[relay] = await self._swarm.listen_on(through)
        except _FAILURES as error:
            log.info("no place at the relay %s: %s", relay, error)
            self.choice.failed(relay, self._loop.time())
        else:
            log.info("reachable through the relay %s", relay)
            self.choice.reserved(relay, self._loop.time())
        self._act()

    async def _release(self, relay: PeerId) -> None:
        listener = self._listeners.pop(relay, None)
        if listener is not None:
            await self._swarm.stop_listening(listener)

    def _place(self, relay: PeerId, is_held: bool) -> None:
        """A relay took back a place: another one is asked, this one after a while."""
        if not is_held and relay in self._listeners:
            self.choice.failed(relay, self._loop.time())
            self._act()

    async def _look_for_ever(self) -> None:
        rest = LOOK
        while True:
            await self._short.wait()
            self._short.clear()
            await self._look()
            if self.choice.is_short:
                await self._walk()
            rest = min(2 * rest, LONGEST) if self.choice.is_short else LOOK
            await asyncio.sleep(rest)
            self._act()

    async def _look(self) -> None:
        """Connect with peers that are remembered to relay; what they identify as makes them candidates."""
        store = self._swarm.peers
        known = [
            peer
            for peer in store
            if HOP in store.protocols(peer)
            and not self._swarm.connections_to(peer)
            and any(is_public(each) and not is_relayed(each) for each in store.addresses(peer))
        ]
        for peer in known[:DIALS]:
            await self._meet(peer)

    async def _walk(self) -> None:
        """Connect with peers of the network until there are relays enough among them; the others may be of use too."""
        if self._wander is None:
            return
        try:
            met = await self._wander()
        except _FAILURES as error:
            log.debug("no walk for relays: %s", error)
            return
        store, swarm = self._swarm.peers, self._swarm
        strangers = [
            peer
            for peer in met
            if not swarm.connections_to(peer) and any(is_public(address) for address in store.addresses(peer))
        ]
        while strangers and self.choice.is_short:
            some, strangers = strangers[:DIALS], strangers[DIALS:]
            await asyncio.gather(*(self._meet(peer) for peer in some))

    async def _meet(self, peer: PeerId) -> None:
        """Connect, and wait until the peer has said what it speaks."""
        told = self._unidentified[peer] = asyncio.Event()
        try:
            async with asyncio.timeout(IDENTIFY):
                await self._swarm.connect(peer, force_direct=True)
                await told.wait()
        except (*_FAILURES, TimeoutError) as error:
            log.debug("%s as a relay: %s", peer, str(error) or "it does not say what it speaks")
        finally:
            del self._unidentified[peer]
