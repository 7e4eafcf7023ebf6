"""The peer schema, and the filters of a request (specs.ipfs.tech, "Delegated Routing V1 HTTP API", "Peer Schema")."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Sequence
from typing import Any, Final, Self

from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId
from zwerm.multiformats.multiaddr import Multiaddr

MAX_RECORD: Final = 65_536  # bytes of one record
MAX_ADDRESSES: Final = 64  # taken of one record; the rest is left
MAX_PROTOCOLS: Final = 64
MAX_FILTERS: Final = 64  # names in one filter
_MAX_NAME: Final = 63  # characters of a protocol's name

_SCHEMAS: Final = frozenset(("peer", "bitswap", "graphsync-filecoinv1"))  # the last two are legacy, read alike
_UNKNOWN: Final = "unknown"


@dataclasses.dataclass(frozen=True, slots=True)
class PeerRecord:
    """A peer, its addresses and what it transfers by."""

    peer: PeerId
    addresses: tuple[Multiaddr, ...] = ()
    protocols: tuple[str, ...] = ()  # such as transport-bitswap; empty: not known

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the untrusted JSON of one record.

        Raises:
            WireError: no JSON, no peer, or a schema that is not known here.
        """
        if len(data) > MAX_RECORD:
            raise WireError(f"routing record of {len(data)} bytes, expected at most {MAX_RECORD}")
        try:
            return cls.from_json(json.loads(data))
        except (ValueError, RecursionError) as error:
            raise WireError(f"routing record: {error}") from None

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read an untrusted record that is part of a larger document; raises as `parse`."""
        if not isinstance(document, dict) or document.get("Schema") not in _SCHEMAS:
            raise WireError("routing record of a schema that is not known here")
        identity = document.get("ID")
        if not isinstance(identity, str):
            raise WireError("routing record without a peer")
        addresses = []
        peer = PeerId.from_text(identity)
        for text in _texts(document.get("Addrs"))[:MAX_ADDRESSES]:
            with contextlib.suppress(WireError):  # a transport we do not know does not cost us the others
                addresses.append(Multiaddr.from_text(text))
        protocols = _texts(document.get("Protocols")) or _texts([document.get("Protocol")])
        return cls(peer, tuple(addresses), tuple(protocols[:MAX_PROTOCOLS]))

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"Schema": "peer", "ID": str(self.peer), "Addrs": list(map(str, self.addresses))}
        if self.protocols:
            document["Protocols"] = list(self.protocols)
        return document

    def filtered(self, addresses: Sequence[str], protocols: Sequence[str]) -> Self | None:
        """Return the record with the addresses that a request wants; None when it wants none of it (IPIP-484).

        Args:
            addresses: names of multiaddr protocols, `!name` for unwanted ones, `unknown` for no address at all.
            protocols: names of transfer protocols, `unknown` for none named; any of them will do.
        """
        own = [name.lower() for name in self.protocols]
        if protocols and not any(name in own or (name == _UNKNOWN and not own) for name in protocols):
            return None
        if not addresses:
            return self
        if not self.addresses:
            return self if _UNKNOWN in addresses else None
        unwanted = {name[1:] for name in addresses if name.startswith("!")}
        wanted = {name for name in addresses if not name.startswith("!") and name != _UNKNOWN}
        is_negative_only = not wanted and _UNKNOWN not in addresses
        kept = tuple(
            address
            for address in self.addresses
            if not unwanted & set(address.names) and (is_negative_only or wanted & set(address.names))
        )
        return dataclasses.replace(self, addresses=kept) if kept else None


def parse_filter(text: str) -> tuple[str, ...]:
    """Read an untrusted comma-separated filter; names without regard to case.

    Raises:
        WireError: too many names, or one too long.
    """
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    if len(names) > MAX_FILTERS or any(len(name) > _MAX_NAME + 1 for name in names):
        raise WireError(f"filter of more than {MAX_FILTERS} names, or of one longer than {_MAX_NAME} characters")
    return names


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
