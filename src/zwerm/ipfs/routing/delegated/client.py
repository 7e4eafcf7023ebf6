"""Asking a server for providers, peers and names over HTTP: a `Router` for who cannot, or need not, walk a DHT.

What it says is untrusted like any peer's word: records are validated by whoever asked, and its answers have limits.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from zwerm.core.errors import LocalProtocolError, TransportError, WireError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.exchange.providers import Provider
from zwerm.ipfs.routing.delegated.peer_record import MAX_RECORD, PeerRecord
from zwerm.multiformats.cid import CID
from zwerm.multiformats.multiaddr import Multiaddr

if TYPE_CHECKING:
    import aiohttp

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
IPNS_RECORD: Final = "application/vnd.ipfs.ipns-record"

MAX_DOCUMENT: Final = 4_194_304  # bytes of an answer that is one document
MAX_PEERS: Final = 1_024  # records taken of one answer
MAX_NAME_RECORD: Final = 10_240  # bytes; ipns specs, "Record Size Limit"
CONNECT: Final = 10.0  # seconds
SILENCE: Final = 30.0  # seconds without a byte

_NAMESPACE: Final = b"/ipns/"


class DelegatedRouter:
    """One server. As an async context manager it holds its connections inside the block."""

    def __init__(self, url: str) -> None:
        """`url` is the server's, with or without `/routing/v1` at its end.

        Raises:
            LocalProtocolError: no http or https URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise LocalProtocolError(f"{url!r} is no URL of a server for delegated routing")
        self._base = url.rstrip("/").removesuffix("/routing/v1") + "/routing/v1"
        self.label = parts.hostname
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=SILENCE)
        self._session = aiohttp.ClientSession(timeout=timeout, read_bufsize=MAX_RECORD)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def find_providers(self, cid: CID) -> AsyncGenerator[Provider, None]:
        """Yield who the server says has the content.

        Raises:
            TransportError, WireError: it does not answer, or not as it should. Those before were yielded.
        """
        async with contextlib.aclosing(self._peers(f"providers/{cid.to_v1()}", "Providers")) as records:
            async for record in records:
                yield Provider(record.peer, record.addresses)

    async def find_peer(self, peer: PeerId) -> Sequence[Multiaddr]:
        """Return where the server says a peer is. Raises as `find_providers`."""
        async with contextlib.aclosing(self._peers(f"peers/{peer.to_cid().encode('base36')}", "Peers")) as records:
            async for record in records:
                if record.peer == peer and record.addresses:
                    return record.addresses
        return ()

    async def find_records(self, key: bytes) -> AsyncGenerator[bytes, None]:
        """Yield the record of a name, when the server has one; keys of other namespaces it does not know."""
        name = _name_of(key)
        if name is None:
            return
        async with self._request("GET", f"ipns/{name}", accept=IPNS_RECORD) as response:
            if response.status == 200 and response.content_type == IPNS_RECORD:
                yield await _read(response, MAX_NAME_RECORD)

    async def put_record(self, key: bytes, record: bytes) -> None:
        """Give the server the record of a name.

        Raises:
            TransportError: it did not take it.
        """
        name = _name_of(key)
        if name is None:
            raise TransportError(f"{self.label} takes records of names only")
        async with self._request("PUT", f"ipns/{name}", accept=JSON, data=record) as response:
            if response.status != 200:
                raise TransportError(f"{self.label} did not take the record: status {response.status}")

    async def _peers(self, path: str, field: str) -> AsyncGenerator[PeerRecord, None]:
        count = 0
        async with self._request("GET", path, accept=f"{NDJSON}, {JSON};q=0.9") as response:
            if response.status == 404:
                return  # "MUST be interpreted as 200 with 0 results"
            if response.status != 200:
                raise TransportError(f"{self.label} answers with status {response.status}")
            lines = _lines(response) if response.content_type == NDJSON else _document(response, field)
            async with contextlib.aclosing(lines) as documents:
                async for document in documents:
                    with contextlib.suppress(WireError):  # "clients MUST ignore unknown ones"
                        yield PeerRecord.from_json(document)
                    count += 1
                    if count == MAX_PEERS:
                        return

    @contextlib.asynccontextmanager
    async def _request(
        self, method: str, path: str, *, accept: str, data: bytes | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        import aiohttp

        if self._session is None:
            raise LocalProtocolError("the delegated router was not entered")
        headers = {"Accept": accept} | ({"Content-Type": IPNS_RECORD} if data is not None else {})
        try:
            async with self._session.request(
                method, f"{self._base}/{path}", headers=headers, data=data, allow_redirects=method == "GET"
            ) as response:
                yield response
        except WireError:
            raise
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise TransportError(f"{self.label}: {str(error) or 'no answer in time'}") from None


async def _lines(response: aiohttp.ClientResponse) -> AsyncGenerator[Any, None]:
    """Yield the documents of an NDJSON body; a line longer than a record ends it with an error."""
    rest = b""
    async for chunk in response.content.iter_chunked(MAX_RECORD):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield _json(line)
        if len(rest) > MAX_RECORD:
            raise WireError(f"routing record of more than {MAX_RECORD} bytes")
    if rest.strip():
        yield _json(rest)


async def _document(response: aiohttp.ClientResponse, field: str) -> AsyncGenerator[Any, None]:
    document = _json(await _read(response, MAX_DOCUMENT))
    found = document.get(field) if isinstance(document, dict) else None
    for record in found if isinstance(found, list) else ():
        yield record


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        data += chunk
        if len(data) > limit:
            raise WireError(f"answer of more than {limit} bytes")
    return bytes(data)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise WireError(f"no JSON: {error}") from None


def _name_of(key: bytes) -> str | None:
    if not key.startswith(_NAMESPACE):
        return None
    return PeerId.parse(key.removeprefix(_NAMESPACE)).to_cid().encode("base36")
