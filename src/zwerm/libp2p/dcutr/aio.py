"""dcutr on a swarm: a connection that came through a relay is replaced by a direct one, where that can be.

Whoever was called (B) begins: it dials the caller (A) if that says it is public, else both agree through the relay to
dial at once, three times at most. Once a direct connection stands new streams take it, and the relayed one is closed
when its streams have ended or a while is over. Where no attempt succeeds it stays as it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.dcutr.coordination import Answerer, CoordinationFailed, DialNow, Opener
from zwerm.libp2p.dcutr.message import PROTOCOL
from zwerm.libp2p.identify.aio import is_public
from zwerm.libp2p.stream import Connection, Direction, MuxedConnection, Stream, StreamReset
from zwerm.libp2p.swarm.ranking import is_relayed
from zwerm.libp2p.swarm.swarm import Swarm
from zwerm.libp2p.transports.transport import HolePuncher
from zwerm.multiformats.multiaddr import Multiaddr

ATTEMPTS: Final = 3  # "Inbound peers SHOULD retry twice"
DIAL_TIME: Final = 5.0  # seconds for a direct dial, and for the dials of both at once
MAX_TOLD: Final = 8  # addresses of ours that are told
MAX_DIALLED: Final = 8  # addresses of the other side that are dialled in one attempt
MAX_UNDER_WAY: Final = 32  # upgrades at once in each role; peers beyond stay relayed
ANSWERED_AT_ONCE: Final = 2  # attempts of one peer: its next one may come while the last is not quite over
GRACE: Final = 5.0  # seconds that a relayed connection stays beside a direct one
LONGEST_GRACE: Final = 60.0  # seconds, when streams are still open on it
_LOOK: Final = 1.0  # seconds between two looks whether they are

_FAILURES: Final = (TransportError, RemoteProtocolError, ResourceLimitError, TimeoutError)
_LOG: Final = logging.getLogger("zwerm.libp2p")


class DirectUpgrade:
    """dcutr of one swarm, both roles."""

    def __init__(self, swarm: Swarm, *, grace: float = GRACE, longest_grace: float = LONGEST_GRACE) -> None:
        """Make it; it acts from `start` on. Its tasks end with the swarm."""
        self._swarm = swarm
        self._grace = grace
        self._longest_grace = longest_grace
        self._under_way: set[PeerId] = set()  # that called us
        self._answering: Counter[PeerId] = Counter()  # that we called
        self._arrivals: dict[PeerId, asyncio.Future[None]] = {}  # of a direct connection, while both dial
        self._leaving: set[PeerId] = set()  # whose relayed connections are about to be closed
        self._is_started = False
        self.succeeded = 0  # upgrades since the start, in either role
        self.failed = 0

    def start(self) -> None:
        self._is_started = True
        self._swarm.handle(PROTOCOL, self._answer, allow_limited=True)
        self._swarm.on_connection(self._look)

    def stop(self) -> None:
        """Begin nothing more, and answer nobody."""
        self._is_started = False
        self._swarm.unhandle(PROTOCOL)

    def _look(self, connection: Connection) -> None:
        """Begin what a new connection asks for."""
        peer = connection.remote_peer
        if not self._is_started:
            return
        if not is_relayed(connection.remote_address):
            if (arrival := self._arrivals.get(peer)) is not None and not arrival.done():
                arrival.set_result(None)
            if len(self._swarm.connections_to(peer)) > 1 and peer not in self._leaving:
                self._leaving.add(peer)
                self._swarm.spawn(self._leave_relay(peer), f"leave the relay of {peer}")
        elif connection.direction is Direction.INBOUND and self._may_begin(peer):
            self._under_way.add(peer)
            self._swarm.spawn(self._upgrade(connection), f"direct way to {peer}")

    def _may_begin(self, peer: PeerId) -> bool:
        return peer not in self._under_way and len(self._under_way) < MAX_UNDER_WAY and not self._has_direct(peer)

    def _has_direct(self, peer: PeerId) -> bool:
        return any(not is_relayed(each.remote_address) for each in self._swarm.connections_to(peer))

    # B: we were called

    async def _upgrade(self, relayed: Connection) -> None:
        peer = relayed.remote_peer
        reason = ""
        try:
            for _ in range(ATTEMPTS):
                try:
                    await self._attempt(relayed)
                except _FAILURES as error:
                    reason = str(error) or "it took too long"
                if self._has_direct(peer):
                    self._note(peer, is_direct=True)
                    return
                if relayed not in self._swarm.connections_to(peer):
                    return  # the peer is gone
            self._note(peer, is_direct=False, reason=reason)
        finally:
            self._under_way.discard(peer)

    def _note(self, peer: PeerId, *, is_direct: bool, reason: str = "") -> None:
        if is_direct:
            self.succeeded += 1
            _LOG.info("%s is reached directly now", peer)
        else:
            self.failed += 1
            _LOG.info("%s stays behind its relay: %s", peer, reason or "no address led to it")

    async def _attempt(self, relayed: Connection) -> None:
        """Dial the caller, or agree with it to dial at once. Whether it came to anything, the swarm shows."""
        peer, swarm = relayed.remote_peer, self._swarm
        if swarm.identify is not None:
            await swarm.identify.identify(relayed)  # where it says that it is, freshly
        if any(True for _ in self._dialled(swarm.peers.addresses(peer))):
            try:
                async with asyncio.timeout(DIAL_TIME):
                    await swarm.connect(peer, force_direct=True)
            except _FAILURES as error:
                _LOG.debug("%s cannot be dialled: %s", peer, str(error) or "no answer in time")
            else:
                return
        async with await relayed.open_stream([PROTOCOL]) as stream:
            theirs = await _agree(Opener(self._told(), now=_now()), stream)
        await self._punch(peer, theirs, is_client=False)

    # A: we called

    async def _answer(self, stream: Stream) -> None:
        connection = stream.connection
        peer = connection.remote_peer
        if not is_relayed(connection.remote_address):
            raise RemoteProtocolError("dcutr on a connection that is direct")
        busy = self._answering
        if self._has_direct(peer) or busy[peer] >= ANSWERED_AT_ONCE or busy.total() >= MAX_UNDER_WAY:
            stream.reset()
            return
        busy[peer] += 1
        try:
            theirs = await _agree(Answerer(self._told(), now=_now()), stream)
            await self._punch(peer, theirs, is_client=True)
            if self._has_direct(peer):
                self._note(peer, is_direct=True)
        finally:
            busy[peer] -= 1
            if not busy[peer]:
                del busy[peer]

    # Both

    def _told(self) -> list[Multiaddr]:
        """Where we may be reached: what is announced, then what others see us at."""
        swarm = self._swarm
        seen = () if swarm.identify is None else swarm.identify.seen_at()
        own = dict.fromkeys([*swarm.addresses, *seen])
        return [each for each in own if is_public(each) and not is_relayed(each)][:MAX_TOLD]

    def _dialled(self, addresses: Iterable[Multiaddr]) -> list[Multiaddr]:
        """Of untrusted addresses those that may be dialled: a peer must not have us dial into our own network."""
        return [
            each
            for each in dict.fromkeys(addresses)
            if is_public(each)
            and not is_relayed(each)
            and self._swarm.address_refusal(each) is None
            and self._puncher(each) is not None
        ][:MAX_DIALLED]

    def _puncher(self, address: Multiaddr) -> HolePuncher | None:
        for transport in self._swarm.transports:
            if isinstance(transport, HolePuncher) and transport.can_punch(address):
                return transport
        return None

    async def _punch(self, peer: PeerId, addresses: Sequence[Multiaddr], *, is_client: bool) -> None:
        """Dial everything at once until a direct connection stands, at most `DIAL_TIME`.

        Who names nothing that can be dialled may still reach us.

        The client keeps the first and drops the others. The server keeps what comes, as it cannot know which one the
        client keeps.

        Raises:
            TransportError: none stands, and why.
        """
        wanted = self._dialled(addresses)
        if not wanted and not self._told():
            raise TransportError(f"{peer} names no public address that can be dialled from here, and has none to dial")
        reasons: list[str] = []
        loop = asyncio.get_running_loop()
        dials = {loop.create_task(self._dial(each, peer, is_client=is_client)) for each in wanted}
        arrival = self._arrivals.setdefault(peer, loop.create_future())
        deadline = loop.time() + DIAL_TIME
        try:
            while dials or not (wanted or arrival.done()):
                if self._has_direct(peer):
                    deadline = min(deadline, loop.time() + (0.0 if is_client else _LOOK))
                if (left := deadline - loop.time()) <= 0:
                    break
                waited: set[asyncio.Future[None]] = {*dials} if arrival.done() else {*dials, arrival}
                done, _ = await asyncio.wait(waited, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                reasons += [str(each.exception()) for each in done & dials if each.exception() is not None]
                dials -= done
        finally:
            self._arrivals.pop(peer, None)
            for each in dials:
                each.cancel()
            await asyncio.gather(*dials, return_exceptions=True)
        if not self._has_direct(peer):
            raise TransportError("; ".join(reasons) or f"no answer in {DIAL_TIME:g} s")

    async def _dial(self, address: Multiaddr, peer: PeerId, *, is_client: bool) -> None:
        puncher = self._puncher(address)
        if puncher is None:
            return
        made: MuxedConnection | None = None
        try:
            made = await puncher.punch(address, peer, is_client=is_client)
        except _FAILURES as error:
            raise TransportError(f"{address}: {error}") from error
        if is_client and self._has_direct(peer):
            await made.close()
        else:
            self._swarm.adopt(made)

    async def _leave_relay(self, peer: PeerId) -> None:
        """Close relayed connections once the direct one has proved itself, and nobody uses them any more."""
        try:
            await asyncio.sleep(self._grace)
            waited = self._grace
            while self._has_direct(peer):
                relayed = [each for each in self._swarm.connections_to(peer) if is_relayed(each.remote_address)]
                is_late = waited >= self._longest_grace
                idle = [each for each in relayed if is_late or not each.streams]
                for each in idle:
                    await each.close("there is a direct connection now")
                if len(idle) == len(relayed):
                    return
                await asyncio.sleep(_LOOK)
                waited += _LOOK
        finally:
            self._leaving.discard(peer)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _agree(machine: Opener | Answerer, stream: Stream) -> tuple[Multiaddr, ...]:
    """Run one side until it says to dial.

    Raises:
        TransportError: it will not.
    """
    while True:
        if data := machine.data_to_send():
            await stream.write(data)
        match machine.next_event():
            case DialNow(addresses):
                return addresses
            case CoordinationFailed(cause):
                raise TransportError(cause)
        try:
            async with asyncio.timeout_at(machine.next_timeout()):
                try:
                    data = await stream.read()
                except StreamReset:
                    data = b""  # after the last message it does not matter how the stream ends
        except TimeoutError:
            machine.handle_timeout(_now())
            continue
        if data:
            machine.receive_data(data, _now())
        else:
            machine.receive_eof(_now())
            if (due := machine.next_timeout()) is not None:
                await asyncio.sleep(max(0.0, due - _now()))
                machine.handle_timeout(due)
