"""Multicast DNS on sockets of asyncio: one responder for all on a loop, one socket for each interface and family used.

with MulticastNames() as names:
    names.join(["192.0.2.7"])                       # multicast goes out there, and nowhere else
    names.register("8d4d4f0e-....local", "192.0.2.7")
    names.resolve("1f2e3d4c-....local", lambda name, host: ...)
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Iterable
from typing import Final, Self

from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.core.machine import Address
from zwerm.net.mdns.link import MulticastLink
from zwerm.net.mdns.message import name_of
from zwerm.net.mdns.responder import MdnsResponder


class MulticastNames:
    """The names of one connection. Close it, and they are gone."""

    def __init__(self) -> None:
        self._shared = _Shared.of_this_loop()
        self._shared.users += 1
        self._registered: set[str] = set()
        self._waiting: dict[str, Callable[[str, str], None]] = {}
        self._is_closed = False

    def join(self, hosts: Iterable[str]) -> None:
        """Use the interfaces with these local addresses. Those that cannot do multicast are passed over."""
        self._shared.link.join(hosts)

    def register(self, name: str, host: str) -> bool:
        """Answer for `name`; False when there is no interface to answer on, or no room."""
        if not self._shared.link:
            return False
        try:
            self._shared.responder.register(name, host)
        except (WireError, ResourceLimitError):
            return False
        self._registered.add(name)
        return True

    def resolve(self, name: str, on_resolved: Callable[[str, str], None]) -> bool:
        """Look `name` up; `on_resolved` is given it and the address, if there is one. False when that cannot be."""
        if not self._shared.link:
            return False
        self._waiting[name] = on_resolved
        if self._shared.resolve(name, self._resolved):
            return True
        self._waiting.pop(name, None)
        return False

    def close(self) -> None:
        """Take back every name, and wait for none. Twice is harmless."""
        if self._is_closed:
            return
        self._is_closed = True
        for name in self._registered:
            self._shared.responder.unregister(name)
        for name in self._waiting:
            self._shared.stop(name, self._resolved)
        self._shared.release()

    def _resolved(self, name: str, host: str) -> None:
        waiting = self._waiting.pop(name, None)
        if waiting is not None:
            waiting(name, host)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Shared:
    """The responder of a loop and its sockets, while somebody uses them."""

    _of_loop: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Shared]] = weakref.WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.responder = MdnsResponder()
        self.link = MulticastLink(self._receive, self._pump)
        self.users = 0
        self._loop = loop
        self._listeners: dict[str, list[Callable[[str, str], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def of_this_loop(cls) -> _Shared:
        loop = asyncio.get_running_loop()
        if loop not in cls._of_loop:
            cls._of_loop[loop] = cls(loop)
        return cls._of_loop[loop]

    def resolve(self, name: str, listener: Callable[[str, str], None]) -> bool:
        try:
            self.responder.resolve(name, self._loop.time())
        except (WireError, ResourceLimitError):
            return False
        self._listeners.setdefault(name, []).append(listener)
        self._pump()
        return True

    def stop(self, name: str, listener: Callable[[str, str], None]) -> None:
        listeners = self._listeners.get(name, [])
        if listener in listeners:
            listeners.remove(listener)
            if not listeners:
                del self._listeners[name]
                self.responder.forget(name)

    def release(self) -> None:
        self._pump()
        self.users -= 1
        if self.users:
            return
        self._of_loop.pop(self._loop, None)
        if self._timer is not None:
            self._timer.cancel()
        self.link.close()

    def _receive(self, data: bytes, source: Address) -> None:
        self.responder.receive_datagram(data, source, self._loop.time())

    def _wake(self) -> None:
        self._timer = None
        self.responder.handle_timeout(self._loop.time())
        self._pump()

    def _pump(self) -> None:
        while (transmit := self.responder.next_transmit()) is not None:
            self.link.send(transmit)
        while (event := self.responder.next_event()) is not None:
            for listener in self._listeners.pop(event.name, []):
                listener(event.name, event.host)
        if self._timer is not None:
            self._timer.cancel()
        due = self.responder.next_timeout()
        self._timer = None if due is None or not self.link else self._loop.call_at(due, self._wake)


def is_name(text: str) -> bool:
    """Whether `text` can be looked up at all."""
    try:
        return name_of(text)[-1:] == (b"local",)
    except WireError:
        return False
