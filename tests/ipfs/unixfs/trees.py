"""What was added, read back as nested dictionaries."""

from __future__ import annotations

from pathlib import Path

from tests.ipfs.unixfs.blocks import Blocks, run
from zwerm.ipfs.unixfs import directory
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.importer import Importer
from zwerm.ipfs.unixfs.profile import DEFAULT, Profile
from zwerm.ipfs.unixfs.reader import open_file, stat
from zwerm.multiformats.cid import CID

Tree = dict[str, "Tree | bytes | str"]  # folders, files, and the targets of symlinks


async def tree(blocks: Blocks, cid: CID) -> Tree | bytes | str:
    """Read back what was added."""
    found = await stat(blocks, cid)
    if found.kind is Kind.FILE:
        return await (await open_file(blocks, cid)).read()
    if found.kind is Kind.SYMLINK:
        return f"-> {found.target}"
    return {entry.name: await tree(blocks, entry.cid) async for entry in directory.entries(blocks, cid)}


def added(path: Path, profile: Profile = DEFAULT, **options: object) -> Tree | bytes | str:
    blocks = Blocks()
    return run(tree(blocks, Importer(blocks, profile).add_path(path, **options).cid))  # type: ignore[arg-type]
