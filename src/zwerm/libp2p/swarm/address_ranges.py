"""Ranges of addresses that are neither dialled nor let in, written as Kubo does: `/ip4/10.0.0.0/ipcidr/8`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.multiformats.multiaddr import Multiaddr

_MAPPED: Final = b"\x00" * 10 + b"\xff\xff"  # before an IPv4 address inside IPv6 (RFC 4291 section 2.5.5.2)


class AddressRange(NamedTuple):
    """All addresses that begin with the same bits."""

    address: bytes  # 4 or 16, the bits after the prefix zero
    prefix: int  # bits

    @classmethod
    def from_text(cls, text: str) -> AddressRange:
        """Read what a person wrote; bits after the prefix are dropped.

        Raises:
            LocalProtocolError: not an address and the length of its prefix.
        """
        try:
            mask = Multiaddr.from_text(text)
        except WireError as error:
            raise LocalProtocolError(str(error)) from None
        if mask.names not in (("ip4", "ipcidr"), ("ip6", "ipcidr")):
            raise LocalProtocolError(f"{text[:64]!r} is not a range; expected a form like /ip4/10.0.0.0/ipcidr/8")
        address, prefix = mask.components[0].value, mask.components[1].value[0]
        bits = 8 * len(address)
        if prefix > bits:
            raise LocalProtocolError(f"{text[:64]!r} has a prefix of {prefix} bits, the address has {bits}")
        return cls(_cut(address, prefix), prefix)

    def __contains__(self, address: object) -> bool:
        """Whether the bytes of an IP address lie in it."""
        return (
            isinstance(address, bytes)
            and len(address) == len(self.address)
            and _cut(address, self.prefix) == self.address
        )

    def __str__(self) -> str:
        return f"/ip{4 if len(self.address) == 4 else 6}/{ipaddress.ip_address(self.address)}/ipcidr/{self.prefix}"


class AddressRanges:
    """Some ranges, asked about multiaddrs."""

    def __init__(self, ranges: Iterable[AddressRange] = ()) -> None:
        self._ranges: Sequence[AddressRange] = tuple(dict.fromkeys(ranges))

    def refusal(self, address: Multiaddr) -> str | None:
        """Return why an address is not for this node, in words; None: it is. One by way of a relay is where that is."""
        if not self._ranges:
            return None
        for component in address:
            if component.protocol.name in ("ip4", "ip6"):
                value = component.value.removeprefix(_MAPPED) if len(component.value) == 16 else component.value
                for each in self._ranges:
                    if value in each or component.value in each:
                        return f"it lies in {each}, which is filtered"
        return None


def _cut(address: bytes, prefix: int) -> bytes:
    kept = 8 * len(address) - prefix
    return (int.from_bytes(address, "big") >> kept << kept).to_bytes(len(address), "big")
