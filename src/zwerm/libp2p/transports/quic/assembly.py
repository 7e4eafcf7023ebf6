"""Sessions made of qh3's parts: the only place that knows its configuration. Imported with the first connection."""

from __future__ import annotations

from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from qh3.quic.configuration import QuicConfiguration
from qh3.quic.packet import encode_quic_retry

from zwerm.core.machine import Address, Instant
from zwerm.core.random import Random
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.tls.certificate import generate
from zwerm.libp2p.transports.quic.admission import Begin, Retry
from zwerm.libp2p.transports.quic.config import Config
from zwerm.libp2p.transports.quic.packet import CONNECTION_ID
from zwerm.libp2p.transports.quic.session import Session
from zwerm.libp2p.transports.quic.tls import ALPN, MutualConnection

_NO_DATAGRAMS: Final = 0  # RFC 9221: frames of that kind are not taken


class QuicIdentity:
    """A node's certificate for QUIC, and its limits, as the library wants them."""

    def __init__(self, key: PrivateKey, random: Random, wall_time: float, config: Config) -> None:
        """`wall_time` is seconds since 1970."""
        private, certificate = generate(key, random, wall_time)
        chain = certificate.public_bytes(Encoding.PEM)
        secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.config = config
        self._client = self._configure(chain, secret, is_client=True)
        self._server = self._configure(chain, secret, is_client=False)

    def _configure(self, chain: bytes, secret: bytes, *, is_client: bool) -> QuicConfiguration:
        config = self.config
        made: Any = QuicConfiguration(
            is_client=is_client,
            alpn_protocols=[ALPN],
            connection_id_length=CONNECTION_ID,
            idle_timeout=config.idle_timeout,
            max_data=config.max_data,
            max_stream_data=config.max_stream_data,
            max_datagram_frame_size=_NO_DATAGRAMS,
        )
        made.load_cert_chain(chain, secret)
        return made

    def dial(self, remote: Address, expected: PeerId | None, *, now: Instant, wall_time: float) -> Session:
        """Begin a connection to `remote`."""
        connection = MutualConnection(
            self._client, wall_time=wall_time, expected=expected, room=self.config.receive_window
        )
        connection.connect(remote, now)
        return Session(connection, is_client=True, now=now, config=self.config)

    def accept(self, begin: Begin, *, now: Instant, wall_time: float) -> Session:
        """Make the server's side of a connection, which takes the first datagram next."""
        connection = MutualConnection(
            self._server,
            wall_time=wall_time,
            room=self.config.receive_window,
            original_destination_connection_id=begin.original_destination,
            retry_source_connection_id=begin.retry_source,
        )
        return Session(connection, is_client=False, now=now, config=self.config)


def retry_packet(retry: Retry) -> bytes:
    """The packet that has a stranger come again (RFC 9000 section 17.2.5)."""
    header = retry.header
    packet: bytes = encode_quic_retry(
        version=header.version,
        source_cid=retry.source,
        destination_cid=header.source,
        original_destination_cid=header.destination,
        retry_token=retry.token,
    )
    return packet
