"""dag-pb: a protobuf of links and opaque data, the block format of UnixFS (ipld.io/specs/codecs/dag-pb/spec).

Parsing is as strict as the specification asks: known fields only, link fields in order, nothing twice. Serialising
sorts links by the bytes of their names and writes them before the data, so one node has one form.

Directories of many thousand entries are written often, so the pieces are public: `serialize_link` makes the bytes of
one link, and `join` makes a node from such pieces without looking at them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, Final, NamedTuple

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.multiformats import varint
from zwerm.multiformats.cid import CID

MAX_TSIZE: Final = 2**64 - 1  # Tsize is a uint64

# Keys of the protobuf: field number << 3 | wire type. Two is length-delimited, zero is a varint.
_DATA_KEY: Final = 0x0A
_LINKS_KEY: Final = 0x12
_HASH_KEY: Final = 0x0A
_NAME_KEY: Final = 0x12
_TSIZE_KEY: Final = 0x18

_by_name: Final = itemgetter(0)


class PBLink(NamedTuple):
    """A link of a dag-pb node.

    `name` is UTF-8 on the wire. Bytes that are not (Linux file names that Kubo added) become lone surrogates, as in
    `os.fsdecode`, so every name survives a round trip; encode it with `errors="surrogateescape"`.
    """

    cid: CID
    name: str | None = None
    size: int | None = None  # bytes of the blocks below, by the writer's word: 0 to MAX_TSIZE


class PBNode(NamedTuple):
    """A dag-pb block: links in the order of the block, and data, which may be absent."""

    links: tuple[PBLink, ...] = ()
    data: bytes | None = None

    @classmethod
    def parse(cls, data: bytes) -> PBNode:
        """Read exactly these untrusted bytes.

        Data may stand before or after the links, as both exist.

        Raises:
            WireError: not a dag-pb node.
        """
        links: list[PBLink] = []
        payload: bytes | None = None
        closed = False  # links were followed by data
        position, end = 0, len(data)
        while position < end:
            key = data[position]
            if position + 1 < end and data[position + 1] < 0x80:
                start = position + 2
                position = start + data[position + 1]
            else:
                size, start = _varint(data, position + 1)
                position = start + size
            if position > end:
                raise WireError(f"dag-pb field of {position - start} bytes, {end - start} are left")
            if key == _LINKS_KEY:
                if closed:
                    raise WireError("dag-pb links on both sides of the data")
                links.append(_parse_link(data, start, position))
            elif key == _DATA_KEY:
                if payload is not None:
                    raise WireError("dag-pb data given twice")
                payload = bytes(data[start:position])
                closed = bool(links)
            else:
                raise WireError(f"dag-pb node field key {key:#x}, expected {_LINKS_KEY:#x} or {_DATA_KEY:#x}")
        return cls(tuple(links), payload)

    def serialize(self) -> bytes:
        """Return the canonical bytes; links are sorted by name, those of equal names stay in their order.

        Raises:
            LocalProtocolError: a size outside the range, or a name that no bytes can carry.
        """
        pieces = [(_name_bytes(name) or b"", serialize_link(cid, name, size)) for cid, name, size in self.links]
        pieces.sort(key=_by_name)
        return join([piece for _, piece in pieces], self.data)

    def to_data_model(self) -> dict[str, Any]:
        """Return the node as the map that the specification's schema describes (for dag-json, paths, patches)."""
        model: dict[str, Any] = {}
        if self.data is not None:
            model["Data"] = self.data
        model["Links"] = [
            {"Hash": link.cid}
            | ({} if link.name is None else {"Name": link.name})
            | ({} if link.size is None else {"Tsize": link.size})
            for link in self.links
        ]
        return model

    @classmethod
    def from_data_model(cls, model: Any) -> PBNode:
        """Build a node from the map form.

        Raises:
            LocalProtocolError: keys or types that the schema does not have.
        """
        if not isinstance(model, dict) or not model.keys() <= {"Data", "Links"}:
            raise LocalProtocolError(f"dag-pb node {model!r:.100}, expected a map with Links and maybe Data")
        data, links = model.get("Data"), model.get("Links")
        if "Data" in model and not isinstance(data, bytes):
            raise LocalProtocolError(f"dag-pb Data is {type(data).__name__}, expected bytes")
        if not isinstance(links, list):
            raise LocalProtocolError(f"dag-pb Links is {type(links).__name__}, expected a list")
        return cls(tuple(map(_link_from_data_model, links)), data)


