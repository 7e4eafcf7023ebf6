"""The headers of CAR files (ipld.io/specs/transport/car/carv1, "Header", and carv2, "Pragma" and "Header")."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.ipfs.ipld import dag_cbor
from zwerm.multiformats import varint
from zwerm.multiformats.cid import CID

PRAGMA: Final = bytes.fromhex("0aa16776657273696f6e02")  # what version 2 begins with: a header without roots
V2_SIZE: Final = 40  # bytes of the version 2 header that follows the pragma

_V2_LAYOUT: Final = struct.Struct("<16sQQQ")


def serialize(roots: Iterable[CID]) -> bytes:
    """Return the beginning of a version 1 CAR: the header and its length."""
    block = dag_cbor.encode({"roots": list(roots), "version": 1})
    return varint.serialize(len(block)) + block


def parse_roots(block: bytes) -> tuple[CID, ...]:
    """Read an untrusted version 1 header block, without its length.

    No roots are allowed, as writers disagree about it (carv1, "Number of roots").

    Raises:
        WireError: something else than a version of 1 and a list of roots.
    """
    header = dag_cbor.decode(block, strict=False)
    if not isinstance(header, dict) or header.get("version") is True or "version" not in header:
        raise WireError("CAR header that is no map with a version")
    if header["version"] != 1:
        raise WireError(f"CAR version {header['version']!r:.40}, expected 1")
    roots = header.get("roots")
    if header.keys() != {"version", "roots"} or not isinstance(roots, list):
        raise WireError(f"CAR header with {', '.join(map(repr, header))[:100]}, expected a version and a list of roots")
    if not all(isinstance(root, CID) for root in roots):
        raise WireError("CAR root that is no link")
    return tuple(roots)


class V2Header(NamedTuple):
    """What stands between the pragma and the payload of a version 2 CAR; offsets are from the start of the file."""

    characteristics: bytes  # 16; the first bit says that the index lists every section
    data_offset: int  # where the version 1 CAR inside begins
    data_size: int  # bytes of it
    index_offset: int  # 0: there is none

    @classmethod
    def parse(cls, data: bytes) -> V2Header:
        """Read exactly `V2_SIZE` untrusted bytes.

        Raises:
            WireError: offsets that overlap.
        """
        header = cls(*_V2_LAYOUT.unpack(data))
        if header.data_offset < len(PRAGMA) + V2_SIZE:
            raise WireError(f"CAR payload at {header.data_offset}, inside the header of {len(PRAGMA) + V2_SIZE} bytes")
        if header.index_offset and header.index_offset < header.data_offset + header.data_size:
            raise WireError(f"CAR index at {header.index_offset}, inside the payload")
        return header
