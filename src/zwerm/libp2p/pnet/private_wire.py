"""A wire of a private network: everything on it is encrypted with the network's key, from the first byte on.

Each side sends a nonce of 24 random bytes, and then its stream. There is no handshake and nothing that says what it is:
a side with another key sees noise, and the secure channel above comes to nothing. Who the peer is, and that nothing was
changed on the way, is that channel's business.
"""

from __future__ import annotations

from typing import Any

from zwerm.core.random import Random
from zwerm.libp2p.pnet.network_key import NetworkKey
from zwerm.libp2p.pnet.xsalsa20 import NONCE_SIZE, xsalsa20
from zwerm.libp2p.transports.wire import Buffer, Wire, WireReceiver
from zwerm.multiformats.multiaddr import Multiaddr


class PrivateWire:
    """A wire around another one."""

    def __init__(self, wire: Wire, key: NetworkKey, random: Random) -> None:
        self._wire = wire
        self._key = key
        self._receiver: WireReceiver | None = None
        self._nonce = bytearray()  # the peer's, until it is whole
        self._opener: Any = None
        nonce = random.randbytes(NONCE_SIZE)
        self._sealer = xsalsa20(key.secret, nonce)
        wire.write(nonce)

    @property
    def local_address(self) -> Multiaddr:
        return self._wire.local_address

    @property
    def remote_address(self) -> Multiaddr:
        return self._wire.remote_address

    @property
    def is_full(self) -> bool:
        return self._wire.is_full

    def start(self, receiver: WireReceiver) -> None:
        is_first, self._receiver = self._receiver is None, receiver
        if is_first:
            self._wire.start(self)

    def write(self, data: Buffer) -> None:
        if data:
            self._wire.write(self._sealer.encrypt(data))

    def pause(self) -> None:
        self._wire.pause()

    def resume(self) -> None:
        self._wire.resume()

    def close(self) -> None:
        self._wire.close()

    def abort(self) -> None:
        self._wire.abort()

    # What the wire inside tells

    def wire_received(self, data: memoryview) -> None:
        if self._opener is None:
            missing = NONCE_SIZE - len(self._nonce)
            self._nonce += data[:missing]
            data = data[missing:]
            if len(self._nonce) < NONCE_SIZE:
                return
            self._opener = xsalsa20(self._key.secret, bytes(self._nonce))
        if data and self._receiver is not None:
            self._opener.decrypt(data, output=data)  # where it lies
            self._receiver.wire_received(data)

    def wire_ended(self) -> None:
        if self._receiver is not None:
            self._receiver.wire_ended()

    def wire_writable(self) -> None:
        if self._receiver is not None:
            self._receiver.wire_writable()

    def wire_lost(self, reason: str) -> None:
        if self._receiver is not None:
            self._receiver.wire_lost(reason)
