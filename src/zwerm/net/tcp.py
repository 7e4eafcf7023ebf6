"""TCP connections that a machine asks for by number: opened, accepted, written to and closed without waiting.

TURN over TCP and TLS and ICE-TCP work like that: the machine says "open connection 7 to there", and is told when it is
open, what came, and when it is gone. What the other side does not read is kept up to `MAX_UNSENT`, then dropped: what
goes over these connections are whole packets, which may be lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from zwerm.core.errors import TransportError
from zwerm.core.machine import Address

MAX_UNSENT: Final = 1_048_576  # bytes of one connection that wait; then packets are dropped
FULL: Final = 262_144  # bytes of one connection that wait; then `is_full`, and who can waits
CONNECT_TIME: Final = 10.0  # seconds until a connection that nobody answers is given up; the system takes two minutes
BACKLOG: Final = 16  # connections that wait to be accepted
ACCEPTS_PER_WAKE: Final = 16  # before others on the loop have their turn

_REUSE: Final[int | None] = getattr(socket, "SO_REUSEPORT", None)


class TcpConnections:
    """The connections of one machine. Not safe to use from another thread than its loop's."""

    def __init__(
        self,
        *,
        on_opened: Callable[[int], None],
        on_data: Callable[[int, bytes], None],
        on_closed: Callable[[int], None],
        on_writable: Callable[[], None] = lambda: None,
        connect_time: float = CONNECT_TIME,
    ) -> None:
        """`on_closed` tells of connections that failed or that the other side ended, not of those closed here."""
        self.on_opened = on_opened
        self.on_data = on_data
        self.on_closed = on_closed
        self.on_writable = on_writable
        self._connect_time = connect_time
        self._loop = asyncio.get_running_loop()
        self._connections: dict[int, _Connection] = {}
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._alive: set[_Connection] = set()
        self._listening: dict[Address, socket.socket] = {}
        self._full: set[int] = set()
        self._quiet = asyncio.Event()
        self._tls: ssl.SSLContext | None = None
        self._is_closed = False

    @property
    def is_full(self) -> bool:
        """Whether a connection takes no more without waiting; `on_writable` tells when none is any more."""
        return bool(self._full)

    def connect(self, number: int, local: Address, remote: Address, *, tls_name: str | None = None) -> None:
        """Open a connection from `local` (port 0: any), with TLS to whom a certificate names `tls_name`."""
        task = self._loop.create_task(self._connect(number, local, remote, tls_name))
        self._opening[number] = task
        self._own(task)

    def listen(self, address: Address, on_accepted: Callable[[Address, Address], int | None]) -> Address:
        """Take connections; port 0 lets the system choose. Return the address.

        `on_accepted` is given the local and the remote address, and numbers the connection; None closes it.

        Raises:
            TransportError: the address is not ours, or the port is taken.
        """
        host, port = address
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            listener.settimeout(0)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            if (
                _REUSE is not None
            ):  # after the bind: a port that is listened on stays taken, but connections leave from it
                listener.setsockopt(socket.SOL_SOCKET, _REUSE, 1)
            listener.listen(BACKLOG)
        except (OSError, OverflowError) as error:
            listener.close()
            raise TransportError(f"cannot listen on TCP {host} port {port}: {error}") from error
        name = listener.getsockname()
        bound = (name[0], name[1])
        self._listening[bound] = listener
        self._loop.add_reader(listener.fileno(), self._accept, listener, on_accepted)
        return bound

    def stop_listening(self, address: Address) -> None:
        """Take no more connections there; those that are stay. An address that is not known is no error."""
        listener = self._listening.pop(address, None)
        if listener is not None:
            self._loop.remove_reader(listener.fileno())
            listener.close()

    def write(self, number: int, data: bytes) -> bool:
        """Send a packet; False when it was dropped."""
        connection = self._connections.get(number)
        return connection is not None and connection.write(data)

    def close(self, number: int) -> None:
        """Close a connection, or stop opening it; what was written still goes out. Unknown ones are no error."""
        task = self._opening.pop(number, None)
        if task is not None:
            task.cancel()
        connection = self._connections.pop(number, None)
        if connection is not None:
            connection.end()

    def close_all(self) -> None:
        """Close everything at once, and listen no more. Twice is harmless; `wait_closed` waits for what follows."""
        self._is_closed = True
        for address in list(self._listening):
            self.stop_listening(address)
        for task in self._tasks:
            task.cancel()
        self._opening.clear()
        self._connections.clear()
        for connection in list(self._alive):
            connection.abort()

    async def wait_closed(self) -> None:
        """Wait until nothing is left of what `close_all` closed. It does not depend on the other side."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        while self._alive:
            self._quiet.clear()
            await self._quiet.wait()

    # Opening and accepting.

    def _own(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, number: int, local: Address, remote: Address, tls_name: str | None) -> None:
        try:
            async with asyncio.timeout(self._connect_time):
                made = await self._connect_from(local, remote)
                await self._loop.create_connection(
                    lambda: _Connection(self, lambda *_: number),
                    sock=made,
                    ssl=None if tls_name is None else self._tls_context(),
                    server_hostname=tls_name,
                )
        except (OSError, ValueError):  # TimeoutError and SSLError are among them; ValueError: a name TLS cannot have
            if self._opening.pop(number, None) is not None:
                self.on_closed(number)

    async def _connect_from(self, local: Address, remote: Address) -> socket.socket:
        """Connect, also from a port that is listened on."""
        made = socket.socket(socket.AF_INET6 if ":" in local[0] else socket.AF_INET)
        try:
            made.settimeout(0)
            if local[1] != 0:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if _REUSE is not None:
                    made.setsockopt(socket.SOL_SOCKET, _REUSE, 1)
            made.bind(_name_of(local))
            await self._loop.sock_connect(made, _name_of(remote))
        except BaseException:
            made.close()
            raise
        return made

    def _tls_context(self) -> ssl.SSLContext:
        """The system's authorities, or those of SSL_CERT_FILE; read once, it takes a while."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _accept(self, listener: socket.socket, on_accepted: Callable[[Address, Address], int | None]) -> None:
        for _ in range(ACCEPTS_PER_WAKE):
            try:
                accepted, _peer = listener.accept()
            except OSError:
                return  # none is left, or it is gone again, or too many files are open: then it waits in the line
            accepted.settimeout(0)
            self._own(self._loop.create_task(self._take_over(accepted, on_accepted)))

    async def _take_over(self, accepted: socket.socket, on_accepted: Callable[[Address, Address], int | None]) -> None:
        try:
            with contextlib.suppress(OSError):
                await self._loop.connect_accepted_socket(lambda: _Connection(self, on_accepted), accepted)
        except asyncio.CancelledError:
            accepted.close()
            raise

    # What connections tell.

    def made(self, connection: _Connection, number: int | None) -> None:
        self._alive.add(connection)
        if number is None or self._is_closed:
            connection.abort()
            return
        self._opening.pop(number, None)
        self._connections[number] = connection
        self.on_opened(number)

    def lost(self, connection: _Connection, number: int | None) -> None:
        self._alive.discard(connection)
        self._quiet.set()
        if number is not None:
            self.set_full(number, is_full=False)
            if self._connections.get(number) is connection:
                del self._connections[number]
                self.on_closed(number)

    def set_full(self, number: int, *, is_full: bool) -> None:
        if is_full:
            self._full.add(number)
        elif number in self._full:
            self._full.remove(number)
            if not self._full and not self._is_closed:
                self.on_writable()


