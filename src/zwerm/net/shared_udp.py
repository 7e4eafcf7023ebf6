"""One UDP port for several protocols, told apart by the first byte of each datagram (`demultiplex.py`).

Who asks for an address that another protocol has open here gets a share of its socket: it receives what is its own,
sends as if it were alone, and the socket is closed with the last share.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from zwerm.core.errors import TransportError
from zwerm.core.machine import Address, Transmit
from zwerm.net.demultiplex import Traffic, classify
from zwerm.net.udp import Batch, UdpSocket, ignore_batch, ignore_writable

_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


class UdpShare:
    """What one protocol has of a socket; used as `UdpSocket` is."""

    def __init__(self, socket: _Shared, traffic: frozenset[Traffic]) -> None:
        self.traffic = traffic
        self.on_batch: Callable[[Batch], None] = ignore_batch
        self.on_writable: Callable[[], None] = ignore_writable
        self.send: Callable[[Transmit], None] = socket.udp.send
        self.is_closed = False
        self._socket = socket

    @property
    def address(self) -> Address:
        return self._socket.udp.address

    @property
    def is_full(self) -> bool:
        return self._socket.udp.is_full

    def close(self) -> None:
        """Give the share back. Twice is harmless."""
        if not self.is_closed:
            self.is_closed = True
            self._socket.drop(self)


class UdpPorts:
    """The sockets of one node that protocols share."""

    def __init__(self) -> None:
        self._sockets: dict[Address, _Shared] = {}

    def open(self, address: Address, traffic: Collection[Traffic]) -> UdpShare:
        """Bind to a numeric local address, or share the socket that others here bound to it; port 0 is always new.

        Batches tell the local address they came to where the socket is on the unspecified one.

        Raises:
            TransportError: the address is not ours, the port is taken by somebody else, or such traffic is another's.
        """
        kinds = frozenset(traffic)
        shared = self._sockets.get(address)
        if shared is None:
            shared = _Shared(UdpSocket.open(address, local_addresses=address[0] in _EVERYWHERE), self._sockets)
            self._sockets[shared.udp.address] = shared
        return shared.add(kinds)


class _Shared:
    """A socket and its shares."""

    def __init__(self, udp: UdpSocket, sockets: dict[Address, _Shared]) -> None:
        self.udp = udp
        self._sockets = sockets
        self._shares: list[UdpShare] = []
        udp.on_batch = self._receive
        udp.on_writable = self._writable

    def add(self, traffic: frozenset[Traffic]) -> UdpShare:
        for share in self._shares:
            if share.traffic & traffic:
                host, port = self.udp.address
                names = ", ".join(sorted(each.value for each in share.traffic & traffic))
                raise TransportError(f"cannot bind UDP {host} port {port}: it is used for {names} here already")
        share = UdpShare(self, traffic)
        self._shares.append(share)
        return share

    def drop(self, share: UdpShare) -> None:
        self._shares.remove(share)
        if not self._shares:
            del self._sockets[self.udp.address]
            self.udp.close()

    def _receive(self, batch: Batch) -> None:
        shares = self._shares
        if len(shares) == 1:
            shares[0].on_batch(batch)
            return
        for share in tuple(shares):
            own = [data for data in batch.datagrams if classify(data) in share.traffic]
            if own and not share.is_closed:
                share.on_batch(batch if len(own) == len(batch.datagrams) else batch._replace(datagrams=own))

    def _writable(self) -> None:
        for share in tuple(self._shares):
            share.on_writable()
