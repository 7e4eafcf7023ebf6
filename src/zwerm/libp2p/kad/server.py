"""Answering others (libp2p specs, kad-dht, "RPC messages"; ipfs specs, "Server behavior").

`answer` takes the bytes of a request and gives the bytes of its response: the hot path of a server, so the nearest
peers are joined from bytes that their contacts keep ready.

ADD_PROVIDER is not answered. The specification of ipfs says that it is echoed; go-libp2p neither does so nor expects
it, and sends its next request on the same stream: it would take the echo for the answer to that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, WireError
from zwerm.core.machine import Instant
from zwerm.core.protobuf import serialize_field
from zwerm.core.trace import Trace
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.address_scope import filter_addresses
from zwerm.libp2p.kad.config import KadConfig
from zwerm.libp2p.kad.key import key_of
from zwerm.libp2p.kad.message import Message, MessageType, Peer, Record, head_of
from zwerm.libp2p.kad.provider_store import ProviderStore
from zwerm.libp2p.kad.record_store import OlderRecord, RecordStore
from zwerm.libp2p.kad.routing_table import RoutingTable

MAX_PROVIDER_KEY: Final = 80  # bytes; ipfs specs, "Content Provider Advertisement"


class Server:
    """Requests in, responses out."""

    def __init__(
        self,
        config: KadConfig,
        local: PeerId,
        table: RoutingTable,
        providers: ProviderStore,
        records: RecordStore,
        addresses_of: Callable[[PeerId], Sequence[bytes]],
        *,
        trace: Trace | None = None,
    ) -> None:
        """`addresses_of` tells where a peer is that need not be in the table, ourselves included."""
        self._config = config
        self._local = local
        self._table = table
        self._providers = providers
        self._records = records
        self._addresses_of = addresses_of
        self._trace = trace
        self.answered = 0
        self.refused = 0
        self.doubt: str | None = None  # what is odd about the record that the request answered last had kept

    def answer(self, sender: PeerId, data: bytes, now: Instant) -> bytes | None:
        """Answer an untrusted request; None: there is no answer to this kind.

        Raises:
            RemoteProtocolError: the request is wrong, or its record; the stream deserves a reset.
            ResourceLimitError: what it wants kept goes beyond a limit.
        """
        self.doubt = None
        try:
            request = Message.parse(data)
            response = self._answer(sender, request, now)
        except (RemoteProtocolError, ResourceLimitError) as error:
            self.refused += 1
            if self._trace:
                self._trace(now, "request refused", peer=str(sender), reason=str(error))
            raise
        self.answered += 1
        return response

    def _answer(self, sender: PeerId, request: Message, now: Instant) -> bytes | None:
        key = request.key
        match request.type:
            case MessageType.FIND_NODE:
                return self._head(request) + self._named(key) + self._closer(key, sender)
            case MessageType.GET_PROVIDERS:
                _check_provider_key(key)
                return self._head(request) + self._closer(key, sender) + self._provided(key, now)
            case MessageType.ADD_PROVIDER:
                self._add_provider(sender, request, now)
                return None
            case MessageType.GET_VALUE:
                value = self._records.find(_checked(key), now)
                record = serialize_field(3, Record(key, value).serialize()) if value is not None else b""
                return self._head(request) + record + self._closer(key, sender)
            case MessageType.PUT_VALUE:
                return self._put(sender, request, now)
            case MessageType.PING:
                return self._head(request)

    def _head(self, request: Message) -> bytes:
        return head_of(request.type, request.key)

    def _closer(self, key: bytes, sender: PeerId) -> bytes:
        nodes = self._table.closest(key_of(_checked(key)), self._config.k, exclude=(sender,))
        return b"".join([node.encoded for node in nodes if node.peer.multihash != key])

    def _named(self, key: bytes) -> bytes:
        """The very peer that is looked for, when we know where it is, server or not."""
        try:
            peer = PeerId.parse(_checked(key))
        except WireError:
            return b""  # some other name: looking for the peers near any key is allowed
        addresses = tuple(self._addresses_of(peer))
        return serialize_field(8, Peer(peer, addresses).serialize()) if addresses else b""

    def _provided(self, key: bytes, now: Instant) -> bytes:
        providers = self._providers.providers(key, now)
        return b"".join(
            serialize_field(9, Peer(peer, addresses or tuple(self._addresses_of(peer))).serialize())
            for peer, addresses, _ in providers
        )

    def _add_provider(self, sender: PeerId, request: Message, now: Instant) -> None:
        _check_provider_key(request.key)
        own = [provider for provider in request.providers if provider.peer == sender]
        if not own:
            raise WireError(f"ADD_PROVIDER names {len(request.providers)} providers, expected its sender")
        addresses = filter_addresses(own[0].addresses, self._config.scope, relayed=True)
        self._providers.add(request.key, Peer(sender, addresses), now)

    def _put(self, sender: PeerId, request: Message, now: Instant) -> bytes:
        record = request.record
        if record is None or record.key != request.key:
            raise WireError("PUT_VALUE whose record is missing or has another key")
        try:
            self._records.put(_checked(request.key), record.value, sender, now)
        except OlderRecord as error:
            raise WireError(str(error)) from None
        self.doubt = self._records.doubt(request.key, record.value)
        return self._head(request) + serialize_field(3, Record(record.key, record.value).serialize())


def _checked(key: bytes) -> bytes:
    if not key:
        raise WireError("DHT request without a key")
    return key


def _check_provider_key(key: bytes) -> None:
    if not 0 < len(key) <= MAX_PROVIDER_KEY:
        raise WireError(f"provider key of {len(key)} bytes, expected 1 to {MAX_PROVIDER_KEY}")
