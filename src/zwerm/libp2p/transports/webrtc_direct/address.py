"""Addresses of webrtc-direct (libp2p specs, webrtc/webrtc-direct.md, "Addressing").

    /ip4/192.0.2.1/udp/4001/webrtc-direct/certhash/uEi.../p2p/12D3KooW...

Whoever dials learns from it where to send, and the hash of the certificate that DTLS must show there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from zwerm.core.errors import WireError
from zwerm.core.machine import Address
from zwerm.multiformats import multicodec, multihash
from zwerm.multiformats.multiaddr import Component, Multiaddr
from zwerm.multiformats.multiaddr_protocol import BY_NAME
from zwerm.webrtc.dtls.fingerprint import Fingerprint, HashFunction

PROTOCOL: Final = "webrtc-direct"

_FUNCTIONS: Final = {multicodec.SHA2_256: HashFunction.SHA_256, multicodec.SHA2_512: HashFunction.SHA_512}
_SIZES: Final = {HashFunction.SHA_256: 32, HashFunction.SHA_512: 64}  # bytes
_CODES: Final = {function: code for code, function in _FUNCTIONS.items()}


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """Where to dial, and what to expect there."""

    address: Address
    fingerprints: tuple[Fingerprint, ...]  # any of them, all by one function


def matches(address: Multiaddr, *, with_hash: bool) -> bool:
    """Whether it is one to dial (`with_hash`), or one to listen on."""
    names = [name for name in address.names if name != "p2p"]
    if len(names) < 3 or names[0] not in ("ip4", "ip6") or names[1:3] != ["udp", PROTOCOL]:
        return False
    hashes = names[3:]
    return all(name == "certhash" for name in hashes) and (bool(hashes) or not with_hash)


def socket_address(address: Multiaddr) -> Address:
    """The host and the port of an address that `matches`."""
    host, port = address.components[0], address.components[1]
    return host.text, int(port.text)


def parse_target(address: Multiaddr) -> Target:
    """Read an address to dial.

    Raises:
        WireError: none of webrtc-direct's, or no hash of a function that is known here.
    """
    if not matches(address, with_hash=True):
        raise WireError(f"{address} is no address of {PROTOCOL} with a certhash")
    found = [multihash_fingerprint(part.value) for part in address.components if part.protocol.name == "certhash"]
    known = [fingerprint for fingerprint in found if fingerprint is not None]
    if not known:
        raise WireError(f"{address} has no certhash by SHA-256 or SHA-512")
    return Target(socket_address(address), tuple(one for one in known if one.function is known[0].function))


def listening_address(address: Address, fingerprints: Sequence[Fingerprint]) -> Multiaddr:
    """Write where one listens with certificates of these fingerprints."""
    host, port = address
    bare = Multiaddr.from_text(f"/ip{6 if ':' in host else 4}/{host}/udp/{port}/{PROTOCOL}")
    certhash = BY_NAME["certhash"]
    return Multiaddr(bare.components + tuple(Component(certhash, fingerprint_multihash(one)) for one in fingerprints))


def fingerprint_multihash(fingerprint: Fingerprint) -> bytes:
    """The fingerprint as certhash and prologue have it; of SHA-256 or SHA-512."""
    return bytes((_CODES[fingerprint.function], len(fingerprint.digest))) + fingerprint.digest


def multihash_fingerprint(data: bytes) -> Fingerprint | None:
    """Read a multihash that was checked to be one; None for a function that is not known here."""
    code, start, end = multihash.parse_prefix(data)
    function = _FUNCTIONS.get(code)
    if function is None or end - start != _SIZES[function]:
        return None
    return Fingerprint(function, data[start:end])


def prologue(dialer: Fingerprint, listener: Fingerprint) -> bytes:
    """What binds the handshake of noise to the DTLS connection below (webrtc-direct.md, "Connection Security")."""
    return b"libp2p-webrtc-noise:" + fingerprint_multihash(dialer) + fingerprint_multihash(listener)
