"""Dialling through a SOCKS proxy: a wire on which the proxy has granted the connection."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from zwerm.core.errors import TransportError
from zwerm.libp2p.socks.client import Connected, Proxy, SocksClient
from zwerm.libp2p.transports.wire import Wire
from zwerm.multiformats.multiaddr import Multiaddr

GRANT_TIME: Final = 60.0  # seconds for the proxy to connect, which is long where it builds a circuit first


class StoppableWire(Wire, Protocol):
    """A wire that can change hands in the middle."""

    def stop(self, rest: bytes) -> None:
        """Tell nobody anything until the next `start`, which is told `rest` first."""
        ...


def destination_of(address: Multiaddr) -> tuple[str, int] | None:
    """Return the host and port that a proxy is to be asked for: of TCP by address or name, or an onion service."""
    names, components = address.names, address.components
    if names == ("onion3",):
        name, _, port = components[0].text.partition(":")
        return f"{name}.onion", int(port)
    if len(names) == 2 and names[0] in ("ip4", "ip6", "dns", "dns4", "dns6") and names[1] == "tcp":
        return components[0].text, int(components[1].text)
    return None


async def ask_for(wire: StoppableWire, proxy: Proxy, host: str, port: int) -> None:
    """Ask the proxy at the other end of `wire` for a connection; whoever starts the wire next has it.

    Raises:
        TransportError: the proxy did not make it. The wire is closed.
    """
    negotiation = _Negotiation(wire, SocksClient(proxy, host, port))
    try:
        async with asyncio.timeout(GRANT_TIME):
            await negotiation.done
    except TimeoutError:
        wire.abort()
        raise TransportError(f"proxy: no answer in {GRANT_TIME:g} s") from None
    except BaseException:
        wire.abort()
        raise


class _Negotiation:
    """Who is told what comes while the proxy is asked."""

    def __init__(self, wire: StoppableWire, client: SocksClient) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wire = wire
        self._client = client
        wire.start(self)
        self._advance()

    def wire_received(self, data: memoryview) -> None:
        used = self._client.receive_data(bytes(data), 0.0)
        self._advance(bytes(data[used:]))

    def wire_ended(self) -> None:
        self._client.receive_eof(0.0)
        self._advance()

    def wire_writable(self) -> None:
        """What is asked is small."""

    def wire_lost(self, reason: str) -> None:
        self._end(f"the connection to it is gone: {reason}")

    def _advance(self, rest: bytes = b"") -> None:
        if data := self._client.data_to_send():
            self._wire.write(data)
        event = self._client.next_event()
        if isinstance(event, Connected):
            self._wire.stop(rest)
            if not self.done.done():
                self.done.set_result(None)
        elif event is not None:
            self._end(event.cause)

    def _end(self, cause: str) -> None:
        if not self.done.done():
            self.done.set_exception(TransportError(f"proxy: {cause}"))
