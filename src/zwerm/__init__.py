"""zwerm: the peer-to-peer web for Python. `Node` keeps and shows content; see README.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zwerm.multiformats.cid import CID
    from zwerm.node.node import Node

__version__ = "0.1.0"
__all__ = ["CID", "Node", "__version__"]


def __getattr__(name: str) -> Any:
    """Import the public names on first use, so that `zwerm --help` stays fast."""
    if name == "Node":
        from zwerm.node.node import Node

        return Node
    if name == "CID":
        from zwerm.multiformats.cid import CID

        return CID
    raise AttributeError(f"module 'zwerm' has no attribute {name!r}")
