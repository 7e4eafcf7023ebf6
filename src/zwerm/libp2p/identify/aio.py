"""identify on a swarm: ask each peer once it is connected, answer those who ask, push what changes.

What peers say goes to the peer store, and `PeerIdentified` is told. What they see of us becomes an address of ours once
enough of them agree.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from typing import Final

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError, WireError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.framing import MessageReader, write_message
from zwerm.libp2p.host import AddressesChanged, HostEvent, PeerIdentified
from zwerm.libp2p.identify.message import MAX_PART, MAX_PARTS, Identify
from zwerm.libp2p.identify.observations import Observations
from zwerm.libp2p.identify.peer_record import PeerRecord
from zwerm.libp2p.stream import Connection, Direction, Stream
from zwerm.libp2p.swarm.ranking import is_relayed
from zwerm.libp2p.swarm.swarm import Swarm
from zwerm.multiformats.multiaddr import Multiaddr

PROTOCOL: Final = "/ipfs/id/1.0.0"
PUSH: Final = "/ipfs/id/push/1.0.0"
PROTOCOL_VERSION: Final = "ipfs/0.1.0"

ANSWER_TIME: Final = 10.0  # seconds that a peer has to identify itself
PUSH_DELAY: Final = 0.5  # seconds in which changes are gathered
LIFETIME: Final = 3_600.0  # seconds that a peer's own addresses are remembered
MAX_OWN_ADDRESSES: Final = 32  # that are told, so that the message stays below what others take

_LOG: Final = logging.getLogger("zwerm.libp2p")


class IdentifyService:
    """identify and identify push of one swarm."""

    def __init__(self, swarm: Swarm, *, agent: str, protocol_version: str = PROTOCOL_VERSION) -> None:
        self._swarm = swarm
        self._agent = agent
        self._protocol_version = protocol_version
        self._observations = Observations()
        self._observed: set[Multiaddr] = set()  # of the swarm's addresses, those that we added
        self._sequence = 0
        self._pushing: asyncio.TimerHandle | None = None
        self._pushed: tuple[object, ...] = ()
        swarm.handle(PROTOCOL, self._answer, allow_limited=True)
        swarm.handle(PUSH, self._receive_push, allow_limited=True)
        swarm.on_connection(self._begin)
        swarm.on_protocols(self.push_soon)
        swarm.subscribe(self._see)

    def close(self) -> None:
        """Push no more. The tasks are the swarm's."""
        if self._pushing is not None:
            self._pushing.cancel()
            self._pushing = None

    def message_for(self, connection: Connection) -> Identify:
        """Return what is told to the peer of `connection`."""
        swarm = self._swarm
        addresses = tuple(swarm.addresses)[:MAX_OWN_ADDRESSES]
        self._sequence = max(self._sequence + 1, time.time_ns())
        return Identify(
            swarm.key.public.serialize(),
            addresses,
            tuple(swarm.protocols),
            connection.remote_address,
            self._protocol_version,
            self._agent,
            PeerRecord(swarm.peer_id, self._sequence, addresses).seal(swarm.key),
        )

    async def identify(self, connection: Connection) -> Identify:
        """Ask the peer who it is.

        Raises:
            TransportError, RemoteProtocolError, ResourceLimitError: it does not say.
        """
        try:
            async with asyncio.timeout(ANSWER_TIME), await connection.open_stream([PROTOCOL]) as stream:
                message = await _read_untrusted(stream)
        except TimeoutError:
            raise TransportError(f"{connection.remote_peer} did not identify itself in {ANSWER_TIME:g} s") from None
        self._learn_untrusted(connection, message)
        return message

    # Asking

    def _begin(self, connection: Connection) -> None:
        self._swarm.spawn(self._ask(connection), f"identify {connection.remote_peer}")

    async def _ask(self, connection: Connection) -> None:
        try:
            await self.identify(connection)
        except TransportError as error:
            _LOG.debug("%s", error)
        except (RemoteProtocolError, ResourceLimitError) as error:
            _LOG.info("%s did not identify itself: %s", connection.remote_peer, error)

    def _learn_untrusted(self, connection: Connection, message: Identify) -> None:
        """Remember what a peer says of itself, which is its own to say; and of us, which is counted."""
        peer, store = connection.remote_peer, self._swarm.peers
        if message.public_key is not None:
            self._check_key_untrusted(peer, message.public_key)
        record = None
        if message.signed_record is not None:
            record = PeerRecord.open_untrusted(message.signed_record)
            if record.peer != peer:
                raise WireError(f"{peer} shows the record of {record.peer} as its own")
        if message.protocols:
            store.set_protocols(peer, message.protocols)
        if message.agent_version is not None:
            store.set_agent(peer, message.agent_version)
        addresses = message.listen_addresses
        if record is not None and store.set_signed_record(peer, message.signed_record or b"", record.sequence):
            addresses = record.addresses or addresses
        store.add_addresses(peer, addresses, LIFETIME)
        if message.observed_address is not None:
            self._observe_untrusted(connection, message.observed_address)
        self._swarm.emit(PeerIdentified(peer, store.protocols(peer)))

    @staticmethod
    def _check_key_untrusted(peer: PeerId, encoded: bytes) -> None:
        from zwerm.identity.keys import PublicKey

        if not peer.matches(PublicKey.parse(encoded)):
            raise WireError(f"{peer} names another's key as its own")

    def _observe_untrusted(self, connection: Connection, address: Multiaddr) -> None:
        """Count where a peer sees us, if others could call there: it called us, or we left from where we listen."""
        if is_relayed(connection.remote_address):
            return
        if connection.direction is not Direction.INBOUND and not self._is_listening(connection.local_address):
            return
        observer = connection.remote_address.components[0]
        if observer.protocol.name not in ("ip4", "ip6") or not is_public(address):
            return
        if address.names != connection.local_address.names:
            return
        network = observer.value[:2] if observer.protocol.name == "ip4" else observer.value[:4]
        now = self._swarm.clock()
        self._observations.add(network.hex(), address, now)
        believed = set(self._observations.believed(now))
        for new in believed - self._observed:
            self._swarm.add_external_address(new)
        for old in self._observed - believed:
            self._swarm.remove_external_address(old)
        self._observed = believed

    def _is_listening(self, local: Multiaddr) -> bool:
        """Whether a connection left from a port that is listened on."""
        end = local.components[:2]
        listening = (address.components[:2] for address in self._swarm.listen_addresses)
        return any((end[0].protocol, end[1:]) == (other[0].protocol, other[1:]) for other in listening)

    def seen_at(self) -> tuple[Multiaddr, ...]:
        """Return every address that a peer has seen us at lately, most of them first; none of them need be true."""
        return self._observations.believed(self._swarm.clock(), enough=1)

    # Answering and pushing

    async def _answer(self, stream: Stream) -> None:
        await write_message(stream, self.message_for(stream.connection).serialize())

    async def _receive_push(self, stream: Stream) -> None:
        async with asyncio.timeout(ANSWER_TIME):
            self._learn_untrusted(stream.connection, await _read_untrusted(stream))

    def _see(self, event: HostEvent) -> None:
        if isinstance(event, AddressesChanged):
            self.push_soon()

    def push_soon(self) -> None:
        """Tell every peer, in a moment, what is different now."""
        if self._pushing is None:
            self._pushing = asyncio.get_running_loop().call_later(PUSH_DELAY, self._push)

    def _push(self) -> None:
        self._pushing = None
        swarm = self._swarm
        state = (tuple(swarm.addresses), tuple(swarm.protocols))
        if state == self._pushed or swarm.is_closed:
            return
        self._pushed = state
        for peer in {connection.remote_peer for connection in swarm.connections}:
            if PUSH in swarm.peers.protocols(peer):
                swarm.spawn(self._push_to(swarm.connections_to(peer)[0]), f"push to {peer}")

    async def _push_to(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(ANSWER_TIME), await connection.open_stream([PUSH]) as stream:
                await write_message(stream, self.message_for(connection).serialize())
        except (TransportError, RemoteProtocolError, ResourceLimitError, TimeoutError) as error:
            _LOG.debug("push to %s: %s", connection.remote_peer, error)


async def _read_untrusted(stream: Stream) -> Identify:
    reader = MessageReader(stream, MAX_PART)
    parts: list[bytes] = []
    while (part := await reader.read()) is not None:
        if len(parts) == MAX_PARTS:
            raise WireError(f"identify in more than {MAX_PARTS} parts")
        parts.append(part)
    return Identify.parse(parts)


def is_public(address: Multiaddr) -> bool:
    """Whether it begins with an IP address that the whole internet can reach."""
    first = address.components[0]
    return first.protocol.name in ("ip4", "ip6") and ipaddress.ip_address(first.text).is_global