def serialize_link(cid: CID, name: str | None = None, size: int | None = None) -> bytes:
    """Return one link as it stands in a node, key and length included.

    Raises:
        LocalProtocolError: a size outside the range, or a name that no bytes can carry.
    """
    binary = bytes(cid)
    link = b"\x0a" + varint.serialize(len(binary)) + binary
    if name is not None:
        encoded = _name_bytes(name)
        link += b"\x12" + varint.serialize(len(encoded)) + encoded
    if size is not None:
        link += b"\x18" + _serialize_uint64(size)
    return b"\x12" + varint.serialize(len(link)) + link


def join(links: Iterable[bytes], data: bytes | None = None) -> bytes:
    """Make a node of links from `serialize_link`, which the caller has sorted by the bytes of their names."""
    if data is None:
        return b"".join(links)
    return b"".join([*links, b"\x0a", varint.serialize(len(data)), data])


def links(data: bytes) -> list[CID]:
    """Return the links of untrusted bytes in the order of the block; checks as `PBNode.parse`."""
    return [link.cid for link in PBNode.parse(data).links]


def decode(data: bytes) -> PBNode:
    return PBNode.parse(data)


def encode(value: Any) -> bytes:
    """Serialise a `PBNode`, or the map form of one."""
    return (value if isinstance(value, PBNode) else PBNode.from_data_model(value)).serialize()


def _parse_link(data: bytes, position: int, end: int) -> PBLink:
    if position == end or data[position] != _HASH_KEY:
        raise WireError("dag-pb link without a hash in front")
    start, position = _field(data, position + 1, end)
    cid, cid_end = CID.parse_prefix(data, start)
    if cid_end != position:
        raise WireError(f"dag-pb link hash of {position - start} bytes, its CID has {cid_end - start}")
    name = size = None
    if position < end and data[position] == _NAME_KEY:
        start, position = _field(data, position + 1, end)
        name = str(data[start:position], "utf-8", "surrogateescape")
    if position < end and data[position] == _TSIZE_KEY:
        size, position = _varint(data, position + 1)
    if position != end:
        raise WireError("dag-pb link with a field unknown, out of order, given twice or cut short")
    return PBLink(cid, name, size)


def _field(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Return where the length-delimited field at `position` starts and ends."""
    size, start = _varint(data, position)
    if start + size > end:
        raise WireError(f"dag-pb link field of {size} bytes, {end - start} are left")
    return start, start + size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """Read a protobuf varint: up to ten bytes, and longer than needed is allowed, unlike in multiformats."""
    value = shift = 0
    for index in range(position, min(position + 10, len(data))):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value > MAX_TSIZE:
                break
            return value, index + 1
        shift += 7
    raise WireError("dag-pb varint cut short or above 64 bits")


def _serialize_uint64(value: int) -> bytes:
    if not 0 <= value <= MAX_TSIZE:
        raise LocalProtocolError(f"dag-pb Tsize {value}, expected 0 to {MAX_TSIZE}")
    if value <= varint.MAX_VALUE:
        return varint.serialize(value)
    low = value & varint.MAX_VALUE
    return bytes([low >> shift & 0x7F | 0x80 for shift in range(0, 63, 7)]) + b"\x01"


def _name_bytes(name: str | None) -> bytes:
    if name is None:
        return b""
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise LocalProtocolError(f"link name {name!r:.100} has surrogates that stand for no byte") from None


def _link_from_data_model(model: Any) -> PBLink:
    if not isinstance(model, dict) or not model.keys() <= {"Hash", "Name", "Tsize"}:
        raise LocalProtocolError(f"dag-pb link {model!r:.100}, expected a map of Hash and maybe Name, Tsize")
    cid, name, size = model.get("Hash"), model.get("Name"), model.get("Tsize")
    if not isinstance(cid, CID):
        raise LocalProtocolError(f"dag-pb link Hash is {type(cid).__name__}, expected a link")
    if "Name" in model and not isinstance(name, str):
        raise LocalProtocolError(f"dag-pb link Name is {type(name).__name__}, expected a string")
    if "Tsize" in model and (not isinstance(size, int) or isinstance(size, bool)):
        raise LocalProtocolError(f"dag-pb link Tsize is {type(size).__name__}, expected an integer")
    return PBLink(cid, name, size)
