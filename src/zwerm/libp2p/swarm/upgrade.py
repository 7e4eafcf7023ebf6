"""Making a connection of a wire (libp2p specs, "connections/README.md", "Upgrading Connections").

multistream-select agrees on a secure channel, its handshake proves who the peer is, and the muxer is the one agreed on
inside it, or, with a peer that did not name any there, by multistream-select once more inside the channel.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.core.machine import Instant
from zwerm.core.random import SYSTEM, Random
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.complaints import Complaints
from zwerm.libp2p.multistream import aio as multistream
from zwerm.libp2p.secure import HandshakeFailed, Records, Secured, SecureHandshake
from zwerm.libp2p.stream import Direction
from zwerm.libp2p.swarm.secured import SecuredConnection
from zwerm.libp2p.transports.wire import Wire
from zwerm.libp2p.yamux.budget import Budget
from zwerm.libp2p.yamux.config import Config as YamuxConfig
from zwerm.libp2p.yamux.session import PROTOCOL as YAMUX
from zwerm.libp2p.yamux.session import Session

if TYPE_CHECKING:
    from zwerm.libp2p.pnet.network_key import NetworkKey
    from zwerm.libp2p.tls.handshake import TlsIdentity

_TLS: Final = "/tls/1.0.0"  # whose modules are loaded on first use
_SAMPLE: Final = 16_384  # bytes that are encrypted to see how fast that is: a record of TLS
MAX_AHEAD: Final = 65_536  # bytes that are received before anybody asks for them, then the wire is paused

BeginHandshake: TypeAlias = Callable[[bool, PeerId | None, Sequence[str]], SecureHandshake]


class Security(NamedTuple):
    """A secure channel, as it is proposed."""

    protocol: str
    begin: BeginHandshake  # given: whether we are the initiator, who is expected, the muxers


def securities(key: PrivateKey, random: Random = SYSTEM) -> tuple[Security, ...]:
    """Return the secure channels that a node has, in order of preference: TLS first where AES is fast.

    `docs/tls.md` has the figures for it.
    """
    from zwerm.libp2p.noise.handshake import PROTOCOL as NOISE
    from zwerm.libp2p.noise.handshake import NoiseHandshake, NoiseIdentity

    identity = NoiseIdentity(key, random)

    def begin_noise(is_initiator: bool, expected: PeerId | None, muxers: Sequence[str]) -> SecureHandshake:
        return NoiseHandshake(identity, is_initiator=is_initiator, random=random, expected=expected, muxers=muxers)

    @functools.cache
    def tls_identity() -> TlsIdentity:
        from zwerm.libp2p.tls.handshake import TlsIdentity

        return TlsIdentity(key, random, time.time())

    def begin_tls(is_initiator: bool, expected: PeerId | None, muxers: Sequence[str]) -> SecureHandshake:
        from zwerm.libp2p.tls.handshake import TlsHandshake

        now = time.time()
        return TlsHandshake(tls_identity(), is_initiator=is_initiator, wall_time=now, expected=expected, muxers=muxers)

    noise, tls = Security(NOISE, begin_noise), Security(_TLS, begin_tls)
    return (tls, noise) if is_aes_fast() else (noise, tls)


@functools.cache
def is_aes_fast() -> bool:
    """Whether AES-GCM, which TLS has, is at least as fast here as the ChaCha20 of noise. Takes a millisecond, once."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

    data, nonce = bytes(_SAMPLE), bytes(12)

    def quickest(seal: Callable[[bytes, bytes, None], bytes]) -> float:
        times = []
        for _ in range(5):
            began = time.perf_counter()
            seal(nonce, data, None)
            times.append(time.perf_counter() - began)
        return min(times)

    return quickest(AESGCM(bytes(32)).encrypt) <= quickest(ChaCha20Poly1305(bytes(32)).encrypt)


