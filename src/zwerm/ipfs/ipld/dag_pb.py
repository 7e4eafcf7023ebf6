"""dag-pb: a protobuf of links and opaque data, the block format of UnixFS (ipld.io/specs/codecs/dag-pb/spec).

Parsing is as strict as the specification asks: known fields only, link fields in order, nothing twice. Serialising
sorts links by the bytes of their names and writes them before the data, so one node has one form.

Directories of many thousand entries are written often, so the pieces are public: `serialize_link` makes the bytes of
one link, and `join` makes a node from such pieces without looking at them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.multiformats.cid import CID

if TYPE_CHECKING:
    from mypy_extensions import i64

MAX_TSIZE: Final = 2**64 - 1  # Tsize is a uint64

# Keys of the protobuf: field number << 3 | wire type. Two is length-delimited, zero is a varint.
_DATA_KEY: Final = 0x0A
_LINKS_KEY: Final = 0x12
_HASH_KEY: Final = 0x0A
_NAME_KEY: Final = 0x12
_TSIZE_KEY: Final = 0x18

_HEADS: Final = {
    key: [bytes((key, value)) for value in range(0x80)] for key in (_HASH_KEY, _NAME_KEY, _TSIZE_KEY)
}  # what nearly every field begins with


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
        position: i64 = 0
        end: i64 = len(data)
        while position < end:
            key: i64 = data[position]
            start, position = _field(data, position + 1, end)
            if key == _LINKS_KEY:
                if closed:
                    raise WireError("dag-pb links on both sides of the data")
                links.append(_parse_link(data, start, position))
            elif key == _DATA_KEY:
                if payload is not None:
                    raise WireError("dag-pb data given twice")
                payload = data[start:position]
                closed = bool(links)
            else:
                raise WireError(f"dag-pb node field key {key:#x}, expected {_LINKS_KEY:#x} or {_DATA_KEY:#x}")
        return cls(tuple(links), payload)

    def serialize(self) -> bytes:
        """Return the canonical bytes; links are sorted by name, those of equal names stay in their order.

        Raises:
            LocalProtocolError: a size outside the range, or a name that no bytes can carry.
        """
        links = sorted(self.links, key=_link_name) if len(self.links) > 1 else self.links
        return join([serialize_link(cid, name, size) for cid, name, size in links], self.data)

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
    link = _head(_HASH_KEY, len(binary)) + binary
    if name is not None:
        encoded = _name_bytes(name)
        link += _head(_NAME_KEY, len(encoded)) + encoded
    if size is not None:
        if not 0 <= size <= MAX_TSIZE:
            raise LocalProtocolError(f"dag-pb Tsize {size}, expected 0 to {MAX_TSIZE}")
        link += _head(_TSIZE_KEY, size)
    return _head(_LINKS_KEY, len(link)) + link


def join(links: Iterable[bytes], data: bytes | None = None) -> bytes:
    """Make a node of links from `serialize_link`, which the caller has sorted by the bytes of their names."""
    if data is None:
        return b"".join(links)
    return b"".join([*links, _head(_DATA_KEY, len(data)), data])


def links(data: bytes) -> list[CID]:
    """Return the links of untrusted bytes in the order of the block; checks as `PBNode.parse`."""
    return [link.cid for link in PBNode.parse(data).links]


def decode(data: bytes) -> PBNode:
    return PBNode.parse(data)


def encode(value: Any) -> bytes:
    """Serialise a `PBNode`, or the map form of one, whose links must be in order already.

    Raises:
        LocalProtocolError: no such map, or links that are not sorted by name.
    """
    if isinstance(value, PBNode):
        return value.serialize()
    node = PBNode.from_data_model(value)
    encoded = node.serialize()
    names = [_link_name(link) for link in node.links]
    if names != sorted(names):
        raise LocalProtocolError("dag-pb links are not sorted by name")
    return encoded


def _parse_link(data: bytes, position: i64, end: i64) -> PBLink:
    if position == end or data[position] != _HASH_KEY:
        raise WireError("dag-pb link without a hash in front")
    start, position = _field(data, position + 1, end)
    cid = CID.parse(data[start:position])
    name: str | None = None
    size: int | None = None
    if position < end and data[position] == _NAME_KEY:
        start, position = _field(data, position + 1, end)
        name = data[start:position].decode("utf-8", "surrogateescape")
    if position < end and data[position] == _TSIZE_KEY:
        size, position = _varint(data, position + 1, end)
    if position != end:
        raise WireError("dag-pb link with a field unknown, out of order or given twice")
    return PBLink(cid, name, size)


def _field(data: bytes, position: i64, end: i64) -> tuple[i64, i64]:
    """Return where the length-delimited field starts and ends whose length stands at `position`."""
    size: i64 = data[position] if position < end else 0x80
    if size < 0x80:
        position += 1
    else:
        long_size, position = _varint(data, position, end)
        size = min(long_size, end + 1)
    if size > end - position:
        raise WireError(f"dag-pb field longer than the {end - position} bytes that are left")
    return position, position + size


def _varint(data: bytes, position: i64, end: i64) -> tuple[int, i64]:
    """Read a protobuf varint: up to ten bytes, and longer than needed is allowed, unlike in multiformats."""
    value = shift = 0
    while position < end and shift < 70:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value > MAX_TSIZE:
                break
            return value, position
        shift += 7
    raise WireError("dag-pb varint cut short or above 64 bits")


def _head(key: int, value: int) -> bytes:
    """Return a key and the varint after it: a length, or the whole value of a number."""
    if value < 0x80:
        return _HEADS[key][value]
    if value < 0x4000:
        return bytes((key, value & 0x7F | 0x80, value >> 7))
    out = bytearray((key,))
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _name_bytes(name: str | None) -> bytes:
    if name is None:
        return b""
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise LocalProtocolError(f"link name {name!r:.100} has surrogates that stand for no byte") from None


def _link_name(link: PBLink) -> bytes:
    return _name_bytes(link.name)


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
