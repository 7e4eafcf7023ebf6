"""Bare bytes to one other node, before and under what `zwerm.libp2p.swarm.upgrade` makes of them.

TCP and WebSocket give these, and a private network's encryption wraps one. A wire calls back instead of being awaited:
what was received is decrypted where it lies, before the buffer takes the next bytes, and no task stands between.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

from zwerm.multiformats.multiaddr import Multiaddr

Buffer: TypeAlias = bytes | bytearray | memoryview


class WireReceiver(Protocol):
    """Who is told what happens on a wire."""

    def wire_received(self, data: memoryview) -> None:
        """Take bytes, which may be overwritten in place and are only good during the call."""
        ...

    def wire_ended(self) -> None:
        """The other side sends no more."""
        ...

    def wire_writable(self) -> None:
        """The wire is not full any more."""
        ...

    def wire_lost(self, reason: str) -> None:
        """The wire is gone. Said once, and nothing after it."""
        ...


class Wire(Protocol):
    """A connection that carries bytes and nothing else."""

    @property
    def local_address(self) -> Multiaddr: ...

    @property
    def remote_address(self) -> Multiaddr: ...

    @property
    def is_full(self) -> bool:
        """Whether as much waits to be sent as should; `wire_writable` tells when that ends. `write` still takes it."""
        ...

    def start(self, receiver: WireReceiver) -> None:
        """Say who is told from now on. Nothing is received before the first time."""
        ...

    def write(self, data: Buffer) -> None:
        """Send `data`, which is not touched afterwards. One that is closed takes it and does nothing."""
        ...

    def pause(self) -> None:
        """Receive nothing until `resume`."""
        ...

    def resume(self) -> None: ...

    def close(self) -> None:
        """Send what waits, and close. Idempotent; `wire_lost` tells when it is done."""
        ...

    def abort(self) -> None:
        """Close at once, whatever waits. Idempotent."""
        ...
