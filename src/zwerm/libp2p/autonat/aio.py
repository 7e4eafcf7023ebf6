"""Asking others to dial us, and dialling for them: AutoNAT v2 both ways, v1 as the one who answers.

A dial for somebody else is made by a transport itself, outside the swarm, so that no connection that is there already
is taken for an answer. An address that is not where the asker comes from costs the asker bytes first: more than a
handshake costs whoever is dialled. A relayed asker is refused, since nobody knows where it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeAlias

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError, WireError
from zwerm.core.machine import Instant
from zwerm.core.random import SYSTEM, Random
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.autonat import first_version
from zwerm.libp2p.autonat.message import (
    CHUNK,
    DIAL_BACK,
    DIAL_REQUEST,
    MAX_ADDRESSES,
    MAX_MESSAGE,
    DialDataRequest,
    DialDataResponse,
    DialRequest,
    DialResponse,
    DialStatus,
    Message,
    ResponseStatus,
    parse_dial_back,
    parse_message,
    serialize_dial_back,
    serialize_dial_back_response,
    serialize_message,
)
from zwerm.libp2p.autonat.rates import RateLimit, Rates
from zwerm.libp2p.framing import Readable, read_message, write_message
from zwerm.libp2p.host import Host
from zwerm.libp2p.multistream import aio as multistream
from zwerm.libp2p.stream import Connection, MuxedConnection, Stream
from zwerm.multiformats.multiaddr import Multiaddr

REQUEST_TIME: Final = 15.0  # seconds for one message of the other side
DIAL_TIME: Final = 15.0  # seconds for a dial for somebody
ASK_TIME: Final = 60.0  # seconds for an answer to a request of ours, with the data that it may cost
DATA: Final = range(30_000, 100_001)  # bytes that a dial to elsewhere costs
MOST_DATA: Final = 131_072  # bytes that we pay at most

Dial: TypeAlias = Callable[[Multiaddr, PeerId], Awaitable[MuxedConnection]]

_LOG: Final = logging.getLogger("zwerm.libp2p")


class AutonatServer:
    """Dials for others."""

    def __init__(
        self,
        host: Host,
        dial: Dial,
        *,
        may_dial: Callable[[Multiaddr], bool],
        rates: Rates | None = None,
        clock: Callable[[], Instant] | None = None,
        random: Random = SYSTEM,
    ) -> None:
        """Make a server; it answers from `start` on.

        Args:
            host: whose peers ask.
            dial: makes a connection of its own to an address; raises as `Transport.dial`.
            may_dial: whether an address is one to dial for others: public, and of a transport that we have.
            rates: dials in a minute.
            clock: monotonic seconds; the loop's unless given.
            random: for the number of bytes that are asked for.
        """
        self._host = host
        self._dial = dial
        self._may_dial = may_dial
        self._rates = RateLimit(rates or Rates())
        self._clock = clock or asyncio.get_running_loop().time
        self._random = random

    def start(self) -> None:
        self._host.handle(DIAL_REQUEST, self._answer)
        self._host.handle(first_version.PROTOCOL, self._answer_first)

    def stop(self) -> None:
        self._host.unhandle(DIAL_REQUEST)
        self._host.unhandle(first_version.PROTOCOL)

    async def _answer(self, stream: Stream) -> None:
        request = await _read(stream)
        if not isinstance(request, DialRequest):
            raise WireError(f"autonat request is a {type(request).__name__}")
        await _write(stream, await self._serve(stream, request))

    async def _serve(self, stream: Stream, request: DialRequest) -> DialResponse:
        peer = stream.connection.remote_peer
        if stream.connection.is_limited or not self._rates.take(peer, self._clock()):
            return DialResponse(ResponseStatus.E_REQUEST_REJECTED)
        found = next(self._chosen(request.addresses), None)
        if found is None:
            return DialResponse(ResponseStatus.E_DIAL_REFUSED)
        place, address = found
        if _ip(address) != _ip(stream.connection.remote_address):
            await self._take_payment(stream, place)
        return DialResponse(ResponseStatus.OK, place, await self._dial_back(peer, address, request.nonce))

    def _chosen(self, addresses: Sequence[bytes]) -> Iterator[tuple[int, Multiaddr]]:
        for place, data in enumerate(addresses):
            address = _readable_untrusted(data)
            if address is not None and self._may_dial(address):
                yield place, address

    async def _take_payment(self, stream: Stream, place: int) -> None:
        size = DATA[int(self._random.random() * len(DATA))]
        await _write(stream, DialDataRequest(place, size))
        while size > 0:
            part = await _read(stream)
            if not isinstance(part, DialDataResponse) or not 0 < len(part.data) <= CHUNK:
                raise WireError(f"autonat payment is {str(part)[:80]}, expected 1 to {CHUNK} bytes")
            size -= len(part.data)

    async def _dial_back(self, peer: PeerId, address: Multiaddr, nonce: int) -> DialStatus:
        try:
            async with asyncio.timeout(DIAL_TIME):
                connection = await self._dial(address, peer)
        except (TransportError, RemoteProtocolError, TimeoutError):
            return DialStatus.E_DIAL_ERROR
        try:
            async with asyncio.timeout(REQUEST_TIME):
                await _hand_over(connection, nonce)
        except (TransportError, RemoteProtocolError, ResourceLimitError, TimeoutError):
            return DialStatus.E_DIAL_BACK_ERROR
        finally:
            await connection.close()
        return DialStatus.OK

    async def _answer_first(self, stream: Stream) -> None:
        async with asyncio.timeout(REQUEST_TIME):
            data = await read_message(stream, MAX_MESSAGE)
        try:
            identity, addresses = first_version.parse_dial(data or b"")
        except WireError as error:
            await write_message(stream, first_version.serialize_response(first_version.Status.E_BAD_REQUEST))
            _LOG.info("autonat request of %s: %s", stream.connection.remote_peer, error)
            return
        await write_message(stream, await self._serve_first(stream.connection, identity, addresses))

    async def _serve_first(self, connection: Connection, identity: bytes, addresses: Sequence[bytes]) -> bytes:
        status, peer = first_version.Status, connection.remote_peer
        if identity != bytes(peer):
            return first_version.serialize_response(status.E_BAD_REQUEST, "that is not who you are")
        if connection.is_limited or not self._rates.take(peer, self._clock()):
            return first_version.serialize_response(status.E_DIAL_REFUSED, "not now")
        # "MUST NOT dial any multiaddress unless it is based on the IP address the requesting node is observed as"
        here = [address for _, address in self._chosen(addresses) if _ip(address) == _ip(connection.remote_address)]
        if not here:
            return first_version.serialize_response(status.E_DIAL_REFUSED, "none of these is where you come from")
        for address in here[:2]:
            try:
                async with asyncio.timeout(DIAL_TIME):
                    made = await self._dial(address, peer)
            except (TransportError, RemoteProtocolError, TimeoutError):
                continue
            await made.close()
            return first_version.serialize_response(status.OK, address=bytes(address))
        return first_version.serialize_response(status.E_DIAL_ERROR, "no address led to you")


class AutonatClient:
    """Asks others to dial us."""

    def __init__(self, host: Host, *, random: Random = SYSTEM) -> None:
        self._host = host
        self._random = random
        self._waiting: dict[int, asyncio.Future[None]] = {}  # by nonce

    def start(self) -> None:
        self._host.handle(DIAL_BACK, self._hear)

    def stop(self) -> None:
        self._host.unhandle(DIAL_BACK)

    async def ask(self, server: PeerId, addresses: Sequence[Multiaddr]) -> tuple[Multiaddr, bool] | None:
        """Have `server` dial one of `addresses`, in order of preference; return which, and whether it was reached.

        Returns:
            None when the server dialled nothing, or says that it did and nobody came.

        Raises:
            DialFailed, ProtocolNotSupported, StreamReset, WireError: see there; nothing is known then.
            TransportError: no answer in `ASK_TIME` seconds.
        """
        nonce = int.from_bytes(self._random.randbytes(8), "big")
        came: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[nonce] = came
        try:
            async with asyncio.timeout(ASK_TIME), await self._host.open_stream(server, [DIAL_REQUEST]) as stream:
                response = await self._exchange(stream, addresses[:MAX_ADDRESSES], nonce)
        except TimeoutError:
            raise TransportError(f"{server} did not answer in {ASK_TIME:g} s") from None
        finally:
            del self._waiting[nonce]
        if response.status is not ResponseStatus.OK or response.place >= min(len(addresses), MAX_ADDRESSES):
            return None
        address = addresses[response.place]
        if response.dial_status is DialStatus.OK:
            return (address, True) if came.done() else None
        return (address, False) if response.dial_status is DialStatus.E_DIAL_ERROR else None

    async def _exchange(self, stream: Stream, addresses: Sequence[Multiaddr], nonce: int) -> DialResponse:
        await _write(stream, DialRequest(tuple(map(bytes, addresses)), nonce))
        while True:
            answer = await _read(stream, DIAL_TIME + 2 * REQUEST_TIME)
            if isinstance(answer, DialResponse):
                return answer
            if not isinstance(answer, DialDataRequest):
                raise WireError(f"autonat answer is a {type(answer).__name__}")
            if answer.size > MOST_DATA:
                raise WireError(f"autonat asks for {answer.size} bytes, expected at most {MOST_DATA}")
            for start in range(0, answer.size, CHUNK):
                await _write(stream, DialDataResponse(bytes(min(CHUNK, answer.size - start))))

    async def _hear(self, stream: Stream) -> None:
        async with asyncio.timeout(REQUEST_TIME):
            nonce = parse_dial_back(await read_message(stream, MAX_MESSAGE) or b"")
        came = self._waiting.get(nonce)
        if came is None:
            raise WireError("autonat dial with a number that we did not give")
        if not came.done():
            came.set_result(None)
        await write_message(stream, serialize_dial_back_response())


class _Prefixed:
    """A stream, with what was read of it already before the rest."""

    def __init__(self, stream: Readable, ahead: bytes) -> None:
        self._stream = stream
        self._ahead = ahead

    async def read(self, limit: int = 65_536) -> bytes:
        if self._ahead:
            data, self._ahead = self._ahead[:limit], self._ahead[limit:]
            return data
        return await self._stream.read(limit)


async def _hand_over(connection: MuxedConnection, nonce: int) -> None:
    """Give the nonce to whoever was reached, and wait for the answer."""
    connection.start(lambda stream: stream.reset())
    stream = await connection.open_stream()
    try:
        _, ahead = await multistream.dial(stream, [DIAL_BACK])
        await write_message(stream, serialize_dial_back(nonce))
        if await read_message(_Prefixed(stream, ahead), MAX_MESSAGE) is None:
            raise WireError("autonat dial was not answered")
        await stream.close()
    except BaseException:
        stream.reset()
        raise


async def _read(stream: Stream, patience: float = REQUEST_TIME) -> Message:
    async with asyncio.timeout(patience):
        data = await read_message(stream, MAX_MESSAGE)
    if data is None:
        raise WireError("autonat stream ended in the middle of the talk")
    return parse_message(data)


async def _write(stream: Stream, message: Message) -> None:
    await write_message(stream, serialize_message(message))


def _readable_untrusted(data: bytes) -> Multiaddr | None:
    try:
        return Multiaddr.parse(data)
    except WireError:
        return None


def _ip(address: Multiaddr) -> str:
    return address.value("ip4") or address.value("ip6") or str(address)
