"""Answering for those who cannot walk a DHT themselves, such as pages in a browser: requests in, responses out.

No HTTP server in here; `zwerm.daemon.http.routing` has the connection. Answers may be read by any page: CORS is open,
as the specification wants it, and nothing is told that the DHT would not tell to everybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, unquote

from zwerm.core.errors import NotFoundError, TransportError, WireError, ZwermError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.exchange.providers import Provider
from zwerm.ipfs.gateway.message import GatewayResponse
from zwerm.ipfs.ipns.record import Record
from zwerm.ipfs.routing.delegated.client import IPNS_RECORD, JSON, NDJSON
from zwerm.ipfs.routing.delegated.peer_record import PeerRecord, parse_filter
from zwerm.libp2p.kad.message import Peer
from zwerm.multiformats.cid import CID
from zwerm.multiformats.multiaddr import Multiaddr

PREFIX: Final = "/routing/v1/"
MAX_PROVIDERS: Final = 100  # in a JSON answer; a stream has them all
MAX_BODY: Final = 10_240  # bytes of a record of a name
PATIENCE: Final = 30.0  # seconds that one answer may take
MAX_REQUESTS: Final = 64  # answered at once; more are told to come again

_FOUND: Final = "public, max-age=300, stale-while-revalidate=172800, stale-if-error=172800"
_NOTHING: Final = "public, max-age=15, stale-while-revalidate=172800, stale-if-error=172800"
_CORS: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, PUT, OPTIONS"}
_BITSWAP: Final = ("transport-bitswap",)


class Answers(Protocol):
    """What is needed of the node: `zwerm.ipfs.routing.router.Routing` is one."""

    def find_providers(self, cid: CID) -> AsyncGenerator[Provider, None]: ...

    async def find_peer(self, peer: PeerId) -> Sequence[Multiaddr]: ...

    async def find_value(self, key: bytes) -> bytes | None: ...

    async def put_value(self, key: bytes, value: bytes) -> object: ...


class Closest(Protocol):
    """What is needed of a DHT for the peers nearest to a key."""

    async def find_closest(self, preimage: bytes) -> tuple[Peer, ...]: ...


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class RoutingApi:
    """The endpoints below `/routing/v1/`."""

    def __init__(
        self,
        routing: Answers,
        clock: Callable[[], int],
        *,
        closest: Closest | None = None,
        read_addresses: Callable[[Sequence[bytes]], Sequence[Multiaddr]] = lambda _: (),
    ) -> None:
        """`clock` gives nanoseconds since 1970; without `closest` nobody is told of the peers near a key."""
        self._routing = routing
        self._clock = clock
        self._closest = closest
        self._read_addresses = read_addresses
        self._busy = 0

    async def respond(self, method: str, path: str, query: str, accept: str, body: bytes = b"") -> GatewayResponse:
        """Answer one request; nothing of it is trusted. Never raises a ZwermError.

        Args:
            method: as on the request line.
            path: percent-encoded, beginning with `PREFIX`.
            query: without the question mark.
            accept: the Accept header, or for PUT the Content-Type.
            body: of a PUT, at most `MAX_BODY` bytes.
        """
        if method == "OPTIONS":
            return GatewayResponse(HTTPStatus.NO_CONTENT, dict(_CORS) | {"Access-Control-Max-Age": "86400"})
        if self._busy >= MAX_REQUESTS:
            return _failure(HTTPStatus.TOO_MANY_REQUESTS, "too many requests at once", {"Retry-After": "5"})
        self._busy += 1
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._respond(method, path.removeprefix(PREFIX).split("/"), query, accept, body)
        except _Refused as error:
            return _failure(error.status, str(error))
        except WireError as error:
            return _failure(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except TimeoutError:
            return _failure(HTTPStatus.GATEWAY_TIMEOUT, "nobody answered in time")
        except ZwermError as error:
            return _failure(HTTPStatus.BAD_GATEWAY, str(error))
        finally:
            self._busy -= 1

    async def _respond(
        self, method: str, words: Sequence[str], query: str, accept: str, body: bytes
    ) -> GatewayResponse:
        match method, [unquote(word) for word in words]:
            case "GET" | "HEAD", ["providers", text]:
                return await self._providers(CID.from_text(text), query, accept)
            case "GET" | "HEAD", ["peers", text]:
                return await self._peer(PeerId.from_text(text), query, accept)
            case "GET" | "HEAD", ["ipns", text]:
                return await self._name(PeerId.from_text(text), accept)
            case "PUT", ["ipns", text]:
                return await self._publish(text, accept, body)
            case "GET" | "HEAD", ["dht", "closest", "peers", text]:
                return await self._near(text, accept)
            case "GET" | "HEAD" | "PUT", ["providers" | "peers" | "ipns", *_]:
                raise _Refused(HTTPStatus.NOT_IMPLEMENTED, f"{method} is not there for this path")
            case _:
                raise _Refused(HTTPStatus.BAD_REQUEST, "no such path below /routing/v1/")

    async def _providers(self, cid: CID, query: str, accept: str) -> GatewayResponse:
        filters = _filters(query)
        if NDJSON in accept:
            headers = _headers(NDJSON, _FOUND)
            return GatewayResponse(HTTPStatus.OK, headers, self._stream(cid, filters))
        found: dict[PeerId, PeerRecord] = {}
        async with contextlib.aclosing(self._routing.find_providers(cid)) as providers:
            async for provider in providers:
                record = _record_of(provider).filtered(*filters)
                if record is not None:
                    found[provider.peer] = record
                if len(found) == MAX_PROVIDERS:
                    break
        return _json({"Providers": [record.to_json() for record in found.values()]}, bool(found))

    async def _stream(self, cid: CID, filters: tuple[tuple[str, ...], tuple[str, ...]]) -> AsyncGenerator[bytes, None]:
        end = asyncio.get_running_loop().time() + PATIENCE
        async with contextlib.aclosing(self._routing.find_providers(cid)) as providers:
            while True:
                try:
                    async with asyncio.timeout_at(end):
                        provider = await anext(providers)
                except (StopAsyncIteration, TimeoutError, ZwermError):
                    return
                record = _record_of(provider).filtered(*filters)
                if record is not None:
                    yield _line(record.to_json())

    async def _peer(self, peer: PeerId, query: str, accept: str) -> GatewayResponse:
        addresses = tuple(await self._routing.find_peer(peer))
        record = PeerRecord(peer, addresses).filtered(*_filters(query)) if addresses else None
        return _peers([record] if record else [], accept)

    async def _near(self, text: str, accept: str) -> GatewayResponse:
        if self._closest is None:
            raise _Refused(HTTPStatus.NOT_IMPLEMENTED, "this node is in no DHT")
        try:
            preimage = PeerId.from_text(text).multihash
        except WireError:
            preimage = CID.from_text(text).multihash
        found = await self._closest.find_closest(preimage)
        records = [PeerRecord(peer.peer, tuple(self._read_addresses(peer.addresses))) for peer in found]
        if not records:
            raise _Refused(HTTPStatus.NOT_FOUND, "nobody is known near this key")
        return _peers(records, accept)

    async def _name(self, name: PeerId, accept: str) -> GatewayResponse:
        if IPNS_RECORD not in accept and "*/*" not in accept:
            raise _Refused(HTTPStatus.NOT_ACCEPTABLE, f"ask again with Accept: {IPNS_RECORD}")
        encoded = await self._routing.find_value(b"/ipns/" + name.multihash)
        if encoded is None:
            return _json({"Error": "no record found"}, is_found=False)
        record = Record.parse(encoded)
        left = max(0, (record.validity - self._clock()) // 1_000_000_000)
        fresh = min(record.ttl // 1_000_000_000 or 60, left)
        headers = _headers(
            IPNS_RECORD, f"public, max-age={fresh}, stale-while-revalidate={left}, stale-if-error={left}"
        )
        headers["Etag"] = f'"{hashlib.sha256(encoded).hexdigest()[:32]}"'
        return GatewayResponse(HTTPStatus.OK, headers, encoded, len(encoded))

    async def _publish(self, text: str, content_type: str, body: bytes) -> GatewayResponse:
        if content_type.partition(";")[0].strip() != IPNS_RECORD:
            raise _Refused(HTTPStatus.NOT_ACCEPTABLE, f"send it with Content-Type: {IPNS_RECORD}")
        try:
            if len(body) > MAX_BODY:
                raise WireError(f"record of more than {MAX_BODY} bytes")
            await self._routing.put_value(b"/ipns/" + PeerId.from_text(text).multihash, body)
        except (WireError, NotFoundError) as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
        except TransportError as error:
            raise _Refused(HTTPStatus.BAD_GATEWAY, str(error)) from None
        return GatewayResponse(HTTPStatus.OK, dict(_CORS), b"", 0)


def _record_of(provider: Provider) -> PeerRecord:
    return PeerRecord(provider.peer, tuple(provider.addresses), _BITSWAP)


def _filters(query: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        given = dict(parse_qsl(query, max_num_fields=16))
    except ValueError as error:
        raise WireError(f"query: {error}") from None
    return parse_filter(given.get("filter-addrs", "")), parse_filter(given.get("filter-protocols", ""))


def _peers(records: Sequence[PeerRecord], accept: str) -> GatewayResponse:
    if NDJSON in accept:
        body = b"".join(_line(record.to_json()) for record in records)
        return GatewayResponse(HTTPStatus.OK, _headers(NDJSON, _FOUND if records else _NOTHING), body, len(body))
    return _json({"Peers": [record.to_json() for record in records]}, bool(records))


def _json(document: dict[str, Any], is_found: bool) -> GatewayResponse:
    body = _line(document)
    return GatewayResponse(HTTPStatus.OK, _headers(JSON, _FOUND if is_found else _NOTHING), body, len(body))


def _failure(status: HTTPStatus, message: str, headers: dict[str, str] | None = None) -> GatewayResponse:
    body = message.encode() + b"\n"
    head = {"Content-Type": "text/plain; charset=utf-8", **_CORS, **(headers or {})}
    return GatewayResponse(status, head, body, len(body))


def _headers(content_type: str, cache: str) -> dict[str, str]:
    return {"Content-Type": content_type, "Cache-Control": cache, "Vary": "Accept", **_CORS}


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"
