"""Port mappings by UPnP, of a router that knows neither PCP nor NAT-PMP (UPnP IGD v1 and v2, "WANIPConnection").

`async-upnp-client` reads and writes SSDP, XML (by defusedxml: no entities) and SOAP. What stands here is what a
stranger on the link could otherwise do with it: only the gateway is listened to and asked, for a bounded number of
bodies of a bounded size, without redirects, within a bounded time. Whatever else it says is a `TransportError`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from async_upnp_client.client import UpnpDevice, UpnpRequester, UpnpService
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.const import HttpRequest, HttpResponse
from async_upnp_client.exceptions import UpnpActionError, UpnpCommunicationError, UpnpError
from async_upnp_client.ssdp import build_ssdp_search_packet, decode_ssdp_packet

from zwerm.core.errors import TransportError
from zwerm.core.random import SYSTEM, Random
from zwerm.net.mapping.client import Event, Mapped, Unmapped
from zwerm.net.mapping.message import Transport

LIFETIME: Final = 3_600  # seconds of a lease
RENEW: Final = LIFETIME / 2  # seconds until it is asked for again
AGAIN: Final = 900.0  # seconds until a router that refused, or is none, is asked again
SEARCHES: Final = 3  # questions on the link
SEARCH_WAIT: Final = 1.5  # seconds after each of them
MAX_ANSWERS: Final = 64  # datagrams that are looked at in one search
MAX_BODY: Final = 262_144  # bytes of one answer over HTTP; descriptions of real routers have 2 to 30 kB
MAX_REQUESTS: Final = 32  # for one description: it and one of each service
REQUEST_LIMIT: Final = 5.0  # seconds for one of them
DESCRIBE_LIMIT: Final = 20.0  # seconds for all
REMOVE_LIMIT: Final = 2.0  # seconds that the end waits for a removal
MAX_PORTS: Final = 4  # that are tried outside when others hold them

SEARCH_TARGET: Final = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"  # version 2 answers to it too
CONFLICTS: Final = frozenset({718, 729})  # ConflictInMappingEntry, ConflictWithOtherMechanisms
ONLY_PERMANENT: Final = 725  # OnlyPermanentLeasesSupported
_SSDP: tuple[str, int] = ("239.255.255.250", 1_900)
_SERVICES: Final = tuple(
    f"urn:schemas-upnp-org:service:{name}" for name in ("WANIPConnection:2", "WANIPConnection:1", "WANPPPConnection:1")
)

_LOG: Final = logging.getLogger("zwerm.network")


@contextlib.contextmanager
def understood(what: str) -> Iterator[None]:
    """Turn what the library makes of a router's words into `TransportError`, except a refusal with a code."""
    try:
        yield
    except (TransportError, UpnpActionError):
        raise
    except TimeoutError as error:
        raise TransportError(f"no answer of the router to {what}") from error
    except (UpnpError, aiohttp.ClientError, OSError) as error:
        raise TransportError(f"{what} failed: {error}") from error
    except Exception as error:  # the library has no one type for what it does not understand
        raise TransportError(f"{what} is not understood: {type(error).__name__}") from error


def location_untrusted(data: bytes, source: tuple[str, int], gateway: str) -> str | None:
    """Return where the gateway describes itself, of an untrusted answer to a search; None when it is something else."""
    if source[0] != gateway or len(data) > 2_048:
        return None
    try:
        _, headers = decode_ssdp_packet(data, None, source)
        location = str(headers.get("location", ""))
        parts = urlsplit(location)
        is_there = parts.scheme == "http" and parts.hostname == gateway
    except Exception:  # noqa: BLE001 -- as above
        return None
    return location if is_there and headers.get("st") == SEARCH_TARGET else None


