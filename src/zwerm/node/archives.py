"""CAR archives in: blocks go to the store in a thread, piece by piece, and the roots are pinned under the same hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zwerm.ipfs.car.importer import Imported
    from zwerm.node.node import Node

_PIECE: Final = 1024 * 1024  # bytes handed to a thread at once


async def import_car(node: Node, chunks: AsyncIterable[bytes], *, pin: bool) -> Imported:
    """See `Node.import_car`."""
    from zwerm.ipfs.car.importer import CarImporter

    importer = CarImporter(node.store)
    with node.store.hold():
        gathered = bytearray()
        async for chunk in chunks:
            gathered += chunk
            if len(gathered) >= _PIECE:
                await asyncio.to_thread(importer.receive_data, bytes(gathered))
                gathered.clear()
        await asyncio.to_thread(importer.receive_data, bytes(gathered))
        imported = await asyncio.to_thread(importer.finish)
        if pin:
            for root in imported.roots:
                await node.pins.add(node.source, root)
    return imported
