"""Small DAGs for the tests of pins and collection."""

from __future__ import annotations

from tests.conformance.check_blockstore import block
from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.multiformats import multicodec


def node(children: list[Block], label: str = "", version: int = 1) -> Block:
    """A dag-pb block that links to others."""
    links = tuple(PBLink(child.cid, f"{number:05}", len(child.data)) for number, child in enumerate(children))
    return Block.create(PBNode(links, label.encode()).serialize(), multicodec.DAG_PB, version=version)


def document(children: list[Block]) -> Block:
    """A dag-cbor block that links to others."""
    return Block.create(dag_cbor.encode({"children": [child.cid for child in children]}), multicodec.DAG_CBOR)


def leaves(start: int, end: int) -> list[Block]:
    return [block(number, 100) for number in range(start, end)]


class Tree:
    """A root, two nodes and six leaves; the document below links to both nodes as well."""

    def __init__(self) -> None:
        self.leaves = leaves(0, 6)
        self.left = node(self.leaves[:4], "left")
        self.right = node(self.leaves[2:], "right")
        self.root = node([self.left, self.right], "root")
        self.document = document([self.right, self.left])
        self.blocks = [self.root, self.left, self.right, *self.leaves]