class Upgrade:
    """How one node makes connections of wires."""

    def __init__(
        self,
        channels: Sequence[Security],
        *,
        handshake_time: float = 10.0,
        max_inbound: int = 128,
        max_inbound_per_host: int = 32,
        memory: int = 268_435_456,
        yamux: YamuxConfig | None = None,
        network: NetworkKey | None = None,
        clock: Callable[[], Instant] | None = None,
    ) -> None:
        """Begin.

        Args:
            channels: to propose and take, best first.
            handshake_time: seconds that all of it may take.
            max_inbound: handshakes of others under way at once; more are refused.
            max_inbound_per_host: of one IP address.
            memory: bytes that all connections together may hold of what was received and not read; see `Budget`.
            yamux: limits of each session.
            network: the key of a private network, which every wire is encrypted with; None: the public one.
            clock: the loop's, unless given.
        """
        self._channels = {channel.protocol: channel for channel in channels}
        self._handshake_time = handshake_time
        self._max_inbound = max_inbound
        self._max_inbound_per_host = max_inbound_per_host
        self._inbound: Counter[bytes] = Counter()  # by host
        self._budget = Budget(memory)
        self._complaints = Complaints()
        self._yamux = yamux
        self._network = network
        self._clock = clock or asyncio.get_running_loop().time

    async def dial(self, wire: Wire, peer: PeerId | None) -> SecuredConnection:
        """Make a connection of a wire that we opened. A wire of which none comes is closed.

        Raises:
            TransportError: it broke, or took too long; or nothing is spoken by both.
            RemoteProtocolError: the peer keeps to no protocol, or is not `peer`.
        """
        return await self._run(wire, peer, Direction.OUTBOUND)

    async def accept(self, wire: Wire, peer: PeerId | None = None) -> SecuredConnection:
        """Make a connection of a wire that somebody else opened; as `dial`. `peer`: who it must be; None: anybody.

        Raises:
            ResourceLimitError: too many are under way.
        """
        host = wire.remote_address.components[0].value
        total, limit = self._inbound.total(), self._max_inbound
        if total >= limit:
            wire.abort()
            raise ResourceLimitError(f"{total + 1} handshakes of others, the limit is {limit}")
        if self._inbound[host] >= self._max_inbound_per_host:
            wire.abort()
            count, limit = self._inbound[host] + 1, self._max_inbound_per_host
            raise ResourceLimitError(f"{count} handshakes of one host, the limit is {limit}")
        self._inbound[host] += 1
        try:
            return await self._run(wire, peer, Direction.INBOUND)
        finally:
            self._inbound[host] -= 1
            if not self._inbound[host]:
                del self._inbound[host]

    async def _run(self, wire: Wire, peer: PeerId | None, direction: Direction) -> SecuredConnection:
        phase = "secure channel"
        if self._network is not None:
            from zwerm.libp2p.pnet.private_wire import PrivateWire

            wire = PrivateWire(wire, self._network, SYSTEM)
        channel = _Channel(wire)
        try:
            async with asyncio.timeout(self._handshake_time):
                protocol, secured = await self._secure(channel, peer, direction)
                channel.protect(secured.records)
                phase = "muxer"
                if secured.muxer is None:
                    _, ahead = await _agree(channel, (YAMUX,), direction)
                    channel.push_back(ahead)
        except TimeoutError:
            wire.abort()
            raise TransportError(f"{phase}: no agreement in {self._handshake_time:g} s") from None
        except TransportError as error:
            wire.abort()
            raise TransportError(f"{phase}: {error}") from error
        except RemoteProtocolError as error:
            wire.close()  # with what tells the peer why
            raise RemoteProtocolError(f"{phase}: {error}") from error
        except BaseException:
            wire.abort()
            raise
        session = Session(
            is_client=direction is Direction.OUTBOUND, now=self._clock(), config=self._yamux, budget=self._budget
        )
        connection = SecuredConnection(
            wire,
            secured,
            session,
            security=protocol,
            direction=direction,
            clock=self._clock,
            ahead=channel.take(None),
            complaints=self._complaints,
        )
        channel.hand_over(connection)
        return connection

    async def _secure(self, channel: _Channel, peer: PeerId | None, direction: Direction) -> tuple[str, Secured]:
        protocol, ahead = await _agree(channel, tuple(self._channels), direction)
        channel.push_back(ahead)
        handshake = self._channels[protocol].begin(direction is Direction.OUTBOUND, peer, (YAMUX,))
        while True:
            if data := handshake.data_to_send():
                await channel.write(data)
            match handshake.next_event():
                case Secured() as secured:
                    return protocol, secured
                case HandshakeFailed(cause):
                    raise RemoteProtocolError(cause)
            if data := await channel.read():
                channel.push_back(data[handshake.receive_data(data, self._clock()) :])
            else:
                handshake.receive_eof(self._clock())


async def _agree(channel: _Channel, protocols: Sequence[str], direction: Direction) -> tuple[str, bytes]:
    if direction is Direction.OUTBOUND:
        return await multistream.dial(channel, protocols)
    return await multistream.listen(channel, protocols.__contains__)


class _Channel:
    """Reading and writing on a wire while the handshake goes on."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._received = bytearray()
        self._records: Records | None = None
        self._has_ended = False
        self._lost: str | None = None
        self._reader: asyncio.Future[None] | None = None
        self._next: SecuredConnection | None = None
        wire.start(self)

    async def read(self, limit: int = MAX_AHEAD) -> bytes:
        while not self._received:
            if self._lost is not None:
                raise TransportError(self._lost)
            if self._has_ended:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self.take(limit)

    async def write(self, data: bytes) -> None:
        self._wire.write(self._records.encrypt([data]) if self._records else data)

    def take(self, limit: int | None) -> bytes:
        """Return what is here, or the first `limit` bytes of it."""
        data = bytes(self._received[:limit])
        del self._received[:limit]
        self._wire.resume()
        return data

    def push_back(self, data: bytes) -> None:
        """Put back what was read and belongs to what follows."""
        self._received[:0] = data

    def protect(self, records: Records) -> None:
        """Encrypt and decrypt from here on."""
        self._records = records
        received = self._received
        self._received = bytearray()
        if received:
            self._decrypt_untrusted(memoryview(received))

    def hand_over(self, connection: SecuredConnection) -> None:
        """Tell the connection what it did not see."""
        if self._lost is not None:
            connection.wire_lost(self._lost)
        elif self._has_ended:
            connection.wire_ended()

    def wire_received(self, data: memoryview) -> None:
        if self._records is None:
            self._received += data
        else:
            try:
                self._decrypt_untrusted(data)
            except RemoteProtocolError as error:
                self._lost = str(error)
                self._wire.abort()
        if len(self._received) > MAX_AHEAD:
            self._wire.pause()
        self._wake()

    def wire_ended(self) -> None:
        self._has_ended = True
        self._wake()

    def wire_writable(self) -> None:
        """What a handshake writes is small."""

    def wire_lost(self, reason: str) -> None:
        self._lost = self._lost or reason
        self._wake()

    def _decrypt_untrusted(self, data: memoryview) -> None:
        assert self._records is not None  # noqa: S101
        for plaintext in self._records.decrypt_untrusted(data):
            self._received += plaintext

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