class _Search(asyncio.DatagramProtocol):
    """One search: the first answer of the gateway is its result."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self._left = MAX_ANSWERS
        self.location: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if self.location.done():
            return
        self._left -= 1
        if (found := location_untrusted(data, addr, self._gateway)) is not None:
            self.location.set_result(found)
        elif self._left <= 0:
            self.location.set_exception(TransportError(f"{MAX_ANSWERS} answers on the link and none of the gateway"))


async def find_description(gateway: str, client: str) -> str:
    """Ask on the link where the gateway describes itself.

    Raises:
        TransportError: it does not say.
    """
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, ipaddress.IPv4Address(client).packed)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
        sock.bind((client, 0))
        transport, search = await loop.create_datagram_endpoint(lambda: _Search(gateway), sock=sock)
    except BaseException:
        sock.close()
        raise
    try:
        packet = build_ssdp_search_packet(_SSDP, 1, SEARCH_TARGET)
        for _ in range(SEARCHES):
            transport.sendto(packet, _SSDP)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SEARCH_WAIT):
                    return await asyncio.shield(search.location)
        raise TransportError("no router answers by UPnP")
    finally:
        search.location.cancel()
        transport.close()


class Requester(UpnpRequester):
    """HTTP towards one host, bounded."""

    def __init__(self, host: str, client: str) -> None:
        self._host = host
        self._client = client
        self.left = MAX_REQUESTS

    async def async_http_request(self, http_request: HttpRequest) -> HttpResponse:
        parts = urlsplit(http_request.url)
        if parts.scheme != "http" or parts.hostname != self._host:
            raise UpnpCommunicationError(f"the router sends to {parts.hostname}, expected {self._host}")
        self.left -= 1
        if self.left < 0:
            raise UpnpCommunicationError(f"the description has more than {MAX_REQUESTS} parts")
        connector = aiohttp.TCPConnector(local_addr=(self._client, 0), force_close=True)
        body = bytearray()
        async with (
            aiohttp.ClientSession(connector=connector, auto_decompress=False) as session,
            session.request(
                http_request.method,
                http_request.url,
                headers=dict(http_request.headers or {}),
                data=http_request.body,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=REQUEST_LIMIT),
            ) as response,
        ):
            async for part in response.content.iter_chunked(16_384):
                body += part
                if len(body) > MAX_BODY:
                    raise UpnpCommunicationError(f"an answer of the router has more than {MAX_BODY} bytes")
            return HttpResponse(response.status, response.headers, body.decode("utf-8", "replace"))


class UpnpRouter:
    """The gateway as it is asked by UPnP; it is looked for when it is first needed, and anew after a failure."""

    def __init__(self, gateway: str, client: str, *, random: Random = SYSTEM) -> None:
        """Make it; `client` is the address of this machine towards `gateway`."""
        self.gateway = gateway
        self.client = client
        self._random = random
        self._lock = asyncio.Lock()
        self._requester = Requester(gateway, client)
        self._service: UpnpService | None = None

    async def map(self, transport: Transport, port: int, *, outside: int) -> Mapped:
        """Map `port`, to `outside` if nobody holds that, for `LIFETIME`.

        Raises:
            TransportError: there is no such router, or it refuses.
        """
        async with self._lock:
            try:
                with understood("asking for the address outside"):
                    service, external = await self._find()
                for _ in range(MAX_PORTS):
                    if await self._add(service, transport, port, outside):
                        return Mapped(external, outside)
                    outside = self._random.randint(1_024, 65_535)
                raise TransportError(f"other machines hold each of {MAX_PORTS} ports that were tried")
            except UpnpActionError as error:
                self._service = None
                raise TransportError(f"the router refuses by UPnP, code {error.error_code}") from error
            except TransportError:
                self._service = None
                raise

    async def remove(self, transport: Transport, outside: int) -> None:
        """Remove a mapping.

        Raises:
            TransportError: the router did not.
        """
        async with self._lock:
            if self._service is None:
                return
            try:
                with understood("removing a mapping"):
                    await self._call(
                        self._service,
                        "DeletePortMapping",
                        NewRemoteHost="",
                        NewExternalPort=outside,
                        NewProtocol=transport.name,
                    )
            except UpnpActionError as error:
                raise TransportError(f"the router refuses by UPnP, code {error.error_code}") from error

    async def _find(self) -> tuple[UpnpService, str]:
        """Return the service of the connection that is up, and the address it has outside."""
        if self._service is not None:
            return self._service, await self._address(self._service)
        async with asyncio.timeout(DESCRIBE_LIMIT):
            device = await self._describe(await find_description(self.gateway, self.client))
            for name in _SERVICES:
                service = device.find_service(name)
                if service is None or not service.has_action("AddPortMapping"):
                    continue
                with contextlib.suppress(UpnpActionError, TransportError):
                    external = await self._address(service)
                    self._service = service
                    return service, external
        raise TransportError("the router describes no connection that is up")

    async def _describe(self, location: str) -> UpnpDevice:
        self._requester.left = MAX_REQUESTS
        return await UpnpFactory(self._requester, non_strict=True).async_create_device(location)

    async def _address(self, service: UpnpService) -> str:
        answer = await self._call(service, "GetExternalIPAddress")
        try:
            external = ipaddress.IPv4Address(answer.get("NewExternalIPAddress") or "")
        except ValueError:
            raise TransportError("the router says no address that it has outside") from None
        if external.is_unspecified:
            raise TransportError("the router has no address outside")
        return str(external)

    async def _add(self, service: UpnpService, transport: Transport, port: int, outside: int) -> bool:
        """Ask for one port outside; return False when somebody else holds it."""
        for lifetime in (LIFETIME, 0):
            try:
                with understood("asking for a mapping"):
                    await self._call(
                        service,
                        "AddPortMapping",
                        NewRemoteHost="",
                        NewExternalPort=outside,
                        NewProtocol=transport.name,
                        NewInternalPort=port,
                        NewInternalClient=self.client,
                        NewEnabled=True,
                        NewPortMappingDescription="zwerm",
                        NewLeaseDuration=lifetime,
                    )
                return True
            except UpnpActionError as error:
                if error.error_code in CONFLICTS:
                    return False
                if error.error_code != ONLY_PERMANENT or not lifetime:
                    raise
        raise AssertionError("unreachable")

    async def _call(self, service: UpnpService, action: str, **arguments: Any) -> dict[str, Any]:
        self._requester.left = MAX_REQUESTS
        return dict(await service.action(action).async_call(**arguments))


class UpnpPort:
    """One port, kept mapped until `close`: asked for at once, and again at half of the lease."""

    def __init__(
        self, router: UpnpRouter, transport: Transport, port: int, *, on_event: Callable[[Event], None]
    ) -> None:
        """Begin to ask."""
        self._router = router
        self._transport = transport
        self._port = port
        self._on_event = on_event
        self._mapped: Mapped | None = None
        self._task = asyncio.create_task(self._keep(), name=f"UPnP for port {port}")

    async def close(self) -> None:
        """Remove the mapping, which is waited for at most `REMOVE_LIMIT`. Idempotent."""
        self._task.cancel()
        await asyncio.wait([self._task])
        mapped, self._mapped = self._mapped, None
        if mapped is None:
            return
        try:
            async with asyncio.timeout(REMOVE_LIMIT):
                await self._router.remove(self._transport, mapped.port)
        except (TransportError, TimeoutError) as error:
            _LOG.info("the mapping of port %d stays until its lease ends: %s", self._port, error)

    async def _keep(self) -> None:
        while True:
            try:
                outside = self._port if self._mapped is None else self._mapped.port
                mapped = await self._router.map(self._transport, self._port, outside=outside)
            except TransportError as error:
                self._mapped = None
                self._on_event(Unmapped(str(error)))
                await asyncio.sleep(AGAIN)
                continue
            if mapped != self._mapped:
                self._mapped = mapped
                self._on_event(mapped)
            await asyncio.sleep(RENEW)
