"""A dag-pb block is refused with WireError, or its node, written canonically, is the same, and so are its links."""

from zwerm.core.errors import WireError
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.multiformats.cid import CID

_LINKS = (
    PBLink(CID.of(b"a"), "a", 1),
    PBLink(CID.of(b"b", 0x70, version=0), "", 2**40),
    PBLink(CID.of(b"c"), None, None),
)
SEEDS = [PBNode((), b"data").serialize(), PBNode(_LINKS, None).serialize(), PBNode(_LINKS[:1], b"").serialize(), b""]


def fuzz(data: bytes) -> None:
    try:
        node = PBNode.parse(data)
    except WireError:
        return
    canonical = node.serialize()
    again = PBNode.parse(canonical)
    assert again.serialize() == canonical
    assert (again.data, sorted(map(repr, again.links))) == (node.data, sorted(map(repr, node.links)))
    assert dag_pb.links(data) == [link.cid for link in node.links]
