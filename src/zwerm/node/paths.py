"""What a path means: content (`bafy...`, `/ipfs/...`, `ipfs://...`) or one of the node's own files (`/a/b`).

A file's path may end in `@VERSION`: the file as it was then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zwerm.core.errors import WireError
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.mfs.errors import FileMissing
from zwerm.ipfs.versions.address import split
from zwerm.multiformats.cid import CID

if TYPE_CHECKING:
    from zwerm.node.node import Node


def is_file_path(text: str) -> bool:
    """Whether the text names one of the node's own files rather than content."""
    return text.startswith("/") and not text.startswith(("/ipfs/", "/ipns/"))


async def content_path(node: Node, path: str | CID | ContentPath) -> ContentPath:
    """Return the immutable path that `path` stands for now; names and files are looked up.

    Raises:
        WireError: no path at all.
        NotFoundError: a name or a file that does not exist.
    """
    if isinstance(path, ContentPath):
        content = path
    elif isinstance(path, CID):
        return ContentPath.of(path)
    elif is_file_path(path):
        return ContentPath.of(await _file(node, path))
    else:
        content = ContentPath.from_text(path)
    if content.namespace == "ipns":
        named = await node.names.resolve(content.root)
        return named.path.child(*content.segments)
    return content


async def resolve_path(node: Node, path: str | CID | ContentPath) -> CID:
    """Return the CID that a path ends at.

    Raises:
        WireError: no path at all, or one that ends inside a block.
        NotFoundError: something on the way does not exist or is not here.
    """
    content = await content_path(node, path)
    if not content.segments:
        assert content.cid is not None  # noqa: S101 -- below /ipfs/ there is one
        return content.cid
    from zwerm.ipfs.ipld.resolve import resolve

    resolution = await resolve(node.source, content)
    if resolution.remainder:
        raise WireError(f"{content} ends inside block {resolution.cid}, at {'/'.join(resolution.remainder)}")
    return resolution.cid


async def _file(node: Node, text: str) -> CID:
    path, version = split(text)
    if version is not None and not await node.files.exists(text):
        return await node.history.at(path, version)
    try:
        return (await node.files.stat(text)).cid
    except FileMissing as error:
        raise FileMissing(f"{text}: {error}") from None