def _name_of(address: Address) -> tuple[Any, ...]:
    """A numeric address as sockets take it: with the number of its zone, where it has one.

    Raises:
        OSError: it is not numeric.
    """
    return socket.getaddrinfo(*address, flags=socket.AI_NUMERICHOST, type=socket.SOCK_STREAM)[0][4]


class _Connection(asyncio.Protocol):
    """One connection; `number` says its number, given its two addresses, when it is made."""

    def __init__(self, owner: TcpConnections, number: Callable[[Address, Address], int | None]) -> None:
        self._owner = owner
        self._find_number = number
        self._number: int | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's
        self._transport.set_write_buffer_limits(FULL)
        local, remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        if local and remote:  # one that is gone already has no name
            self._number = self._find_number((local[0], local[1]), (remote[0], remote[1]))
        self._owner.made(self, self._number)

    def data_received(self, data: bytes) -> None:
        if self._number is not None:
            self._owner.on_data(self._number, data)

    def pause_writing(self) -> None:
        if self._number is not None:
            self._owner.set_full(self._number, is_full=True)

    def resume_writing(self) -> None:
        if self._number is not None:
            self._owner.set_full(self._number, is_full=False)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name; why changes nothing
        self._owner.lost(self, self._number)

    def write(self, data: bytes) -> bool:
        if self._transport.is_closing() or self._transport.get_write_buffer_size() + len(data) > MAX_UNSENT:
            return False
        self._transport.write(data)
        return True

    def end(self) -> None:
        if self._number is not None:
            self._owner.set_full(self._number, is_full=False)
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()
